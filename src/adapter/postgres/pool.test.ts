import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestDatabase, freshDatabase } from '../../../test/postgres.ts';
import { limits } from '../../limits.ts';
import { openPool, queryOn, withClient } from './pool.ts';
import { orOutage } from './postgres-outage.ts';
import { noTenant } from './scope.ts';

describe('the pool', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await freshDatabase();
  });
  afterAll(() => database.drop());

  it('gives values as the types of the tables say', async () => {
    const pool = openPool({ url: database.url });
    const [row] = await queryOn(pool, noTenant, {
      text: `SELECT 42::bigint AS "bigint", '2026-11-21 02:29:08.1+00'::timestamptz(3) AS tenth, '2026-11-21T04:29:08+02'::timestamptz AS whole,
               '0001-01-01T00:00:00.001Z'::timestamptz(3) AS early, '{"b":1, "a":2}'::json AS json, '\\x00ff'::bytea AS bytes, NULL::bigint AS none`,
    });
    expect(row).toEqual({
      bigint: 42,
      tenth: '2026-11-21T02:29:08.100Z',
      whole: '2026-11-21T02:29:08.000Z',
      early: '0001-01-01T00:00:00.001Z',
      json: '{"b":1, "a":2}',
      bytes: Buffer.from([0, 255]),
      none: null,
    });
    await pool.end();
  });

  it.each([`'infinity'::timestamptz`, `'0044-03-15 BC'::timestamptz`, `9007199254740993::bigint`])(
    'refuses %s, which no receipt can bring about',
    async (value) => {
      const pool = openPool({ url: database.url });
      await expect(queryOn(pool, noTenant, { text: `SELECT ${value}` })).rejects.toThrow(RangeError);
      await pool.end();
    },
  );

  it('speaks UTC whatever the server’s defaults are, and lets the address say more', async () => {
    const url = new URL(database.url);
    url.searchParams.set('options', '-c work_mem=7MB');
    for (const work of ['keys', 'scans'] as const) {
      const pool = openPool({ url: url.href, work });
      const [row] = await queryOn(pool, noTenant, {
        text: `SELECT current_setting('TimeZone') AS zone, current_setting('work_mem') AS memory, current_setting('statement_timeout') AS patience`,
      });
      expect(row).toEqual({
        zone: 'UTC',
        memory: '7MB',
        patience: work === 'keys' ? `${limits.databaseTimeoutMs / 1000}s` : '0',
      });
      await pool.end();
    }
  });

  it('meets an outage once when the columns of a table change under a statement, and then goes on', async () => {
    const [changing, asking] = [1, 2].map(() => openPool({ url: database.url, role: 'projector', connections: 1 }));
    if (changing === undefined || asking === undefined) throw new Error('unreachable');
    const ask = () => orOutage(() => queryOn(asking, noTenant, { text: 'SELECT * FROM ops.changing' }));
    await changing.query('CREATE TABLE ops.changing AS SELECT 1 AS a');
    expect(await ask()).toEqual([{ a: 1 }]);
    await changing.query('ALTER TABLE ops.changing ADD COLUMN b integer');
    await expect(ask()).rejects.toMatchObject({ code: 'postgres-unavailable' });
    expect(await ask()).toEqual([{ a: 1, b: null }]);
    await changing.query('DROP TABLE ops.changing');
    await Promise.all([changing.end(), asking.end()]);
  });

  it('does not quote an address that is none', () => {
    const opening = () => openPool({ url: 'postgres//user:hunter2@host/db' });
    expect(opening).toThrow(TypeError);
    expect(opening).not.toThrow(/hunter2/);
  });

  it.each([
    ['nobody listens', { host: '127.0.0.1:1' }],
    ['the name does not resolve', { host: 'nowhere.invalid:5432' }],
    ['there is no such database', { pathname: '/no_such_database' }],
    ['there is no such user', { username: 'nobody_known', password: 'hunter2' }],
  ])('throws an outage without secrets when %s', async (_, wrong) => {
    const url = Object.assign(new URL(database.url), wrong);
    const pool = openPool({ url: url.href });
    const failure = await queryOn(pool, noTenant, { text: 'SELECT 1' }).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'postgres-unavailable', dependency: 'postgres' });
    const said = String(failure instanceof Error && failure.message);
    if (url.password !== '') expect(said).not.toContain(url.password);
    await pool.end();
  });

  it('drops connections that the server ended, and works on', async () => {
    const pool = openPool({ url: database.url, connections: 2 });
    // Sessions are the login's, whatever role they have taken on.
    const other = new pg.Pool({ connectionString: database.url, max: 1 });
    // Dropping the database ends what is about to end by itself.
    other.on('connect', (client) => client.on('error', () => undefined));
    const [mine] = await queryOn(pool, noTenant, { text: 'SELECT pg_backend_pid() AS pid' });
    // While idle: the pool notices by itself, and nothing is thrown at nobody.
    await queryOn(other, noTenant, { text: 'SELECT pg_terminate_backend($1, 5000)', values: [mine?.pid] });
    const working = withClient(pool, async (client) => {
      const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
      // While in use: the caller hears of it.
      await queryOn(other, noTenant, { text: 'SELECT pg_terminate_backend($1, 5000)', values: [rows[0]?.pid] });
      await client.query('SELECT 1');
    });
    await expect(orOutage(() => working)).rejects.toMatchObject({ code: 'postgres-unavailable' });
    expect(await queryOn(pool, noTenant, { text: 'SELECT 1 AS one' })).toEqual([{ one: 1 }]);
    await Promise.all([pool.end(), other.end()]);
  });
});
