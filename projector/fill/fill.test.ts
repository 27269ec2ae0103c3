import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeLedger } from '../../scripts/bench/made-ledger.ts';
import { granted } from '../../test/ledger-fixture.ts';
import { openSource } from '../open-source.ts';
import { type LiveDatabase, liveDatabase } from '../projection.fixture.ts';
import { rebuild } from '../rebuild.ts';
import { digestsOf, unitsDone, untilDone } from './filling.fixture.ts';
import { rebuildProcess } from './rebuild-process.fixture.ts';

/** A ledger of some twenty units, on disk. */
const directory = mkdtempSync(join(tmpdir(), 'pixpax fill '));
const store = join(directory, 'receipts');
let receipts = 0;

const rebuiltIn = async (live: LiveDatabase, options: { threads?: number; resume?: boolean } = {}) => {
  const source = await openSource({ location: { kind: 'file', directory: store }, credentials: null, durable: true });
  try {
    return granted(await rebuild({ source, databaseUrl: live.url, trust: null, ...options }));
  } finally {
    await source.close();
  }
};

type Digests = Awaited<ReturnType<typeof digestsOf>>;
let expected: Digests;

beforeAll(async () => {
  receipts = makeLedger(store, { accounts: 20, booksPerAccount: 4, savesPerBook: 48 }).receipts;
  await using live = await liveDatabase({ empty: true });
  await rebuiltIn(live, { threads: 1 });
  expected = await digestsOf(live);
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

describe('a filling', () => {
  it('that is killed three times goes on each time where it was, and comes to the same rows', async () => {
    await using live = await liveDatabase({ empty: true });
    let before = 0;
    for (const units of [1, 4, 9]) {
      const killed = rebuildProcess(store, live.url, '--threads', '2');
      await untilDone(live, units, killed);
      await killed.kill();
      const done = (await unitsDone(live)) ?? 0;
      expect(done).toBeGreaterThanOrEqual(before);
      before = done;
    }
    expect(before).toBeGreaterThanOrEqual(9);
    const report = await rebuiltIn(live, { resume: true });
    expect(report).toMatchObject({ resumed: true, ledger: { verdict: 'valid', receipts } });
    expect(await digestsOf(live)).toEqual(expected);
    expect(await live.schemas()).toEqual(['projection']);
  });

  it('is shared by four processes, of which one is killed, and comes to the same rows', async () => {
    await using live = await liveDatabase({ empty: true });
    const helpers = [1, 2, 3].map(() => rebuildProcess(store, live.url, '--join', '--threads', '1'));
    await Promise.all(helpers.map((helper) => helper.waiting()));
    const leader = rebuildProcess(store, live.url, '--threads', '1');
    const [victim, ...others] = helpers;
    if (victim !== undefined) {
      await untilDone(live, 6, leader);
      await victim.kill();
    }
    const told = await leader.end();
    expect(told).toMatchObject({ exitCode: 0, json: { resumed: false, ledger: { verdict: 'valid', receipts } } });
    const helped = await Promise.all(others.map((helper) => helper.end()));
    expect(helped.map(({ exitCode }) => exitCode)).toEqual([0, 0]);
    expect(Math.max(...helped.map(({ json }) => Number(json.units)))).toBeGreaterThan(0);
    expect(await digestsOf(live)).toEqual(expected);
  });

  it('takes no row of a process that was taken for dead', async () => {
    await using live = await liveDatabase({ empty: true });
    const slow = rebuildProcess(store, live.url, '--threads', '1');
    await untilDone(live, 2, slow);
    slow.pause();
    // Its connections are cut as a network would: what it had begun is rolled back, and its units are anybody's.
    const login = new pg.Client(live.url);
    await login.connect();
    await login.query(
      `SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
          AND application_name LIKE 'pixpax-ledger%'`,
    );
    await login.end();
    const report = await rebuiltIn(live, { resume: true });
    slow.goOn();
    expect((await slow.end()).exitCode).toBe(2);
    expect(report.resumed).toBe(true);
    expect(await digestsOf(live)).toEqual(expected);
  });
});

it('a helper finds nothing to do where nobody rebuilds', async () => {
  await using live = await liveDatabase({ empty: true });
  const { joinRebuild } = await import('../join.ts');
  const source = await openSource({ location: { kind: 'file', directory: store }, credentials: null, durable: true });
  const joined = await joinRebuild({ source, databaseUrl: live.url, trust: null, patienceMs: 0 });
  await source.close();
  expect(joined).toMatchObject({ ok: false, error: { code: 'nothing-to-join' } });
});
