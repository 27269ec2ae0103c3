import { type MemoryObjects, memoryStore } from '../../src/adapter/memory/receipt-store.ts';
import { systemClock } from '../../src/port/clock.ts';
import type { ReceiptStore } from '../../src/port/receipt-store.ts';
import type { LedgerSource } from '../source.ts';
import { storeSource } from '../store-source.ts';
import { type KeepOptions, keepSegments } from './keep-segments.ts';
import { readCatalogue } from './read-catalogue.ts';
import { readSegment } from './read-segment.ts';
import { type SegmentsOfSource, segmentedSource } from './segmented-source.ts';
import { receiptsOf } from './unpacked-segment.ts';

/** A store's ledger, read with its segments. */
export const sourceWithSegments = async (
  store: ReceiptStore,
  choices: Partial<Pick<SegmentsOfSource, 'compare' | 'random'>> = {},
): Promise<LedgerSource> =>
  segmentedSource(storeSource(store), { store, ...(await readCatalogue(store)), compare: 'samples', ...choices });

/** Keeps the segments of a store as the verb does, of all receipts however young and few. */
export const keptIn = async (store: ReceiptStore, choices: Partial<KeepOptions> = {}) =>
  keepSegments({
    source: await sourceWithSegments(store),
    store,
    clock: systemClock,
    settledBeforeMs: Number.MAX_SAFE_INTEGER,
    shard: { number: 1, of: 1 },
    all: true,
    anew: false,
    prune: false,
    ...choices,
  });

export const keptInMemory = (objects: MemoryObjects, choices: Partial<KeepOptions> = {}) => keptIn(memoryStore(objects), choices);

/** Every receipt that segments in memory have, by prefix and position. */
export const bundledIn = async (objects: MemoryObjects) => {
  const store = memoryStore(objects);
  const { catalogue, faults } = await readCatalogue(store);
  if (faults.length > 0) throw new Error('an index that cannot be read');
  const receipts = new Map<string, Uint8Array>();
  for (const { name } of catalogue.segments) {
    const segment = await readSegment(store, name);
    if (!segment?.ok) throw new Error('a segment that cannot be read');
    for (const { prefix, position, bytes } of receiptsOf(segment.value.index, segment.value.unpacked))
      receipts.set(`${prefix} ${position}`, bytes);
  }
  return { catalogue, receipts };
};

/** The keys of all segments in memory. */
export const segmentKeysIn = (objects: MemoryObjects): readonly string[] =>
  [...objects.keys()].filter((key) => key.startsWith('segments/')).sort();

/** The bytes with one bit of one of them turned over. */
export const flipped = (bytes: Uint8Array | undefined, at: number): Uint8Array => {
  const copy = Uint8Array.from(bytes ?? []);
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
};
