import { readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { memoryStore } from '../../src/adapter/memory/receipt-store.ts';
import { Outage } from '../../src/port/outage.ts';
import { keyAt } from '../../src/receipt/key-path.ts';
import { readReceipt } from '../../src/receipt/read.ts';
import { granted } from '../../test/ledger-fixture.ts';
import { openSource } from '../open-source.ts';
import type { Found, LedgerSource } from '../source.ts';
import { storeSource } from '../store-source.ts';
import { type SmallLedger, asDirectory, objectsOf, resigned, smallLedger } from '../tampering.fixture.ts';
import { namesOf, verifierKey } from './recorded-ledger.fixture.ts';
import { verifyRecorded } from './verify-recorded.ts';

const key = verifierKey();
const nothing = { unchanged: 0, grown: 0, again: 0, fresh: 0 };

/** A ledger in a directory, and the records of its verification. */
const ledgerInFiles = async (small: SmallLedger) => {
  const directory = asDirectory(objectsOf(small.ledger.receipts));
  const records = memoryStore();
  const location = { kind: 'file', directory: directory.path } as const;
  return {
    path: (object: string) => join(directory.path, object),
    run: async (threads: number) => {
      const source = await openSource({ location, credentials: null, durable: false });
      try {
        return granted(await verifyRecorded({ source, trust: null, threads }, { store: records, key, anew: false }));
      } finally {
        await source.close();
      }
    },
    [Symbol.dispose]: () => directory[Symbol.dispose](),
  };
};

describe('verify with a record, of a directory', () => {
  let small: SmallLedger;
  beforeAll(async () => {
    small = await smallLedger();
    vi.useFakeTimers({ toFake: ['Date'] });
  });
  afterAll(() => vi.useRealTimers());
  /** An hour later all files have come to rest, whatever was done to them before. */
  const rest = (): void => void vi.setSystemTime(Date.now() + 3_600_000);

  it('knows streams that have not changed by the tags of their files', async () => {
    using files = await ledgerInFiles(small);
    rest();
    await files.run(0);
    const { report, record } = await files.run(0);
    expect(report).toMatchObject({ verdict: 'valid', receipts: 14 });
    expect(record).toMatchObject({ streams: { ...nothing, unchanged: 5 }, signatures: 6 });
  });

  it('looks again at files that were touched, and raises no alarm', async () => {
    using files = await ledgerInFiles(small);
    rest();
    await files.run(0);
    utimesSync(files.path(keyAt(small.bookA, 1)), new Date(), new Date());
    rest();
    const touched = await files.run(0);
    expect(touched.report).toMatchObject({ verdict: 'valid', faults: [] });
    expect(touched.record.streams).toEqual({ ...nothing, unchanged: 4, again: 1 });
    expect((await files.run(0)).record.streams).toEqual({ ...nothing, unchanged: 5 });
  });

  it('tells of an old receipt that was changed with its size and time kept', async () => {
    using files = await ledgerInFiles(small);
    const path = files.path(keyAt(small.bookB, 1));
    const wholeSecond = new Date('2026-01-01T00:00:00Z');
    utimesSync(path, wholeSecond, wholeSecond);
    rest();
    await files.run(0);
    const before = statSync(path);
    writeFileSync(path, readFileSync(path, 'utf8').replace('"page":1', '"page":9'));
    utimesSync(path, wholeSecond, wholeSecond);
    expect(statSync(path)).toMatchObject({ size: before.size, mtimeMs: before.mtimeMs });
    rest();
    expect(namesOf((await files.run(0)).report.faults)).toEqual([{ code: 'hash-mismatch', key: keyAt(small.bookB, 1) }]);
  });

  it('takes nothing as unchanged that was written a moment before it was verified', async () => {
    using files = await ledgerInFiles(small);
    vi.setSystemTime(statSync(files.path(keyAt(small.bookB, 2))).ctimeMs);
    await files.run(0);
    rest();
    expect((await files.run(0)).record.streams).toMatchObject({ unchanged: 0, again: 5 });
    expect((await files.run(0)).record.streams).toMatchObject({ unchanged: 5, again: 0 });
  });
});

describe('verify with a record, by several threads', () => {
  it('comes to the same, and tells what is gone', async () => {
    const small = await smallLedger();
    using files = await ledgerInFiles(small);
    expect(await files.run(2)).toMatchObject({ report: { verdict: 'valid', receipts: 14 }, record: { streams: { fresh: 5 } } });
    expect(await files.run(2)).toMatchObject({ report: { verdict: 'valid', receipts: 14 }, record: { streams: { fresh: 0 } } });
  });
});

describe('verify with a record, of a store that cannot be believed', () => {
  const begin = async (weaken: (source: LedgerSource) => LedgerSource) => {
    const small = await smallLedger();
    const objects = objectsOf(small.ledger.receipts);
    const records = memoryStore();
    const source = weaken(storeSource(memoryStore(objects)));
    const attempt = () => verifyRecorded({ source, trust: null }, { store: records, key, anew: false });
    return { small, objects, attempt };
  };

  it('finds by the chain what tags hide, as soon as the stream has grown', async () => {
    const hiding = (source: LedgerSource): LedgerSource => ({
      ...source,
      find: (below) => source.find(below),
      survey: async function* (listing) {
        for await (const page of source.pages(listing)) yield page.map((one) => ({ key: one, tag: 'the same' }));
      },
    });
    const { small, objects, attempt } = await begin(hiding);
    await attempt();
    const { ledger, bookB, bert } = small;
    // The end of the stream, made anew by whoever has the key, and true in itself.
    const { receipt } = ledger.receiptsOf(bookB)[2] ?? (await ledger.save(bookB, {}));
    const by = { identityId: bert, generation: 1 };
    const forked = await resigned(receipt, { idempotencyKey: 'another' as never }, by);
    objects.set(keyAt(bookB, 2), forked);
    expect(granted(await attempt()).record.streams).toMatchObject({ unchanged: 5 });
    const next = await ledger.save(bookB, { page: 3 });
    const { hash: prevHash } = granted(readReceipt(forked, keyAt(bookB, 2))).receipt;
    objects.set(keyAt(bookB, 3), await resigned(next.receipt, { prevHash }, by));
    const { report } = granted(await attempt());
    expect(namesOf(report.faults)).toEqual([{ code: 'verified-receipt-changed', key: keyAt(bookB, 2) }]);
  });

  it('is an outage when streams are listed out of order', async () => {
    const { attempt } = await begin((source) => ({
      ...source,
      find: async function* (below, after, tagged) {
        const all: Found[] = [];
        for await (const found of source.find(below, after, tagged)) all.push(found);
        yield* all.toReversed();
      },
    }));
    await expect(attempt()).rejects.toThrow(Outage);
  });
});
