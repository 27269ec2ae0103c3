import { limits } from '../limits.ts';
import { type Clock, withDeadline } from '../port/clock.ts';
import type { ReceiptStore } from '../port/receipt-store.ts';
import { keyAt } from '../receipt/key-path.ts';
import type { Stream } from '../receipt/stream.ts';

/** What snapshots and cold reads are made from: reading by key is enough, and nothing is written. */
export type StoredReader = { readonly store: Pick<ReceiptStore, 'read'>; readonly clock: Clock };

/** An object as it was found. */
export type StoredObject = { readonly key: string; readonly bytes: Uint8Array };

/** The object under a key, or null when there is none. Throws `Outage`. */
export const readStored = ({ store, clock }: StoredReader, key: string): Promise<Uint8Array | null> =>
  withDeadline(clock, 'store', limits.storeTimeoutMs, () => store.read(key));

/** The objects of a stream from a position on, in order, until there is none; `expected` are read at once at first. Throws `Outage`. */
export async function* objectsFrom(
  reader: StoredReader,
  stream: Stream,
  first: number,
  expected: number,
): AsyncGenerator<StoredObject> {
  for (let from = first, length = expected; ; from += length, length = Math.min(length * 4, limits.parallelReads)) {
    const keys = Array.from({ length }, (_, i) => keyAt(stream, from + i));
    const objects = await Promise.all(keys.map(async (key) => ({ key, bytes: await readStored(reader, key) })));
    for (const { key, bytes } of objects) {
      if (bytes === null) return;
      yield { key, bytes };
    }
  }
}
