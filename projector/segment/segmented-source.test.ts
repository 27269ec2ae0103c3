import { beforeAll, describe, expect, it } from 'vitest';
import { type MemoryObjects, memoryStore } from '../../src/adapter/memory/receipt-store.ts';
import { limits } from '../../src/limits.ts';
import { Outage } from '../../src/port/outage.ts';
import type { ReceiptStore } from '../../src/port/receipt-store.ts';
import { type CodeId, derivedUlid } from '../../src/receipt/ids.ts';
import { keyAt, prefixOf } from '../../src/receipt/key-path.ts';
import { codeStream } from '../../src/receipt/stream.ts';
import type { LedgerSource } from '../source.ts';
import { storeSource } from '../store-source.ts';
import { type SmallLedger, objectsOf, setText, smallLedger } from '../tampering.fixture.ts';
import { verifyLedger } from '../verify.ts';
import { flipped, keptInMemory, segmentKeysIn, sourceWithSegments } from './segments.fixture.ts';

/** A store that remembers which events were read. */
const watched = (objects: MemoryObjects) => {
  const store = memoryStore(objects);
  const events: string[] = [];
  const read: ReceiptStore['read'] = (key) => {
    if (key.startsWith('pixpax/')) events.push(key);
    return store.read(key);
  };
  return { store: { ...store, read }, events };
};

const codeIdOf = (n: number) => `cod_${derivedUlid('test', String(n))}` as CodeId;

const listed = async (source: LedgerSource, prefix: string): Promise<string[]> => {
  const keys: string[] = [];
  for await (const page of source.pages({ prefix, keys: null })) keys.push(...page);
  return keys;
};

const verified = async (store: ReceiptStore, compare: 'samples' | 'all' = 'samples') =>
  verifyLedger({ source: await sourceWithSegments(store, { compare, random: () => 0 }), trust: null });

