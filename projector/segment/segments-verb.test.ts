import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { MemoryObjects } from '../../src/adapter/memory/receipt-store.ts';
import { keyAt, prefixOf } from '../../src/receipt/key-path.ts';
import { granted } from '../../test/ledger-fixture.ts';
import { runProjector } from '../command-line.ts';
import type { LedgerReport } from '../ledger-report.ts';
import { openSource } from '../open-source.ts';
import { expectedDump, liveDatabase } from '../projection.fixture.ts';
import { rebuild } from '../rebuild.ts';
import { type SmallLedger, asDirectory, objectsOf, smallLedger } from '../tampering.fixture.ts';
import type { KeepReport } from './keep-segments.ts';
import { flipped, keptInMemory, segmentKeysIn } from './segments.fixture.ts';

const run = async (argv: readonly string[], directory: string) => {
  const stdout = new PassThrough();
  const exitCode = await runProjector(argv, {
    config: () => ({
      ok: true,
      value: {
        receiptStore: `fs:${directory}`,
        s3: null,
        database: { kind: 'url', url: 'postgres://nobody@127.0.0.1:1/none' },
        trust: null,
      },
    }),
    stdout: stdout as unknown as NodeJS.WriteStream,
    stderr: new PassThrough() as unknown as NodeJS.WriteStream,
  });
  return { exitCode, out: String(stdout.read() ?? '') };
};

/** Verifies a directory that holds these objects. */
const verify = async (objects: MemoryObjects, ...options: readonly string[]) => {
  using directory = asDirectory(objects);
  const { exitCode, out } = await run(['verify', '--json', ...options], directory.path);
  return { exitCode, report: JSON.parse(out) as LedgerReport };
};

describe('verify over segments', () => {
  let small: SmallLedger;
  let objects: MemoryObjects;
  beforeEach(async () => {
    small = await smallLedger();
    objects = objectsOf(small.ledger.receipts);
    await keptInMemory(objects);
  });

  it.each([
    [[], { read: 14, faultCount: 0 }],
    [['--threads', '3'], { read: 14, faultCount: 0 }],
    [['--deep'], { read: 14, compared: 14, faultCount: 0 }],
  ])('%j finds what it finds without them, and says how much of it it read there', async (options, segments) => {
    const { exitCode, report } = await verify(objects, ...options);
    const { source: _, ...alone } = (await verify(objects, '--no-segments')).report;
    const { source: __, segments: used, ...together } = report;
    expect(together).toEqual(alone);
    expect(alone).not.toHaveProperty('segments');
    expect({ exitCode, used }).toMatchObject({ exitCode: 0, used: segments });
  });

  it('says so in its last line', async () => {
    using directory = asDirectory(objects);
    const { out } = await run(['verify', '--deep'], directory.path);
    expect(out.trimEnd().split('\n').at(-1)).toBe(
      `valid: 14 receipts in 5 streams, 14 read from segments and 14 of these compared with their events, trust anchor ${small.ledger.trust} (not pinned)`,
    );
  });

  it('--deep names the key of every event and segment in which any byte is turned over', { timeout: 120_000 }, async () => {
    for (const [key, bytes] of objects) {
      const at = Math.floor(Math.random() * bytes.length);
      const { exitCode, report } = await verify(new Map(objects).set(key, flipped(bytes, at)), '--deep', '--threads', '1');
      const named = [...report.faults, ...(report.segments?.faults ?? [])].map((fault) => fault.key);
      expect({ exitCode, verdict: report.verdict, named }, `${key} byte ${at}`).toEqual({
        exitCode: 1,
        verdict: 'invalid',
        named: expect.arrayContaining([key]),
      });
    }
  });

  it('--deep names a superseded segment too', async () => {
    const [old = ''] = segmentKeysIn(objects);
    const saved = await small.ledger.save(small.bookA, { page: 9 });
    objects.set(keyAt(small.bookA, saved.position), saved.bytes);
    await keptInMemory(objects, { anew: true });
    const { exitCode, report } = await verify(new Map(objects).set(old, flipped(objects.get(old), 50)), '--deep');
    expect(exitCode).toBe(1);
    expect(report.segments?.faults).toEqual([expect.objectContaining({ code: 'segment-invalid', key: old })]);
  });

  it('--deep tells of receipts that only segments still have, at the end of a stream or all of it', async () => {
    objects.delete(keyAt(small.bookA, 3));
    objects.delete(keyAt(small.bookA, 4));
    for (let position = 0; position < 3; position++) objects.delete(keyAt(small.bookB, position));
    expect((await verify(objects)).report.verdict).toBe('valid');
    const { exitCode, report } = await verify(objects, '--deep');
    expect({ exitCode, verdict: report.verdict }).toEqual({ exitCode: 3, verdict: 'incomplete' });
    expect(report.faults.map(({ code, key, lastPosition }) => [code, key, lastPosition]).sort()).toEqual(
      [
        ['missing', keyAt(small.bookA, 3), 4],
        ['missing', keyAt(small.bookB, 0), 2],
      ].sort(),
    );
    const { report: other } = await verify(objects, '--deep', '--stream', prefixOf(small.a));
    expect(other.verdict).toBe('valid');
  });

  it('takes --deep and --no-segments for a contradiction', async () => {
    expect(await verify(objects, '--deep', '--no-segments')).toMatchObject({
      exitCode: 2,
      report: { error: { code: 'wrong-use' } },
    });
  });
});

