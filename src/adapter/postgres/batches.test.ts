import { runMigrations } from 'graphile-worker';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { granted } from '../../../test/ledger-fixture.ts';
import { type TestDatabase, freshDatabase } from '../../../test/postgres.ts';
import type { BatchOrder } from '../../port/batches.ts';
import { Outage } from '../../port/outage.ts';
import {
  OPERATOR_IDENTITY_ID,
  derivedUlid,
  instantOf,
  parseAccountId,
  parseBookId,
  parseCollectionId,
  parseDropId,
  parseUserId,
} from '../../receipt/ids.ts';
import { openBacklog } from './backlog.ts';
import { openBatches } from './batches.ts';
import { openPool } from './pool.ts';

const id = (prefix: string, name: string): string => `${prefix}${derivedUlid('test/batches', name)}`;
const book = (name: string) => ({
  accountId: granted(parseAccountId(id('acc_', name))),
  bookId: granted(parseBookId(id('bk_', name))),
});
const packs = (name: string): BatchOrder => ({
  batchId: id('bat_', name),
  kind: 'packs',
  userId: granted(parseUserId('usr_issuer')),
  identityId: OPERATOR_IDENTITY_ID,
  collectionId: granted(parseCollectionId(id('col_', 'c'))),
  dropId: granted(parseDropId(id('drp_', 'd'))),
  books: [book('one'), book('two')],
  total: 2,
});
const codes = (name: string): BatchOrder => ({ ...packs(name), kind: 'codes', books: [], total: 500 });
const at = (ms: number) => instantOf(Date.UTC(2026, 0, 1) + ms);
const failure = { item: '7', code: 'drop-closed', detail: 'the drop is closed' };

let database: TestDatabase;
let pool: pg.Pool;
/** The queue is its own, and it sees everything. */
let login: pg.Pool;
beforeAll(async () => {
  database = await freshDatabase();
  pool = openPool({ url: database.url });
  login = new pg.Pool({ connectionString: database.url });
  // Dropping the database ends what is about to end by itself.
  login.on('connect', (client) => client.on('error', () => undefined));
  await runMigrations({ pgPool: login });
});
beforeEach(() => login.query('TRUNCATE ops.batches, graphile_worker._private_jobs'));
afterAll(async () => {
  await Promise.all([pool.end(), login.end()]);
  await database.drop();
});
const jobKeys = async () =>
  (await login.query<{ key: string }>('SELECT key FROM graphile_worker.jobs ORDER BY id')).rows.map(({ key }) => key);

