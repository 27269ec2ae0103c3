import { describe, expect, it } from 'vitest';
import { memoryStore } from '../../src/adapter/memory/receipt-store.ts';
import { limits } from '../../src/limits.ts';
import { systemClock } from '../../src/port/clock.ts';
import { derivedUlid } from '../../src/receipt/ids.ts';
import { readCatalogue } from './read-catalogue.ts';
import { addReceipt, emptyDraft, sealDraft } from './segment-draft.ts';
import type { SegmentFault } from './segment-fault.ts';
import { dataKeyOf } from './segment-key.ts';
import { openShelf } from './segment-shelf.ts';
import { writeSegment } from './write-segment.ts';

/** A store with segments of one receipt each, in the order of their streams, and which of them were read since. */
const shelfOf = async (count: number) => {
  const store = memoryStore();
  const prefixes = Array.from({ length: count }, (_, n) => `pixpax/accounts/acc_${derivedUlid('test', String(n))}`).sort();
  for (const prefix of prefixes) {
    const draft = emptyDraft();
    addReceipt(draft, prefix, 0, Buffer.from(prefix));
    await writeSegment(store, systemClock, sealDraft(draft));
  }
  const { catalogue } = await readCatalogue(store);
  const reads: number[] = [];
  const faults: SegmentFault[] = [];
  const counting = {
    ...store,
    read: (key: string) => {
      const n = catalogue.segments.findIndex(({ data }) => dataKeyOf(data) === key);
      if (n >= 0) reads.push(n);
      return store.read(key);
    },
  };
  const shelf = openShelf(counting, catalogue, (fault) => faults.push(fault));
  /** As a reader does who takes a receipt from it. */
  const use = async (n: number): Promise<boolean> => {
    const segment = shelf.held(n) ?? (await shelf.fetch(n));
    if (segment !== null) segment.untilSample = 1;
    return segment !== null;
  };
  return { store, catalogue, shelf, reads, faults, use };
};

describe('the shelf of segments', () => {
  it('reads each segment once while they are used in order, the next one ahead', async () => {
    const { use, reads, shelf } = await shelfOf(10);
    for (let n = 0; n < 10; n++) for (let times = 0; times < 3; times++) expect(await use(n)).toBe(true);
    expect(reads).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(shelf.held(9)).not.toBeNull();
  });

  it('lets go of what was read past, and reads it again for who comes back', async () => {
    const { use, reads, shelf } = await shelfOf(10);
    for (let n = 0; n < 10; n++) await use(n);
    const held = Array.from({ length: 10 }, (_, n) => n).filter((n) => shelf.held(n) !== null);
    expect(held).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9].slice(-limits.segmentsKept));
    expect(await use(0)).toBe(true);
    expect(reads.filter((n) => n === 0)).toHaveLength(2);
  });

  it('reads a segment once for many who ask at once', async () => {
    const { use, reads } = await shelfOf(1);
    expect(await Promise.all(Array.from({ length: 8 }, () => use(0)))).not.toContain(false);
    expect(reads).toEqual([0]);
  });

  it('tells once of one that cannot be used, and never asks for it again', async () => {
    const { use, reads, faults, store, catalogue } = await shelfOf(2);
    const key = dataKeyOf(catalogue.segments[0]?.data ?? '');
    await store.discard(key);
    for (let times = 0; times < 3; times++) expect(await use(0)).toBe(false);
    expect(faults).toEqual([expect.objectContaining({ code: 'segment-invalid', key })]);
    expect(reads.filter((n) => n === 0)).toHaveLength(1);
  });
});