describe('a ledger read with its segments', () => {
  let small: SmallLedger;
  let bundled: MemoryObjects;
  beforeAll(async () => {
    small = await smallLedger();
    bundled = objectsOf(small.ledger.receipts);
    await keptInMemory(bundled);
  });
  const objects = (): MemoryObjects => new Map(bundled);
  const keysOfSegment = () => {
    const [data = '', index = ''] = segmentKeysIn(bundled);
    return { data, index };
  };

  it('hands out the exact bytes of the events, and reads few of these', async () => {
    const { store, events } = watched(objects());
    const source = await sourceWithSegments(store, { random: () => 0.9 });
    for (const stream of [small.bookA, small.bookB, small.a]) {
      const keys = await listed(source, prefixOf(stream));
      expect(keys).toEqual(small.ledger.receiptsOf(stream).map(({ position }) => keyAt(stream, position)));
      const read = await source.readMany(keys);
      expect(read.map((bytes) => Buffer.from(bytes ?? []))).toEqual(
        small.ledger.receiptsOf(stream).map(({ bytes }) => Buffer.from(bytes)),
      );
    }
    expect(events).toEqual([keyAt(small.bookA, 4)]);
    expect(source.takeSegmentUse?.()).toMatchObject({ read: 11, compared: 1, faults: [] });
    expect(source.takeSegmentUse?.()).toEqual({ read: 0, compared: 0, faults: [] });
  });

  it('reads at least one event of each segment, and about one in a thousand', async () => {
    const { store, events } = watched(objects());
    const source = await sourceWithSegments(store, { random: () => 0.5 });
    const keys = await listed(source, prefixOf(small.bookA));
    for (let n = 0; n < 2 * limits.segmentSampleReceipts; n += keys.length) await source.readMany(keys);
    expect(events).toHaveLength(2);
    expect(source.takeSegmentUse?.()).toMatchObject({ read: 2 * limits.segmentSampleReceipts, compared: 2 });
  });

  it('says what it says without them', async () => {
    const without = new Map([...bundled].filter(([key]) => !key.startsWith('segments/')));
    const { segments, ...report } = await verified(memoryStore(objects()));
    expect(report).toEqual(await verifyLedger({ source: storeSource(memoryStore(without)), trust: null }));
    expect(report).toMatchObject({ verdict: 'valid', receipts: 14 });
    expect(segments).toMatchObject({ read: 14, faults: [], faultCount: 0 });
  });

  it.each([
    ['in the middle', [2]],
    ['at the beginning', [0]],
    ['two of them', [1, 2]],
  ])('calls a receipt missing that only a segment has: %s', async (_, positions) => {
    const spoiled = objects();
    for (const position of positions) spoiled.delete(keyAt(small.bookA, position));
    expect(await verified(memoryStore(spoiled))).toMatchObject({
      verdict: 'incomplete',
      faults: [{ code: 'missing', key: keyAt(small.bookA, positions[0] ?? 0), lastPosition: positions.at(-1) }],
      segments: { faults: [] },
    });
  });

  it('answers no key that no listing has shown, for who asks for one asks whether it is there', async () => {
    const spoiled = objects();
    const key = keyAt(small.bookA, 4);
    spoiled.delete(key);
    const source = await sourceWithSegments(memoryStore(spoiled));
    expect(await source.readMany([key])).toEqual([null]);
    await listed(source, prefixOf(small.bookA));
    expect(await source.readMany([key])).toEqual([null]);
  });

  it('remembers what was shown of a stream while its segment is on its way', async () => {
    const store = memoryStore(objects());
    const { data } = keysOfSegment();
    const source: LedgerSource = await sourceWithSegments({
      ...store,
      read: async (key) => {
        // Another reader of the same thread lists more streams than are remembered.
        if (key === data)
          for (let n = 0; n <= limits.segmentShownStreams; n++) await listed(source, prefixOf(codeStream(codeIdOf(n))));
        return store.read(key);
      },
    });
    const keys = await listed(source, prefixOf(small.bookA));
    await source.readMany(keys);
    expect(source.takeSegmentUse?.()).toMatchObject({ read: keys.length });
  });

  it('reads from the events what was appended since', async () => {
    const grown = await smallLedger();
    const more = objectsOf(grown.ledger.receipts);
    await keptInMemory(more);
    const saved = await grown.ledger.save(grown.bookA, { page: 9 });
    more.set(keyAt(grown.bookA, saved.position), saved.bytes);
    expect(await verified(memoryStore(more))).toMatchObject({ verdict: 'valid', receipts: 15, segments: { read: 14 } });
  });

  it('hands out somebody else’s object among the receipts as it is', async () => {
    const spoiled = objects();
    const [name = ''] = keyAt(small.bookB, 1).split('/').slice(-1);
    const stray = `${prefixOf(small.bookA)}/events/${name}`;
    spoiled.set(stray, Buffer.from('stray'));
    const source = await sourceWithSegments(memoryStore(spoiled));
    await listed(source, prefixOf(small.bookA));
    expect((await source.readMany([stray])).map((bytes) => Buffer.from(bytes ?? []).toString())).toEqual(['stray']);
    expect(source.takeSegmentUse?.().faults).toEqual([]);
  });

  it.each<[string, (spoiled: MemoryObjects, keys: { data: string; index: string }) => string]>([
    [
      'receipts with a byte turned over',
      (spoiled, { data }) => {
        spoiled.set(data, flipped(spoiled.get(data), 100));
        return data;
      },
    ],
    [
      'receipts cut off',
      (spoiled, { data }) => {
        spoiled.set(data, (spoiled.get(data) ?? new Uint8Array()).subarray(0, 100));
        return data;
      },
    ],
    [
      'receipts that are missing',
      (spoiled, { data }) => {
        spoiled.delete(data);
        return data;
      },
    ],
    [
      'an index with a byte turned over',
      (spoiled, { index }) => {
        spoiled.set(index, flipped(spoiled.get(index), 100));
        return index;
      },
    ],
  ])('reads the events where a segment has %s, and names it', async (_, spoil) => {
    const spoiled = objects();
    const key = spoil(spoiled, keysOfSegment());
    const report = await verified(memoryStore(spoiled));
    expect(report).toMatchObject({ verdict: 'invalid', receipts: 14, faults: [], segments: { read: 0, faultCount: 1 } });
    expect(report.segments?.faults).toEqual([expect.objectContaining({ code: 'segment-invalid', key })]);
  });

  it('goes on with the events when a segment is pruned under it, and finds nothing wrong with that', async () => {
    const pruned = objects();
    const store = memoryStore(pruned);
    const source = await sourceWithSegments(store);
    for (const key of segmentKeysIn(pruned)) await store.discard(key);
    expect(await verifyLedger({ source, trust: null })).toMatchObject({
      verdict: 'valid',
      receipts: 14,
      segments: { read: 0, faults: [] },
    });
  });

  it('goes on when it is pruned between index and receipts', async () => {
    const pruned = objects();
    const { data, index } = keysOfSegment();
    const store = memoryStore(pruned);
    const read: ReceiptStore['read'] = (key) => {
      if (key === data) for (const gone of [data, index]) pruned.delete(gone);
      return store.read(key);
    };
    expect(await verified({ ...store, read })).toMatchObject({ verdict: 'valid', receipts: 14, segments: { faults: [] } });
  });

  it('takes an object that the store refuses for no segment', async () => {
    const store = memoryStore(objects());
    const { data } = keysOfSegment();
    const read: ReceiptStore['read'] = (key) =>
      key === data ? Promise.reject(new Outage('store', 'store-refused', 'too large')) : store.read(key);
    expect(await verified({ ...store, read })).toMatchObject({ receipts: 14, segments: { faults: [{ key: data }] } });
  });

  it('ends with an outage when the store fails while a segment is read', async () => {
    const store = memoryStore(objects());
    const { data } = keysOfSegment();
    const read: ReceiptStore['read'] = (key) =>
      key === data ? Promise.reject(new Outage('store', 'store-unavailable', 'gone')) : store.read(key);
    await expect(verified({ ...store, read })).rejects.toThrow(Outage);
  });

  it('names event and segment when a sample differs, and believes the event', async () => {
    const spoiled = objects();
    const key = keyAt(small.bookA, 0);
    const other = await smallLedger();
    // Another true ledger's receipt: the segment is whole and well formed, and not of this one.
    setText(spoiled, small.bookA, 0, Buffer.from(other.ledger.receiptsOf(other.bookA)[0]?.bytes ?? []).toString());
    const source = await sourceWithSegments(memoryStore(spoiled), { random: () => 0 });
    await listed(source, prefixOf(small.bookA));
    const [bytes] = await source.readMany([key]);
    expect(Buffer.from(bytes ?? [])).toEqual(Buffer.from(spoiled.get(key) ?? []));
    expect(source.takeSegmentUse?.().faults).toEqual([
      expect.objectContaining({ code: 'segment-different', key: keysOfSegment().data, event: key }),
    ]);
  });

  it('compares every byte of every event when that is asked for', async () => {
    for (const { receipt, position, bytes } of small.ledger.receipts) {
      const spoiled = objects();
      const key = keyAt(receipt.stream, position);
      spoiled.set(key, flipped(bytes, Math.floor(bytes.length / 2)));
      const report = await verified(memoryStore(spoiled), 'all');
      expect(report.verdict).toBe('invalid');
      expect(report.faults.map((fault) => fault.key)).toContain(key);
      expect(report.segments?.faults).toContainEqual(expect.objectContaining({ code: 'segment-different', event: key }));
    }
    expect(await verified(memoryStore(objects()), 'all')).toMatchObject({
      verdict: 'valid',
      segments: { read: 14, compared: 14 },
    });
  });
});
