import { mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { digestsOf, unitsDone, untilDone } from '../../projector/fill/filling.fixture.ts';
import { rebuildProcess } from '../../projector/fill/rebuild-process.fixture.ts';
import { openSource } from '../../projector/open-source.ts';
import { liveDatabase } from '../../projector/projection.fixture.ts';
import { rebuild } from '../../projector/rebuild.ts';
import { repairDatabase } from '../../projector/repair-database.ts';
import { keepSegments } from '../../projector/segment/keep-segments.ts';
import { verifyLedger } from '../../projector/verify.ts';
import { generateLedger } from '../../scripts/generate/generate.ts';
import { openFileStore } from '../../src/adapter/file/receipt-store.ts';
import { systemClock } from '../../src/port/clock.ts';
import { granted } from '../ledger-fixture.ts';

const RECEIPTS = Number(process.env.SCALE_RECEIPTS ?? 20_000);
const UNITS_BEFORE_A_KILL = 12;

const directory = mkdtempSync(join(tmpdir(), 'pixpax scale '));
const store = join(directory, 'receipts');
const location = { kind: 'file', directory: store } as const;
afterAll(() => rmSync(directory, { recursive: true, force: true }));

beforeAll(async () => {
  await generateLedger({
    place: { location, credentials: null, keysDirectory: join(directory, 'keys') },
    ...{ receipts: RECEIPTS, seed: 'scale', threads: 2, endMs: Date.now() - 24 * 3_600_000 },
    codeSecret: () => Promise.resolve('a secret of codes that nobody uses'),
  });
}, 600_000);

type Segments = 'use' | 'ignore' | 'compare';
const withSource = async <T>(segments: Segments, use: (source: Awaited<ReturnType<typeof openSource>>) => Promise<T>) => {
  const source = await openSource({ location, credentials: null, durable: true, segments });
  try {
    return await use(source);
  } finally {
    await source.close();
  }
};

const bundle = async (): Promise<void> => {
  const files = await openFileStore(store);
  try {
    const choices = { all: true, anew: false, prune: false, shard: { number: 1, of: 1 } };
    const settled = { clock: systemClock, settledBeforeMs: Date.now() };
    await withSource('ignore', (source) => keepSegments({ source, store: files, ...settled, ...choices }));
  } finally {
    await files.close();
  }
};

const rebuilt = async (segments: Segments) => {
  await using live = await liveDatabase({ empty: true });
  const report = await withSource(segments, async (source) =>
    granted(await rebuild({ source, databaseUrl: live.url, trust: null })),
  );
  expect(report.ledger).toMatchObject({ verdict: 'valid', receipts: RECEIPTS });
  return { digests: await digestsOf(live), report };
};

describe('a ledger in which everything happens', () => {
  it('has the same rows applied one by one, rebuilt, from segments, by four processes and after three kills', async () => {
    await using live = await liveDatabase({ empty: true });
    await withSource('ignore', (source) => repairDatabase({ source, databaseUrl: live.url, trust: null }));
    const applied = await digestsOf(live);

    expect((await rebuilt('ignore')).digests).toEqual(applied);
    await bundle();
    const bundled = await rebuilt('use');
    expect(bundled.digests).toEqual(applied);
    expect(bundled.report.ledger.segments).toMatchObject({ faultCount: 0 });
    expect(bundled.report.ledger.segments?.read).toBeGreaterThan(0.9 * RECEIPTS);

    await using shared = await liveDatabase({ empty: true });
    const helpers = [1, 2, 3].map(() => rebuildProcess(store, shared.url, '--join', '--threads', '1'));
    await Promise.all(helpers.map((helper) => helper.waiting()));
    const ends = await Promise.all([rebuildProcess(store, shared.url, '--threads', '1'), ...helpers].map((one) => one.end()));
    expect(ends.map(({ exitCode }) => exitCode)).toEqual([0, 0, 0, 0]);
    expect(await digestsOf(shared)).toEqual(applied);

    await using killed = await liveDatabase({ empty: true });
    for (let n = 0; n < 3; n++) {
      const victim = rebuildProcess(store, killed.url);
      const done = (await unitsDone(killed)) ?? 0;
      await untilDone(killed, done + 1 + Math.floor(Math.random() * UNITS_BEFORE_A_KILL), victim);
      await victim.kill();
    }
    expect((await rebuildProcess(store, killed.url).end()).exitCode).toBe(0);
    expect(await digestsOf(killed)).toEqual(applied);
  });

  it('names a flipped byte in any event and any segment, and an object that is gone', async () => {
    const any = (of: readonly string[]): string => {
      const one = of[Math.floor(Math.random() * of.length)];
      if (one === undefined) throw new Error('nothing to choose from');
      return one;
    };
    const verdict = (segments: Segments) => withSource(segments, (source) => verifyLedger({ source, trust: null }));
    const flipped = async (path: string, look: () => Promise<void>) => {
      const bytes = readFileSync(path);
      const at = Math.floor(Math.random() * bytes.length);
      writeFileSync(path, bytes.with(at, (bytes[at] ?? 0) ^ 1));
      await look();
      writeFileSync(path, bytes);
    };
    const books = readdirSync(join(store, 'pixpax/pixbooks'), { recursive: true, encoding: 'utf8' });
    const event = `pixpax/pixbooks/${any(books.filter((name) => name.endsWith('.json') && name.includes('/events/')))}`;
    await flipped(join(store, event), async () => {
      const { verdict: said, faults, segments } = await verdict('compare');
      expect(said).toBe('invalid');
      expect([...faults, ...(segments?.faults ?? [])].map((fault) => ('event' in fault ? fault.event : fault.key))).toContain(
        event,
      );
    });
    const segment = `segments/data/${any(readdirSync(join(store, 'segments/data')))}`;
    await flipped(join(store, segment), async () => {
      const { segments } = await verdict('compare');
      expect(segments?.faults.map(({ key, code }) => [key, code])).toContainEqual([segment, 'segment-invalid']);
    });
    renameSync(join(store, event), join(directory, 'aside'));
    const { verdict: said, faults } = await verdict('use');
    expect(said).toBe('incomplete');
    expect(faults.map(({ key, code }) => [key, code])).toContainEqual([event, 'missing']);
    renameSync(join(directory, 'aside'), join(store, event));
    expect((await verdict('compare')).verdict).toBe('valid');
  });
});
