import { zstdCompressSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { faultPlan, withFaults } from '../../src/adapter/memory/faults.ts';
import { type MemoryObjects, memoryStore } from '../../src/adapter/memory/receipt-store.ts';
import { limits } from '../../src/limits.ts';
import { Outage } from '../../src/port/outage.ts';
import { publicKeyIdOf, receiptHashOf } from '../../src/receipt/hash.ts';
import { type CodeId, instantOf } from '../../src/receipt/ids.ts';
import { keyAt, prefixOf } from '../../src/receipt/key-path.ts';
import { granted } from '../../test/ledger-fixture.ts';
import { type SmallLedger, smallLedger } from '../tampering.fixture.ts';
import { chunkKey, openChunk, sealChunk } from './chunk.ts';
import { type Statement, VERIFIER_VERSION, fingerprintOf, parseManifest, sealManifest } from './manifest.ts';
import { type RecordFault, openNewest } from './open-record.ts';
import { type RecordedLedger, recordedLedger, verifierKey } from './recorded-ledger.fixture.ts';
import { type VerifiedStream, lineOf } from './verified-stream.ts';
import { writeRecord } from './write-record.ts';

const nothing = { unchanged: 0, grown: 0, again: 0, fresh: 0 };

const begin = async () => {
  const small = await smallLedger();
  const world = recordedLedger(small);
  const first = await world.run();
  return { small, world, first };
};

const newest = ({ manifests }: RecordedLedger): string => manifests().at(-1) ?? '';
const theChunk = ({ chunks }: RecordedLedger): string => chunks()[0] ?? '';
const statementIn = (world: RecordedLedger): Statement =>
  granted(parseManifest(world.records.get(newest(world)) ?? new Uint8Array())).statement;

/** The newest manifest says something else, and is signed. */
const restated = (world: RecordedLedger, changes: Partial<Statement>, key = world.key): void =>
  void world.records.set(newest(world), sealManifest({ ...statementIn(world), ...changes }, key));

/** The record's one chunk holds something else, and the manifest names it. */
const rechunked = (world: RecordedLedger, bytes: Uint8Array, sha256: string, streams = 5): void => {
  world.records.set(chunkKey(sha256), bytes);
  restated(world, { chunks: [{ sha256, streams }], streams });
};

const linesIn = (world: RecordedLedger): string[] => {
  const [chunk] = statementIn(world).chunks;
  const entries = openChunk(world.records.get(theChunk(world)) ?? new Uint8Array(), chunk?.sha256 ?? '') ?? [];
  return entries.map(lineOf);
};

const sealed = (world: RecordedLedger, lines: readonly string[]): void => {
  const { bytes, sha256 } = sealChunk(lines);
  rechunked(world, bytes, sha256, lines.length);
};

const flipped = (world: RecordedLedger, key: string, at: number): void => {
  const bytes = Buffer.from(world.records.get(key) ?? []);
  const place = at < 0 ? bytes.length + at : at;
  bytes[place] = (bytes[place] ?? 0) ^ 1;
  world.records.set(key, bytes);
};

type Tampering = readonly [what: string, code: RecordFault['code'], tamper: (world: RecordedLedger) => void];

const tamperings: readonly Tampering[] = [
  ['a manifest that is no JSON', 'record-invalid', (world) => void world.records.set(newest(world), Buffer.from('{'))],
  ['an empty manifest', 'record-invalid', (world) => void world.records.set(newest(world), new Uint8Array())],
  ['a manifest with one digit changed', 'record-invalid', (world) => flipped(world, newest(world), 60)],
  ['a manifest with its signature changed', 'record-invalid', (world) => flipped(world, newest(world), -20)],
  [
    'a manifest in another spelling',
    'record-invalid',
    (world) =>
      void world.records.set(
        newest(world),
        Buffer.concat([world.records.get(newest(world)) ?? Buffer.alloc(0), Buffer.from('\n')]),
      ),
  ],
  ['a manifest with one more member', 'record-invalid', (world) => restated(world, { note: 'hello' } as Partial<Statement>)],
  ['a record that somebody else signed', 'record-key-other', (world) => restated(world, {}, verifierKey())],
  ['a chunk that is missing', 'record-invalid', (world) => void world.records.delete(theChunk(world))],
  ['a chunk with a bit changed', 'record-invalid', (world) => flipped(world, theChunk(world), -1)],
  ['a chunk in place of another', 'record-invalid', (world) => void world.records.set(theChunk(world), sealChunk([]).bytes)],
  [
    'a chunk that says something else of as many streams',
    'record-invalid',
    (world) => {
      const lines = linesIn(world).map((line) => line.replace(/",\d+,"/, '",0,"'));
      world.records.set(theChunk(world), sealChunk(lines).bytes);
    },
  ],
  ['a manifest with a chunk less', 'record-invalid', (world) => restated(world, { chunks: [] })],
  [
    'a chunk that unfolds to no entries',
    'record-invalid',
    (world) => {
      const bytes = zstdCompressSync('["hello"]');
      rechunked(world, bytes, sealChunk([]).sha256);
    },
  ],
  [
    'a chunk with a stream twice',
    'record-invalid',
    (world) =>
      sealed(
        world,
        linesIn(world).flatMap((line) => [line, line]),
      ),
  ],
  ['a chunk in another order', 'record-invalid', (world) => sealed(world, linesIn(world).toReversed())],
  [
    'a chunk with a position that none can have',
    'record-invalid',
    (world) =>
      sealed(
        world,
        linesIn(world).map((line) => line.replace(/",\d+,"/, '",-1,"')),
      ),
  ],
];

describe('a verification record', () => {
  it.each(tamperings)('that is %s is refused with %s, and verifies nothing', async (_, code, tamper) => {
    const { world } = await begin();
    tamper(world);
    const before = [...world.records.keys()];
    expect(await world.attempt()).toMatchObject({ ok: false, error: { code } });
    expect([world.reads, [...world.records.keys()]]).toEqual([[], before]);
  });

  it('is refused where another ledger is pinned than it is of', async () => {
    const { small, world } = await begin();
    const trust = publicKeyIdOf(Buffer.from('another'));
    expect(await world.attempt({ trust })).toMatchObject({ ok: false, error: { code: 'record-of-another-ledger' } });
    expect(await world.attempt({ trust: small.ledger.trust })).toMatchObject({ ok: true });
  });

  it('is passed over when a new one is asked for, whatever is wrong with it, and the new one counts', async () => {
    const { world } = await begin();
    flipped(world, newest(world), 60);
    const { record } = await world.run({ anew: true });
    expect(record).toMatchObject({ from: null, streams: { ...nothing, fresh: 5 } });
    expect(await world.run()).toMatchObject({ record: { from: { name: record.written }, streams: { unchanged: 5 } } });
  });

  it('that was rolled back to an older one costs time and hides nothing that the older one knew', async () => {
    const { small, world, first } = await begin();
    await small.ledger.save(small.bookA, { page: 8 });
    world.grow();
    await world.run();
    world.records.delete(newest(world));
    const { report, record } = await world.run();
    expect(report.verdict).toBe('valid');
    expect(record).toMatchObject({ from: { name: first.record.written }, streams: { ...nothing, unchanged: 4, grown: 1 } });
  });

  it('of another version of the verifier is not relied on, but what it saw must still be there', async () => {
    const { small, world } = await begin();
    restated(world, { verifier: VERIFIER_VERSION + 1 });
    const { report, record } = await world.run();
    expect(report.verdict).toBe('valid');
    expect(record).toMatchObject({ from: { relied: false }, streams: { ...nothing, unchanged: 3, again: 2 }, signatures: 14 });
    restated(world, { verifier: VERIFIER_VERSION + 1 });
    world.objects.delete(keyAt(small.bookA, 4));
    expect(await world.run()).toMatchObject({
      report: { faults: [{ code: 'verified-receipt-gone' }] },
      record: { written: null },
    });
  });

  it('names the one before it and the key it is signed with', async () => {
    const { world } = await begin();
    const before = granted(parseManifest(world.records.get(newest(world)) ?? new Uint8Array()));
    await world.run();
    expect(statementIn(world)).toMatchObject({ previous: before.sha256, verifier: VERIFIER_VERSION, streams: 5, receipts: 14 });
    expect(before).toMatchObject({ statement: { previous: null }, signedBy: fingerprintOf(world.key) });
  });

  it('is written by two at once, and one of them counts', async () => {
    const { small, world } = await begin();
    await small.ledger.save(small.bookB, { page: 8 });
    world.grow();
    const nowMs = small.ledger.nowMs() + 3_600_000;
    const both = await Promise.all([world.run({ nowMs }), world.run({ nowMs })]);
    expect(both.map(({ report }) => report.verdict)).toEqual(['valid', 'valid']);
    expect(world.manifests()).toHaveLength(3);
    expect(await world.run()).toMatchObject({ record: { from: { relied: true }, streams: { ...nothing, unchanged: 5 } } });
  });

  it('is newer than the last one when the clock has been set back', async () => {
    const { world } = await begin();
    const future = 'verifications/7ZZZZZZZZY0000000000000000.json';
    world.records.set(future, world.records.get(newest(world)) ?? new Uint8Array());
    expect((await world.run()).record.from?.name).toBe('7ZZZZZZZZY0000000000000000');
    expect(newest(world) > future).toBe(true);
  });
});

describe('what can happen while a record is written', () => {
  const grown = async (): Promise<{ readonly small: SmallLedger; readonly world: RecordedLedger }> => {
    const { small, world } = await begin();
    await small.ledger.save(small.bookA, { page: 8 });
    world.grow();
    return { small, world };
  };

  it.each([
    ['before its chunk', 0, 'death', 1],
    ['right after its chunk', 0, 'death-but-applied', 1],
    ['before its manifest', 1, 'death', 1],
    ['right after its manifest', 1, 'death-but-applied', 2],
  ] as const)('a death %s leaves a record that counts, the older or the newer', async (_, nth, kind, manifests) => {
    const { world } = await grown();
    const plan = faultPlan({ method: 'create', nth, kind });
    void world.attempt({}, withFaults(memoryStore(world.records), plan, 'store'));
    await plan.firstStrike;
    expect(world.manifests()).toHaveLength(manifests);
    const { report, record } = await world.run();
    expect(report).toMatchObject({ verdict: 'valid', receipts: 15 });
    expect(record.streams).toEqual(manifests === 1 ? { ...nothing, unchanged: 4, grown: 1 } : { ...nothing, unchanged: 5 });
  });

  it.each(['error', 'error-but-applied'] as const)('an %s is an outage, and the next run is right', async (kind) => {
    const { world } = await grown();
    for (const nth of [0, 1]) {
      const plan = faultPlan({ method: 'create', nth, kind });
      await expect(world.attempt({}, withFaults(memoryStore(world.records), plan, 'store'))).rejects.toThrow(Outage);
      expect(plan.struck).toHaveLength(1);
    }
    expect((await world.run()).report).toMatchObject({ verdict: 'valid', receipts: 15 });
  });

  it('a create that is made twice changes nothing', async () => {
    const { world } = await grown();
    const plan = faultPlan({ method: 'create', nth: 0, kind: 'duplicate' }, { method: 'create', nth: 1, kind: 'duplicate' });
    expect(await world.attempt({}, withFaults(memoryStore(world.records), plan, 'store'))).toMatchObject({ ok: true });
    expect((await world.run()).record.streams).toEqual({ ...nothing, unchanged: 5 });
  });
});

describe('a record of many streams', () => {
  const many = limits.recordChunkStreams * 2 + 5;
  const entryOf = (n: number): VerifiedStream => ({
    prefix: prefixOf({ type: 'code', codeId: `cod_${n.toString().padStart(26, '0')}` as CodeId }),
    position: n % 3,
    hash: receiptHashOf(Buffer.from(String(n))),
    tags: null,
    draws: null,
  });
  const written = async () => {
    const records: MemoryObjects = new Map();
    const store = memoryStore(records);
    const key = verifierKey();
    const lines = Array.from({ length: many }, (_, n) => lineOf(entryOf(many - 1 - n)));
    const fingerprint = fingerprintOf(key);
    const told = { verifier: 1, fingerprint, source: 'memory', startedAt: instantOf(0), receipts: 0, previous: null };
    await writeRecord(store, { ...told, lines, key });
    return { records, key, open: () => openNewest(store, { signedBy: fingerprint, trust: null }) };
  };

  it('is in chunks of a few thousand, which are read one at a time and in order', async () => {
    const { records, open } = await written();
    expect([...records.keys()].filter((key) => key.endsWith('.zst'))).toHaveLength(3);
    const opened = granted(await open());
    const entries: VerifiedStream[] = [];
    for await (const entry of opened?.entries() ?? []) entries.push(entry);
    expect(entries).toEqual(Array.from({ length: many }, (_, n) => entryOf(n)));
  });

  it('is refused when its chunks are in another order', async () => {
    const { records, open, key } = await written();
    const name = [...records.keys()].find((one) => one.endsWith('.json')) ?? '';
    const { statement } = granted(parseManifest(records.get(name) ?? new Uint8Array()));
    records.set(name, sealManifest({ ...statement, chunks: statement.chunks.toReversed() }, key));
    expect(await open()).toMatchObject({ ok: false, error: { code: 'record-invalid' } });
  });

  it('is refused when any of them is missing, and is an outage when one goes while it is used', async () => {
    const { records, open } = await written();
    const opened = granted(await open());
    const last = [...records.keys()].filter((key) => key.endsWith('.zst')).at(-1) ?? '';
    records.delete(last);
    expect(await open()).toMatchObject({ ok: false, error: { code: 'record-invalid', detail: expect.stringContaining(last) } });
    const drain = async (): Promise<void> => {
      for await (const entry of opened?.entries() ?? []) expect(entry.prefix).not.toBe('');
    };
    await expect(drain()).rejects.toThrow(Outage);
  });
});
