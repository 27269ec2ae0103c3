import { eventIdAtPrefix } from '../../src/receipt/key-path.ts';
import type { LedgerFault, RecordedFaultCode } from '../ledger-fault.ts';
import type { VerifiedStream } from './verified-stream.ts';

/** Receipts from a position to the recorded one are not there any more, or none of the stream. */
export const goneFault = (entry: VerifiedStream, first: number, isWhole: boolean): LedgerFault =>
  faultAt(
    entry,
    first,
    isWhole ? 'verified-stream-gone' : 'verified-receipt-gone',
    isWhole
      ? `the stream was verified up to position ${entry.position}, and nothing of it is there any more`
      : `positions ${first} to ${entry.position} were verified, and are not there any more`,
  );

/** The chain is true in itself, and another one than the one that was verified. */
export const changedFault = (entry: VerifiedStream): LedgerFault =>
  faultAt(entry, entry.position, 'verified-receipt-changed', `when it was verified this receipt had the hash ${entry.hash}`);

/** A fault of what is missing, where the record knows that it was there. */
export const knownBefore = ({ position }: VerifiedStream, fault: LedgerFault): LedgerFault =>
  fault.code === 'missing' && fault.position !== null && fault.position <= position
    ? { ...fault, code: 'verified-receipt-gone', detail: `it was verified before: ${fault.detail}` }
    : fault;

const faultAt = ({ prefix, position }: VerifiedStream, first: number, code: RecordedFaultCode, detail: string): LedgerFault => ({
  key: `${prefix}/events/${eventIdAtPrefix(prefix, first)}.json`,
  stream: prefix,
  position: first,
  lastPosition: position,
  code,
  detail,
  unverifiable: 0,
});
