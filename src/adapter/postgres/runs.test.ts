import { runMigrations } from 'graphile-worker';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { granted } from '../../../test/ledger-fixture.ts';
import { type TestDatabase, freshDatabase } from '../../../test/postgres.ts';
import { Outage } from '../../port/outage.ts';
import type { RunEnd, RunKind } from '../../port/runs.ts';
import { derivedUlid, instantOf, parseUserId } from '../../receipt/ids.ts';
import { openPool } from './pool.ts';
import { openRuns } from './runs.ts';

const userId = granted(parseUserId('usr_operator'));
const at = (ms: number) => instantOf(Date.UTC(2026, 0, 1) + ms);
const order = (name: string, kind: RunKind = 'drift') => ({ runId: `run_${derivedUlid('test/runs', name)}`, kind, userId });
const found: RunEnd = { exitCode: 1, reason: null, report: { drifted: true, rows: [{ key: '…' }] }, reportWhole: false };

let database: TestDatabase;
let pool: pg.Pool;
let login: pg.Pool;
beforeAll(async () => {
  database = await freshDatabase();
  pool = openPool({ url: database.url });
  login = new pg.Pool({ connectionString: database.url });
  // Dropping the database ends what is about to end by itself.
  login.on('connect', (client) => client.on('error', () => undefined));
  await runMigrations({ pgPool: login });
});
beforeEach(() => login.query('TRUNCATE ops.runs, graphile_worker._private_jobs'));
afterAll(async () => {
  await Promise.all([pool.end(), login.end()]);
  await database.drop();
});
const jobKeys = async () =>
  (await login.query<{ key: string }>('SELECT key FROM graphile_worker.jobs ORDER BY id')).rows.map(({ key }) => key);

describe('runs in Postgres', () => {
  it('are taken with their job, begin once, and end once', async () => {
    const runs = openRuns(pool);
    const { runId, kind } = order('a');
    const fresh = { startedAt: null, finishedAt: null, exitCode: null, reason: null, report: null, reportWhole: true };
    const run = { ...order('a'), ...fresh, status: 'queued', createdAt: at(0) };
    expect(await runs.order(order('a'), at(0))).toEqual({ taken: true, run });
    expect(await jobKeys()).toEqual([`run:${runId}`]);
    expect(await runs.latest(kind)).toMatchObject({ runId, status: 'queued' });
    expect(await runs.latest('repair')).toBeNull();
    await runs.end(runId, found, at(1)); // it has not begun
    expect(await runs.read(runId)).toEqual(run);
    expect(await Promise.all([runs.begin(runId, at(2)), runs.begin(runId, at(2))])).toEqual(expect.arrayContaining([kind, null]));
    await runs.end(runId, found, at(3));
    await runs.end(runId, { ...found, exitCode: 0, report: null }, at(4));
    expect(await runs.read(runId)).toEqual({ ...run, ...found, status: 'finished', startedAt: at(2), finishedAt: at(3) });
    expect(await runs.begin(runId, at(5))).toBeNull();
    expect(await runs.read('run_unknown')).toBeNull();
  });

  it('keep why they came to nothing', async () => {
    const runs = openRuns(pool);
    const { runId } = order('a');
    await runs.order(order('a'), at(0));
    await runs.begin(runId, at(1));
    const end: RunEnd = { exitCode: null, reason: 'took-too-long', report: null, reportWhole: true };
    await runs.end(runId, end, at(2));
    expect(await runs.read(runId)).toMatchObject({ ...end, status: 'failed' });
  });

  it('are one of a kind at a time, also when many ask at once', async () => {
    const runs = openRuns(pool);
    const names = ['a', 'b', 'c', 'd', 'e', 'f'];
    const asked = await Promise.all(names.map((name, i) => runs.order(order(name), at(i))));
    expect(asked.filter(({ taken }) => taken)).toHaveLength(1);
    expect(new Set(asked.map(({ run }) => run.runId)).size).toBe(1);
    expect(await jobKeys()).toHaveLength(1);
    expect(await runs.order(order('g', 'verify'), at(9))).toMatchObject({ taken: true });
    const runId = asked[0]?.run.runId ?? '';
    await runs.begin(runId, at(10));
    expect(await runs.order(order('h'), at(11))).toMatchObject({ taken: false, run: { runId, status: 'running' } });
    await runs.end(runId, found, at(12));
    expect(await runs.order(order('h'), at(13))).toMatchObject({ taken: true });
  });

  it('take neither the run nor the job when the queue is not there', async () => {
    const runs = openRuns(pool);
    await login.query('ALTER SCHEMA graphile_worker RENAME TO away');
    await expect(runs.order(order('a'), at(0))).rejects.toBeInstanceOf(Outage);
    await login.query('ALTER SCHEMA away RENAME TO graphile_worker');
    expect(await runs.read(order('a').runId)).toBeNull();
  });

  it('are listed newest first and without reports, and those that have not ended oldest first', async () => {
    const runs = openRuns(pool);
    const kinds = ['drift', 'verify', 'repair', 'rebuild'] as const;
    for (const [i, kind] of kinds.entries()) await runs.order(order(kind, kind), at(i));
    const ids = kinds.map((kind) => order(kind).runId);
    const newestFirst = [...ids].sort().reverse();
    const first = await runs.list({ after: null, limit: 3 });
    expect(first.hasMore).toBe(true);
    const rest = await runs.list({ after: newestFirst[2] ?? '', limit: 3 });
    expect(rest.hasMore).toBe(false);
    expect([...first.rows, ...rest.rows].map(({ runId }) => runId)).toEqual(newestFirst);
    expect(first.rows[0]).not.toHaveProperty('report');
    await runs.begin(ids[0] ?? '', at(9));
    await runs.begin(ids[1] ?? '', at(9));
    await runs.end(ids[1] ?? '', found, at(10));
    expect(await runs.unfinished(10)).toEqual([ids[0], ids[2], ids[3]]);
    expect(await runs.unfinished(1)).toEqual([ids[0]]);
  });
});
