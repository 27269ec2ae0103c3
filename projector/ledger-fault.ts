import { eventIdAtPrefix } from '../src/receipt/key-path.ts';
import type { ReceiptFault } from '../src/receipt/verify.ts';
import type { DomainFaultCode } from '../src/stream/domain-fault.ts';
import type { ReplayFault } from '../src/stream/replay-step.ts';

/** What can be wrong with a ledger beyond what can be wrong with one receipt in its place. */
export type StreamFaultCode = 'missing' | 'unexpected-object' | 'idempotency-key-twice' | RecordedFaultCode;

/** What was there when it was last verified, as the record of that says, and is not any more, or is something else. */
export type RecordedFaultCode = 'verified-receipt-gone' | 'verified-receipt-changed' | 'verified-stream-gone';

export type FaultCode = ReceiptFault['code'] | ReplayFault['code'] | StreamFaultCode | DomainFaultCode;

/** One thing that is wrong, with the object key to look at. `detail` is for people and quotes nothing from a payload. */
export type LedgerFault = {
  readonly key: string;
  /** The stream's prefix; null for an object that belongs to none. */
  readonly stream: string | null;
  /** The position in the stream that is wrong; the first one of a gap. */
  readonly position: number | null;
  /** The last position of a gap; otherwise as `position`. */
  readonly lastPosition: number | null;
  readonly code: FaultCode;
  readonly detail: string;
  /** Receipts after this one in the stream, of which nothing can be said because of it. */
  readonly unverifiable: number;
};

/** `incomplete`: what is there is right, as far as it can be checked, but something is not there. Never a kind of valid. */
export type Verdict = 'valid' | 'invalid' | 'incomplete';

/** Faults of what is not there, or not yet. */
const INCOMPLETE: ReadonlySet<FaultCode> = new Set([
  'missing',
  'cited-missing',
  'trade-unsettled',
  'verified-receipt-gone',
  'verified-stream-gone',
]);

export const verdictOf = (faults: Iterable<Pick<LedgerFault, 'code'>>): Verdict => {
  let verdict: Verdict = 'valid';
  for (const { code } of faults) {
    if (!INCOMPLETE.has(code)) return 'invalid';
    verdict = 'incomplete';
  }
  return verdict;
};

/** The fault of a receipt, or a run of them, that is not there. */
export const missing = (prefix: string, first: number, last: number, detail?: string): LedgerFault => ({
  key: `${prefix}/events/${eventIdAtPrefix(prefix, first)}.json`,
  stream: prefix,
  position: first,
  lastPosition: last,
  code: 'missing',
  detail: detail ?? (first === last ? 'there is no object with this key' : `positions ${first} to ${last} are not there`),
  unverifiable: 0,
});

/** The fault of an object under a key that no stream gives. */
export const unexpectedObject = (key: string, stream: string | null): LedgerFault => ({
  key,
  stream,
  position: null,
  lastPosition: null,
  code: 'unexpected-object',
  detail: 'no position of any stream has this key: nothing the ledger wrote',
  unverifiable: 0,
});
