import pMap from 'p-map';
import { limits } from '../limits.ts';
import type { ReceiptStore } from '../port/receipt-store.ts';
import type { EventId } from '../receipt/ids.ts';
import { eventIdAt, keyAt } from '../receipt/key-path.ts';
import type { Stream } from '../receipt/stream.ts';
import { type Result, err, ok } from '../result.ts';
import { pageMeta } from './list-page.ts';
import type { Problem } from './problem.ts';

/** Receipts of a stream from `from` on, byte for byte, and what the next page begins after. */
export type ReceiptPage = {
  readonly receipts: readonly Uint8Array[];
  readonly last: EventId | undefined;
  readonly hasMore: boolean;
};

/** Keys are computable, so a page is point reads, at most `limits.parallelReads` at once, and needs to know nothing but the head. */
export const readReceiptPage = async (
  store: ReceiptStore,
  stream: Stream,
  headPosition: number,
  from: number,
  limit: number,
): Promise<Result<ReceiptPage, Problem>> => {
  const end = Math.min(from + limit, headPosition + 1);
  const positions = Array.from({ length: Math.max(0, end - from) }, (_, i) => from + i);
  const read = await pMap(positions, (position) => store.read(keyAt(stream, position)), { concurrency: limits.parallelReads });
  const receipts = read.filter((bytes) => bytes !== null);
  if (receipts.length < read.length)
    return err({ code: 'receipt-lost', detail: `the receipt at position ${from + read.indexOf(null)} is not in the store` });
  const last = positions.at(-1);
  return ok({ receipts, last: last === undefined ? undefined : eventIdAt(stream, last), hasMore: end <= headPosition });
};

const COMMA = Buffer.from(',');
const NEWLINE = Buffer.from('\n');

/** `{"data":[…],"meta":…}` with every receipt spliced in byte for byte. */
export const receiptsAsJson = ({ receipts, last, hasMore }: ReceiptPage): Uint8Array => {
  const spliced = receipts.flatMap((bytes, i) => (i === 0 ? [bytes] : [COMMA, bytes]));
  return Buffer.concat([
    Buffer.from('{"data":['),
    ...spliced,
    Buffer.from(`],"meta":${JSON.stringify(pageMeta(last, hasMore))}}`),
  ]);
};

/** One receipt a line: canonical JSON has no line breaks. */
export const receiptsAsLines = ({ receipts }: ReceiptPage): Uint8Array =>
  Buffer.concat(receipts.flatMap((bytes) => [bytes, NEWLINE]));