it('import takes nothing from segments, and leaves them behind', async () => {
  const { ledger } = await smallLedger();
  const objects = objectsOf(ledger.receipts);
  await keptInMemory(objects);
  const [data = ''] = segmentKeysIn(objects);
  objects.set(data, flipped(objects.get(data), 9));
  using from = asDirectory(objects);
  using to = asDirectory(new Map());
  const { exitCode, out } = await run(['import', from.path, '--json'], to.path);
  expect({ exitCode, copied: JSON.parse(out) as object }).toMatchObject({ exitCode: 0, copied: { copied: { created: 14 } } });
  expect(out).not.toContain('segment');
  expect(existsSync(join(to.path, 'segments'))).toBe(false);
});

describe('the verb segments', () => {
  let directory: ReturnType<typeof asDirectory>;
  beforeEach(async () => {
    directory = asDirectory(objectsOf((await smallLedger()).ledger.receipts));
  });
  afterEach(() => directory[Symbol.dispose]());
  const kept = async (...options: readonly string[]) => {
    const { exitCode, out } = await run(['segments', '--json', ...options], directory.path);
    return { exitCode, report: JSON.parse(out) as KeepReport };
  };

  it('bundles, finds nothing more to do, bundles anew and prunes', async () => {
    expect(await kept()).toMatchObject({ exitCode: 0, report: { made: 0, left: 14 } });
    expect(await kept('--all', '--settle-seconds', '0')).toMatchObject({ exitCode: 0, report: { made: 1, receipts: 14 } });
    expect(await kept('--all')).toMatchObject({ exitCode: 0, report: { made: 0, receipts: 0 } });
    expect(await kept('--anew')).toMatchObject({ report: { made: 0, there: 1, anew: true, segments: { read: 14 } } });
    expect(await kept('--prune')).toMatchObject({ report: { prunedBroken: 0, prunedSuperseded: 0 } });
  });

  it('says what it did in one line at the end', async () => {
    const { out } = await run(['segments', '--all'], directory.path);
    expect(out).toMatch(/^bundled: 14 receipts in 1 segment, \d+ of \d+ bytes each\n$/);
  });

  it('does the parts of several workers', async () => {
    const parts = await Promise.all(['1/2', '2/2'].map((part) => kept('--all', '--shard', part)));
    expect(parts.reduce((sum, { report }) => sum + report.receipts, 0)).toBe(14);
  });

  it.each([[['--shard', '3/2']], [['--shard', '0/2']], [['--shard', 'x']], [['--settle-seconds', 'x']], [['--deep']]])(
    'refuses %j',
    async (options) => {
      expect(await kept(...options)).toMatchObject({ exitCode: 2, report: { error: { code: 'wrong-use' } } });
    },
  );

  it('exits with 3 when a receipt is missing, and with 1 when one is none', async () => {
    const small = await smallLedger();
    const objects = objectsOf(small.ledger.receipts);
    objects.delete(keyAt(small.bookA, 1));
    using gap = asDirectory(objects);
    expect(await run(['segments', '--all'], gap.path)).toMatchObject({
      exitCode: 3,
      out: expect.stringContaining('missing at position 1'),
    });
    objects.set(keyAt(small.bookA, 1), Buffer.from('{}'));
    using poisoned = asDirectory(objects);
    expect(await run(['segments', '--all'], poisoned.path)).toMatchObject({ exitCode: 1 });
  });
});

describe('a rebuild over segments', () => {
  it.each<[string, (path: string, keys: readonly string[]) => void]>([
    ['as they are', () => undefined],
    ['that are broken', (path, keys) => rmSync(join(path, keys.find((key) => key.startsWith('segments/data/')) ?? ''))],
  ])('gives the rows that the receipts give, with segments %s', async (_, spoil) => {
    await using live = await liveDatabase();
    const small = await smallLedger();
    const objects = objectsOf(small.ledger.receipts);
    await keptInMemory(objects);
    using directory = asDirectory(objects);
    spoil(directory.path, segmentKeysIn(objects));
    const source = await openSource({ location: { kind: 'file', directory: directory.path }, credentials: null, durable: true });
    const report = granted(await rebuild({ source, databaseUrl: live.url, trust: null, threads: 2 }));
    await source.close();
    expect(report.ledger).toMatchObject({ verdict: 'valid', receipts: 14 });
    expect(report.ledger.segments).toBeDefined();
    expect(await live.dump()).toEqual(expectedDump(small.ledger.receipts));
  });
});
