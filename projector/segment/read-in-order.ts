import { limits } from '../../src/limits.ts';
import type { LedgerSource } from '../source.ts';

/** An object of the ledger that was asked for, and what lies under its key. */
export type ReadObject = { readonly prefix: string; readonly key: string; readonly bytes: Uint8Array | null };

/** Keys of one stream, in order. */
export type WantedKeys = { readonly prefix: string; readonly keys: readonly string[] };

type Wanted = Omit<ReadObject, 'bytes'>;

/**
 * Reads many streams in the order in which they are wanted, `limits.parallelReads` objects at a time whatever streams they belong to, and as
 * many such batches ahead as the source has streams read at once. Throws `Outage`.
 */
export async function* readInOrder(source: LedgerSource, wanted: AsyncIterable<WantedKeys>): AsyncGenerator<ReadObject> {
  const ahead: Promise<readonly ReadObject[]>[] = [];
  let batch: Wanted[] = [];
  const send = (): void => {
    const reading = read(source, batch);
    // Whoever waits for it hears of it; until then nobody does.
    reading.catch(() => undefined);
    ahead.push(reading);
    batch = [];
  };
  for await (const { prefix, keys } of wanted)
    for (const key of keys) {
      batch.push({ prefix, key });
      if (batch.length < limits.parallelReads) continue;
      send();
      if (ahead.length >= source.parallelStreams) yield* (await ahead.shift()) ?? [];
    }
  if (batch.length > 0) send();
  for (const reading of ahead) yield* await reading;
}

const read = async (source: LedgerSource, batch: readonly Wanted[]): Promise<readonly ReadObject[]> => {
  const objects = await source.readMany(batch.map(({ key }) => key));
  return batch.map((each, i) => ({ ...each, bytes: objects[i] ?? null }));
};
