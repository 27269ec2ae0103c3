import { limits } from '../limits.ts';
import { systemClock, withDeadline } from '../port/clock.ts';
import { Outage } from '../port/outage.ts';
import type { ReceiptStore } from '../port/receipt-store.ts';
import { keyAt } from '../receipt/key-path.ts';
import { type ReadReceipt, readReceipt } from '../receipt/read.ts';
import type { Stream } from '../receipt/stream.ts';
import { type LedgerEvent, eventOf } from '../stream/event.ts';

/** What certificates are made from: reading by key is enough. */
export type ReceiptReader = Pick<ReceiptStore, 'read'>;

/** A receipt as it was found. */
export type FoundReceipt = { readonly key: string; readonly read: ReadReceipt; readonly event: LedgerEvent };

/** The receipt at a position, strictly read; null when there is none. Throws `Outage`, also for an object that is no receipt. */
export const receiptAt = async (reader: ReceiptReader, stream: Stream, position: number): Promise<FoundReceipt | null> => {
  const key = keyAt(stream, position);
  const bytes = await withDeadline(systemClock, 'store', limits.storeTimeoutMs, () => reader.read(key));
  if (bytes === null) return null;
  const read = readReceipt(bytes, key);
  const event = read.ok ? eventOf(read.value.receipt) : null;
  if (!read.ok || !event?.ok) throw new Outage('store', 'store-refused', `${key} is not a receipt any more`);
  return { key, read: read.value, event: event.value };
};

/** The receipts from a position to the end of the stream, many at a time. Throws `Outage`. */
export async function* receiptsFrom(reader: ReceiptReader, stream: Stream, first: number): AsyncGenerator<FoundReceipt> {
  // Few at first: what is looked for mostly lies near.
  for (let from = first, length = 4; ; from += length, length = limits.parallelReads) {
    const positions = Array.from({ length }, (_, i) => from + i);
    for (const found of await Promise.all(positions.map((position) => receiptAt(reader, stream, position)))) {
      if (found === null) return;
      yield found;
    }
  }
}
