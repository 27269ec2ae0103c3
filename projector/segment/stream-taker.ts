import { type Head, follows, headOf } from '../../src/receipt/chain.ts';
import { epochMsOf } from '../../src/receipt/ids.ts';
import { readReceipt } from '../../src/receipt/read.ts';
import { type LedgerFault, missing } from '../ledger-fault.ts';

/**
 * What is to be done with the next object of a stream: `take` it into a segment; `end`, nothing of the stream is taken from here on (the rest
 * is too young, or the fault says what is wrong).
 */
export type Taken =
  | { readonly what: 'take'; readonly bytes: Uint8Array }
  | { readonly what: 'end'; readonly fault: LedgerFault | null };

/** How far one stream was taken. */
export type StreamTaker = {
  readonly prefix: string;
  next: number;
  /** The receipt before `next`; undefined where that was not read, being in a segment already. */
  head: Head | null | undefined;
};

export const openTaker = (prefix: string, next: number): StreamTaker => ({ prefix, next, head: next === 0 ? null : undefined });

/**
 * Judges the object at `next`: a receipt, strictly read, that follows the one before it as far as that is known, and older than
 * `settledBeforeMs`. Signatures are not looked at: whoever reads the segment does that.
 */
export const takeNext = (taker: StreamTaker, key: string, bytes: Uint8Array | null, settledBeforeMs: number): Taken => {
  const { prefix, next, head } = taker;
  if (bytes === null) return { what: 'end', fault: missing(prefix, next, next) };
  const read = readReceipt(bytes, key);
  if (!read.ok) return { what: 'end', fault: wrong(taker, key, read.error) };
  const { receipt, position } = read.value;
  const link = head === undefined ? null : follows(head, position, receipt);
  if (link?.ok === false) return { what: 'end', fault: wrong(taker, key, link.error) };
  if (epochMsOf(receipt.createdAt) >= settledBeforeMs) return { what: 'end', fault: null };
  taker.head = headOf(read.value);
  taker.next = position + 1;
  return { what: 'take', bytes };
};

const wrong = (
  { prefix, next }: StreamTaker,
  key: string,
  { code, detail }: Pick<LedgerFault, 'code' | 'detail'>,
): LedgerFault => ({
  ...{ key, stream: prefix, position: next, lastPosition: next },
  ...{ code, detail, unverifiable: 0 },
});
