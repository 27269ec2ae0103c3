import { describe, expect, it } from 'vitest';
import type { MemoryObjects } from '../../src/adapter/memory/receipt-store.ts';
import { limits } from '../../src/limits.ts';
import { keyAt } from '../../src/receipt/key-path.ts';
import { objectsOf, smallLedger } from '../tampering.fixture.ts';
import { bundledIn, flipped, keptInMemory, segmentKeysIn } from './segments.fixture.ts';

describe('segments that have become many', () => {
  /** A ledger of which each save was bundled by itself. */
  const grown = async (saves: number) => {
    const small = await smallLedger();
    const objects = objectsOf(small.ledger.receipts);
    await keptInMemory(objects);
    for (let page = 0; page < saves; page++) {
      for (const stream of [small.bookA, small.bookB]) {
        const saved = await small.ledger.save(stream, { page });
        objects.set(keyAt(stream, saved.position), saved.bytes);
      }
      await keptInMemory(objects);
    }
    return { small, objects, receipts: small.ledger.receipts.length };
  };

  it('are bundled anew when that is asked for, and superseded ones deleted', async () => {
    const { objects, receipts } = await grown(3);
    expect(segmentKeysIn(objects)).toHaveLength(8);
    expect(await keptInMemory(objects, { anew: true })).toMatchObject({ made: 1, receipts, anew: true, prunedSuperseded: 0 });
    expect(segmentKeysIn(objects)).toHaveLength(10);
    expect(await keptInMemory(objects, { prune: true })).toMatchObject({
      made: 0,
      anew: false,
      prunedSuperseded: 4,
      prunedBroken: 0,
    });
    expect(segmentKeysIn(objects)).toHaveLength(2);
    expect((await bundledIn(objects)).receipts.size).toBe(receipts);
  });

  it('are bundled anew by themselves when too many lie over one place', async () => {
    const { objects, receipts } = await grown(limits.segmentDepth);
    expect((await bundledIn(objects)).catalogue.depth).toBe(limits.segmentDepth + 1);
    expect(await keptInMemory(objects, { all: false })).toMatchObject({ made: 1, receipts, anew: true });
    expect((await bundledIn(objects)).catalogue.depth).toBe(1);
  });

  it.each<[string, (objects: MemoryObjects, key: { index: string; data: string }) => void]>([
    ['an index with a byte turned over', (objects, { index }) => objects.set(index, flipped(objects.get(index), 30))],
    ['receipts with a byte turned over', (objects, { data }) => objects.set(data, flipped(objects.get(data), 30))],
    ['receipts that are missing', (objects, { data }) => objects.delete(data)],
    ['an index under a key of no segment', (objects) => objects.set('segments/index/x.json', Buffer.from('{}'))],
  ])('are mended by pruning: %s', async (_, spoil) => {
    const { objects } = await grown(0);
    const before = new Map(objects);
    const [data = '', index = ''] = segmentKeysIn(objects);
    spoil(objects, { index, data });
    expect(await keptInMemory(objects, { prune: true })).toMatchObject({ prunedBroken: 1 });
    expect(objects).toEqual(before);
  });

  it('are not overwritten when somebody else’s object has the key', async () => {
    const { objects, small } = await grown(0);
    const [data = '', index = ''] = segmentKeysIn(objects);
    objects.delete(index);
    objects.set(data, Buffer.from('something else'));
    const report = await keptInMemory(objects);
    expect(report).toMatchObject({ made: 0, segments: { faults: [{ code: 'segment-invalid', key: data }] } });
    expect(objects.get(data)?.toString()).toBe('something else');
    expect(objects.has(index)).toBe(false);
    expect(small.ledger.receipts.length).toBe(14);
  });
});
