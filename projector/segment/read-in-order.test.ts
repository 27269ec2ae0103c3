import { expect, it } from 'vitest';
import { memoryStore } from '../../src/adapter/memory/receipt-store.ts';
import { limits } from '../../src/limits.ts';
import { Outage } from '../../src/port/outage.ts';
import type { LedgerSource } from '../source.ts';
import { storeSource } from '../store-source.ts';
import { type WantedKeys, readInOrder } from './read-in-order.ts';

/** Streams of one to forty keys each. */
const streams: readonly WantedKeys[] = Array.from({ length: 40 }, (_, n) => ({
  prefix: `stream-${n}`,
  keys: Array.from({ length: n + 1 }, (_key, i) => `stream-${n}/${i}`),
}));

async function* wanted(): AsyncGenerator<WantedKeys> {
  yield* streams;
}

const read = async (source: LedgerSource) => {
  const keys: string[] = [];
  for await (const { key, bytes } of readInOrder(source, wanted())) {
    expect(Buffer.from(bytes ?? []).toString()).toBe(key);
    keys.push(key);
  }
  return keys;
};

const all = streams.flatMap(({ keys }) => keys);
const store = () => memoryStore(new Map(all.map((key) => [key, Buffer.from(key)])));

it('reads streams of any length in their order, whichever answer comes first, in batches that are full', async () => {
  const source = storeSource(store());
  const sizes: number[] = [];
  let turns = 0;
  const readMany: LedgerSource['readMany'] = async (keys) => {
    sizes.push(keys.length);
    // Every other batch is answered later than the one after it.
    for (let waits = turns++ % 2 === 0 ? 50 : 0; waits > 0; waits--) await Promise.resolve();
    return source.readMany(keys);
  };
  expect(await read({ ...source, readMany })).toEqual(all);
  expect(sizes.slice(0, -1).every((size) => size === limits.parallelReads)).toBe(true);
});

it('ends with the outage of a batch that was read ahead, once its turn comes', async () => {
  const source = storeSource(store());
  let batches = 0;
  const readMany: LedgerSource['readMany'] = (keys) =>
    batches++ === 3 ? Promise.reject(new Outage('store', 'store-unavailable', 'gone')) : source.readMany(keys);
  await expect(read({ ...source, readMany })).rejects.toThrow(Outage);
});