describe('batches in Postgres', () => {
  it('take an order and put its job into the queue', async () => {
    const batches = openBatches(pool);
    const batch = await batches.order(packs('a'), at(0));
    const fresh = { status: 'queued', done: 0, failures: [], createdAt: at(0), finishedAt: null, shownAt: null };
    expect(batch).toEqual({ ...packs('a'), ...fresh });
    expect(await batches.read(packs('a').batchId)).toEqual(batch);
    expect(await jobKeys()).toEqual([`batch:${packs('a').batchId}`]);
    expect(await batches.read('bat_unknown')).toBeNull();
  });

  it('answer the batch that is there to the same order, and tell another one apart', async () => {
    const batches = openBatches(pool);
    const first = await batches.order(packs('a'), at(0));
    expect(await batches.order(packs('a'), at(5))).toEqual(first);
    const others: Partial<BatchOrder>[] = [
      { total: 3 },
      { books: [book('two'), book('one')] },
      { kind: 'codes' },
      { dropId: granted(parseDropId(id('drp_', 'other'))) },
      { userId: granted(parseUserId('usr_other')) },
    ];
    for (const other of others) expect(await batches.order({ ...packs('a'), ...other }, at(5))).toBe('differs');
    expect(await jobKeys()).toHaveLength(1);
  });

  it('take one order that many send at once', async () => {
    const batches = openBatches(pool);
    const taken = await Promise.all(Array.from({ length: 8 }, (_, i) => batches.order(packs('a'), at(i))));
    expect(new Set(taken.map((batch) => JSON.stringify(batch))).size).toBe(1);
    expect(await jobKeys()).toHaveLength(1);
  });

  it('take neither the order nor the job when the queue is not there', async () => {
    const batches = openBatches(pool);
    await login.query('ALTER SCHEMA graphile_worker RENAME TO away');
    await expect(batches.order(packs('a'), at(0))).rejects.toBeInstanceOf(Outage);
    await login.query('ALTER SCHEMA away RENAME TO graphile_worker');
    expect(await batches.read(packs('a').batchId)).toBeNull();
  });

  it('give a repeated order another job when its job was lost, unless it is finished', async () => {
    const batches = openBatches(pool);
    await batches.order(packs('a'), at(0));
    await login.query('TRUNCATE graphile_worker._private_jobs');
    await batches.order(packs('a'), at(1));
    expect(await jobKeys()).toHaveLength(1);
    await login.query('TRUNCATE graphile_worker._private_jobs');
    await batches.finish(packs('a').batchId, [], at(2));
    expect(await batches.order(packs('a'), at(3))).toMatchObject({ status: 'finished' });
    expect(await jobKeys()).toEqual([]);
  });

  it('show progress that never goes back, and end once', async () => {
    const batches = openBatches(pool);
    const { batchId } = codes('c');
    await batches.order(codes('c'), at(0));
    await batches.progress(batchId, 120, [failure]);
    expect(await batches.read(batchId)).toMatchObject({ status: 'running', done: 120, failures: [failure] });
    await batches.progress(batchId, 50, []);
    expect(await batches.read(batchId)).toMatchObject({ status: 'running', done: 120, failures: [] });
    await batches.finish(batchId, [failure], at(9));
    await batches.progress(batchId, 7, []);
    await batches.finish(batchId, [], at(10));
    const ended = { status: 'finished', done: 500, failures: [failure], finishedAt: at(9) };
    expect(await batches.read(batchId)).toMatchObject(ended);
  });

  it('let one caller show the codes, once they are all made', async () => {
    const batches = openBatches(pool);
    const { batchId } = codes('c');
    await batches.order(codes('c'), at(0));
    expect(await batches.claimShowing(batchId, at(1))).toBe(false);
    await batches.finish(batchId, [], at(2));
    const claims = await Promise.all(Array.from({ length: 8 }, () => batches.claimShowing(batchId, at(3))));
    expect(claims.filter((won) => won)).toHaveLength(1);
    expect(await batches.read(batchId)).toMatchObject({ shownAt: at(3) });
    await batches.order(packs('p'), at(0));
    await batches.finish(packs('p').batchId, [], at(2));
    expect(await batches.claimShowing(packs('p').batchId, at(3))).toBe(false);
  });
});

describe('the backlog in Postgres', () => {
  it('names the batches that are not finished, oldest first', async () => {
    const [batches, backlog] = [openBatches(pool), openBacklog(pool)];
    for (const [name, ms] of [
      ['b', 2],
      ['a', 1],
      ['c', 3],
    ] as const)
      await batches.order(packs(name), at(ms));
    await batches.progress(packs('b').batchId, 1, []);
    await batches.finish(packs('c').batchId, [], at(9));
    expect(await backlog.unfinishedBatches(10)).toEqual([packs('a').batchId, packs('b').batchId]);
    expect(await backlog.unfinishedBatches(1)).toEqual([packs('a').batchId]);
  });

  it('counts what is open in the redo outbox and knows how old the oldest is', async () => {
    const backlog = openBacklog(pool);
    expect(await backlog.redo()).toEqual({ open: 0, oldestMs: 0 });
    await login.query(`INSERT INTO ops.redo_outbox (event_id, target, kind, created_at, done_at) VALUES
      ('E1', 't', 'complete-trade', now() - interval '1 hour', now()),
      ('E2', 't', 'complete-trade', now() - interval '10 minutes', NULL), ('E3', 't', 'complete-trade', now(), NULL)`);
    const { open, oldestMs } = await backlog.redo();
    expect(open).toBe(2);
    expect(oldestMs).toBeGreaterThanOrEqual(600_000);
    expect(oldestMs).toBeLessThan(660_000);
  });
});
