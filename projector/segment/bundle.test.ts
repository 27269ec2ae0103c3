import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { makeLedger } from '../../scripts/bench/made-ledger.ts';
import { openFileStore } from '../../src/adapter/file/receipt-store.ts';
import { type MemoryObjects, memoryStore } from '../../src/adapter/memory/receipt-store.ts';
import { limits } from '../../src/limits.ts';
import { Outage } from '../../src/port/outage.ts';
import { epochMsOf } from '../../src/receipt/ids.ts';
import { keyAt, prefixOf } from '../../src/receipt/key-path.ts';
import { type SmallLedger, objectsOf, setText, smallLedger } from '../tampering.fixture.ts';
import { verifyLedger } from '../verify.ts';
import { readCatalogue } from './read-catalogue.ts';
import { bundledIn, keptIn, keptInMemory, segmentKeysIn, sourceWithSegments } from './segments.fixture.ts';

describe('bundling', () => {
  let small: SmallLedger;
  beforeAll(async () => {
    small = await smallLedger();
  });
  const events = (): MemoryObjects => objectsOf(small.ledger.receipts);

  it('puts the exact bytes of every receipt into a segment', async () => {
    const objects = events();
    expect(await keptInMemory(objects)).toMatchObject({ made: 1, there: 0, receipts: 14, left: 0, faults: [] });
    const { receipts } = await bundledIn(objects);
    for (const { receipt, position, bytes } of small.ledger.receipts)
      expect(Buffer.from(receipts.get(`${prefixOf(receipt.stream)} ${position}`) ?? []).equals(bytes)).toBe(true);
    expect(receipts.size).toBe(14);
  });

  it('has nothing to do where all is bundled', async () => {
    const objects = events();
    await keptInMemory(objects);
    const before = segmentKeysIn(objects);
    expect(await keptInMemory(objects)).toMatchObject({ made: 0, there: 0, receipts: 0 });
    expect(segmentKeysIn(objects)).toEqual(before);
  });

  it('leaves what is too little for another run, unless all is asked for', async () => {
    const objects = events();
    expect(await keptInMemory(objects, { all: false })).toMatchObject({ made: 0, receipts: 0, left: 14 });
    expect(segmentKeysIn(objects)).toEqual([]);
  });

  it('takes only what has settled, and the rest when that has', async () => {
    const objects = events();
    const young = small.ledger.receiptsOf(small.bookA)[2];
    if (young === undefined) throw new Error('no such receipt');
    await keptInMemory(objects, { settledBeforeMs: epochMsOf(young.receipt.createdAt) });
    const first = await bundledIn(objects);
    expect(first.catalogue.coveredTo(prefixOf(small.bookA))).toBe(2);
    await keptInMemory(objects);
    const second = await bundledIn(objects);
    expect(second.catalogue.coveredTo(prefixOf(small.bookA))).toBe(5);
    expect([first.receipts.size < 14, second.receipts.size]).toEqual([true, 14]);
  });

  it('adds what was appended since', async () => {
    const grown = await smallLedger();
    const objects = objectsOf(grown.ledger.receipts);
    await keptInMemory(objects);
    const saved = await grown.ledger.save(grown.bookB, { page: 9 });
    objects.set(keyAt(grown.bookB, saved.position), saved.bytes);
    expect(await keptInMemory(objects)).toMatchObject({ made: 1, receipts: 1 });
    const { receipts, catalogue } = await bundledIn(objects);
    expect(Buffer.from(receipts.get(`${prefixOf(grown.bookB)} ${saved.position}`) ?? []).equals(saved.bytes)).toBe(true);
    expect(catalogue.segments.length).toBe(2);
  });

  it('ends with the same objects however many do it at once, in memory', async () => {
    const alone = events();
    await keptInMemory(alone);
    const together = events();
    const reports = await Promise.all(Array.from({ length: 4 }, () => keptInMemory(together)));
    expect(segmentKeysIn(together)).toEqual(segmentKeysIn(alone));
    expect(reports.reduce((sum, { made }) => sum + made, 0)).toBe(1);
  });

  it('splits a long stream, and ends with the same files however many do it at once', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'pixpax segments '));
    try {
      makeLedger(directory, { accounts: 1, booksPerAccount: 1, savesPerBook: limits.segmentReceipts + 300 });
      const stores = await Promise.all([openFileStore(directory), openFileStore(directory)]);
      const reports = await Promise.all(stores.map((store) => keptIn(store)));
      expect(reports.reduce((sum, { made }) => sum + made, 0)).toBe(2);
      const [store] = stores;
      if (store === undefined) throw new Error('no store');
      const { catalogue } = await readCatalogue(store);
      expect(catalogue.segments.map(({ receipts }) => receipts)).toEqual([limits.segmentReceipts, 304]);
      expect(catalogue.depth).toBe(1);
      const listed = await store.list({ prefix: 'segments/', limit: 10 });
      expect(listed).toHaveLength(4);
      const source = await sourceWithSegments(store);
      const receipts = limits.segmentReceipts + 304;
      expect(await verifyLedger({ source, trust: null })).toMatchObject({ verdict: 'valid', receipts, segments: { faults: [] } });
      await Promise.all(stores.map((each) => each.close()));
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it('finishes what a crash between receipts and index left, and needs no help of anybody', async () => {
    const whole = events();
    await keptInMemory(whole);
    const objects = events();
    const store = memoryStore(objects);
    const dying = {
      ...store,
      create: (key: string, bytes: Uint8Array) =>
        key.startsWith('segments/index/')
          ? Promise.reject(new Outage('store', 'store-unavailable', 'gone'))
          : store.create(key, bytes),
    };
    await expect(keptIn(dying)).rejects.toThrow(Outage);
    expect(segmentKeysIn(objects)).toEqual([expect.stringMatching(/^segments\/data\//)]);
    expect(await keptIn(store)).toMatchObject({ made: 1, receipts: 14 });
    expect(segmentKeysIn(objects)).toEqual(segmentKeysIn(whole));
  });

  it('tries again while the store is busy, and gives up with an outage', async () => {
    const store = memoryStore(events());
    let refusals = 0;
    const busy = (until: number) => ({
      ...store,
      create: async (key: string, bytes: Uint8Array) => (refusals++ < until ? ('busy' as const) : store.create(key, bytes)),
    });
    await expect(keptIn(busy(Number.POSITIVE_INFINITY))).rejects.toThrow(Outage);
    refusals = 0;
    expect(await keptIn(busy(1))).toMatchObject({ made: 1 });
  });

  it.each<[string, (objects: MemoryObjects) => void, string]>([
    ['what is no receipt', (objects) => setText(objects, small.bookA, 2, '{"poison":1}'), 'members'],
    ['another position’s receipt', (objects) => move(objects, 1, 2), 'key-mismatch'],
    ['a receipt that is missing', (objects) => void objects.delete(keyAt(small.bookA, 2)), 'missing'],
  ])('ends a stream at %s and tells of it, and bundles the others whole', async (_, spoil, code) => {
    const objects = events();
    spoil(objects);
    const report = await keptInMemory(objects);
    expect(report.faults).toEqual([expect.objectContaining({ code, key: keyAt(small.bookA, 2) })]);
    const { catalogue } = await bundledIn(objects);
    expect([small.bookA, small.bookB].map((stream) => catalogue.coveredTo(prefixOf(stream)))).toEqual([2, 3]);
  });
  const move = (objects: MemoryObjects, from: number, to: number): void =>
    void objects.set(keyAt(small.bookA, to), objects.get(keyAt(small.bookA, from)) ?? new Uint8Array());

  it('tells of objects that belong to no stream, and goes on', async () => {
    const objects = events();
    const stray = `${prefixOf(small.bookA)}/events/odd.json`;
    objects.set(stray, Buffer.from('x'));
    objects.set('pixpax/odd', Buffer.from('x'));
    const { faults, receipts } = await keptInMemory(objects);
    expect(faults.map(({ code, key }) => `${code} ${key}`).sort()).toEqual(
      [`unexpected-object ${stray}`, 'unexpected-object pixpax/odd'].sort(),
    );
    expect(receipts).toBe(14);
  });

  it('divides the streams among workers', async () => {
    const objects = events();
    const parts = [1, 2, 3];
    const reports = [];
    for (const number of parts) reports.push(await keptInMemory(objects, { shard: { number, of: parts.length } }));
    expect(reports.reduce((sum, { receipts }) => sum + receipts, 0)).toBe(14);
    expect((await bundledIn(objects)).receipts.size).toBe(14);
    expect(await keptInMemory(objects)).toMatchObject({ receipts: 0 });
  });
});

it('stops bundling with an outage when the ledger cannot be read any more', async () => {
  const { ledger } = await smallLedger();
  const store = memoryStore(objectsOf(ledger.receipts));
  const failing = { ...store, read: () => Promise.reject(new Outage('store', 'store-unavailable', 'gone')) };
  await expect(keptIn(failing)).rejects.toThrow(Outage);
});
