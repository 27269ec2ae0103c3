import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { granted } from '../../../test/ledger-fixture.ts';
import { type TestDatabase, freshDatabase } from '../../../test/postgres.ts';
import { wireTo } from '../../../test/postgres-wire.ts';
import { derivedUlid, parseAccountId } from '../../receipt/ids.ts';
import { openPool, queryOn, withClient } from './pool.ts';
import { orOutage } from './postgres-outage.ts';
import { type Scope, noTenant, tenants } from './scope.ts';
import { runScoped } from './scoped-query.ts';

const account = (name: string) => granted(parseAccountId(`acc_${derivedUlid('test/scope', name)}`));
const [A, B] = [account('a'), account('b')];

const SCOPE_NOW = `SELECT current_setting('app.account_id', true) AS accounts, current_user::text AS role`;

describe('a statement within a scope', () => {
  let database: TestDatabase;
  let pool: pg.Pool;
  beforeAll(async () => {
    database = await freshDatabase();
  });
  // One connection: what a statement left behind, the next would find.
  beforeEach(() => {
    pool = openPool({ url: database.url, connections: 1 });
  });
  afterEach(() => pool.end());
  afterAll(() => database.drop());

  /** What a statement without a scope finds, on this very connection. */
  const leftOn = async (client: pg.ClientBase) => {
    const [row] = (await client.query<{ accounts: string | null; role: string }>(SCOPE_NOW)).rows;
    return { accounts: row?.accounts || null, role: row?.role };
  };
  const NOTHING_LEFT = { accounts: null, role: 'pixpax_app' };

  it.each<[string, Scope, { accounts: string | null; role: string }]>([
    ['one account', tenants(A), { accounts: A, role: 'pixpax_app' }],
    ['several, each once', tenants(A, B, A), { accounts: `${A},${B}`, role: 'pixpax_app' }],
    ['the directory', 'directory', { accounts: null, role: 'pixpax_directory' }],
    ['no tenant', noTenant, NOTHING_LEFT],
  ])('has it and leaves nothing behind: %s', async (_, scope, expected) => {
    await withClient(pool, async (client) => {
      for (const name of [undefined, 'named', 'named']) {
        const query = { ...(name === undefined ? {} : { name }), text: SCOPE_NOW };
        const [row] = (await runScoped<{ accounts: string | null; role: string }>(client, scope, query)).rows;
        expect({ ...row, accounts: row?.accounts || null }).toEqual(expected);
        expect(await leftOn(client)).toEqual(NOTHING_LEFT);
      }
    });
  });

  it('answers as any statement does: rows by their types, how many were touched, and several on one connection in turn', async () => {
    await withClient(pool, async (client) => {
      const typed = {
        text: `SELECT 42::bigint AS many, '2026-01-01T00:00:00Z'::timestamptz AS at, $1::text AS given`,
        values: ['x'],
      };
      for (let n = 0; n < 3; n++) {
        const { rows, rowCount, command } = await runScoped(client, tenants(A), typed);
        expect(rows).toEqual([{ many: 42, at: '2026-01-01T00:00:00.000Z', given: 'x' }]);
        expect([rowCount, command]).toEqual([1, 'SELECT']);
      }
      expect((await runScoped(client, tenants(A), { text: 'SELECT WHERE false' })).rows).toEqual([]);
    });
  });

  it.each([
    ['fails as it runs', { text: 'SELECT 1 / $1::integer', values: [0] }, '22012'],
    ['is no SQL', { text: 'SELEKT 1' }, '42601'],
    ['fails under a name', { name: 'failing', text: 'SELECT 2 / $1::integer', values: [0] }, '22012'],
    ['is no SQL under a name', { name: 'no_sql', text: 'SELEKT 2' }, '42601'],
    ['names what the role may not see', { text: 'SELECT * FROM pg_catalog.pg_authid' }, '42501'],
  ])('that %s throws what Postgres says, leaves nothing behind and may be run again', async (_, query, code) => {
    await withClient(pool, async (client) => {
      for (const scope of [tenants(A), 'directory', tenants(B)] as const) {
        await expect(runScoped(client, scope, query)).rejects.toMatchObject({ code });
        expect(await leftOn(client)).toEqual(NOTHING_LEFT);
        expect((await runScoped(client, tenants(A), { name: 'after', text: 'SELECT 1 AS one' })).rows).toEqual([{ one: 1 }]);
      }
    });
  });

  it('is not run when its scope cannot be had, and is prepared anew afterwards', async () => {
    await withClient(pool, async (client) => {
      const named = { name: 'behind', text: 'SELECT 1 AS one' };
      // The first of the two fails here: in a transaction that has failed Postgres takes no statement at all.
      await client.query('BEGIN');
      await client.query('SELECT 1 / 0').catch(() => undefined);
      for (const scope of [tenants(A), 'directory'] as const)
        await expect(runScoped(client, scope, named)).rejects.toMatchObject({ code: '25P02' });
      await client.query('ROLLBACK');
      for (const scope of [tenants(A), 'directory', tenants(A)] as const)
        expect((await runScoped(client, scope, named)).rows).toEqual([{ one: 1 }]);
    });
  });

  it('undoes its writes when it fails: the two are one transaction', async () => {
    await withClient(pool, async (client) => {
      const insert = `WITH put AS (INSERT INTO ops.redo_outbox VALUES ('E', 't', 'complete-trade', now()) RETURNING 1) SELECT 1 / 0 FROM put`;
      await expect(runScoped(client, tenants(A), { text: insert })).rejects.toMatchObject({ code: '22012' });
    });
    expect(await queryOn(pool, noTenant, { text: 'SELECT FROM ops.redo_outbox' })).toEqual([]);
  });

  it('refuses two statements under one name, and has sent nothing of the second', async () => {
    await withClient(pool, async (client) => {
      await runScoped(client, tenants(A), { name: 'twice', text: 'SELECT 1' });
      await expect(runScoped(client, tenants(B), { name: 'twice', text: 'SELECT 2' })).rejects.toThrow(/unique/);
      expect(await leftOn(client)).toEqual(NOTHING_LEFT);
    });
  });

  it('is given up when Postgres does not answer in time, and its connection with it', async () => {
    const impatient = new pg.Pool({ connectionString: database.url, max: 1, query_timeout: 100 });
    // Dropping the database ends what is about to end by itself.
    impatient.on('connect', (client) => client.on('error', () => undefined));
    for (const scope of [tenants(A), 'directory'] as const)
      await expect(orOutage(() => queryOn(impatient, scope, { text: 'SELECT pg_sleep(30)' }))).rejects.toMatchObject({
        code: 'postgres-unavailable',
      });
    expect(await queryOn(impatient, tenants(A), { text: 'SELECT 1 AS one' })).toEqual([{ one: 1 }]);
    await impatient.end();
  });

  it('is an outage when the connection breaks under it, and the next one goes on', async () => {
    const wire = await wireTo(database.url);
    const through = openPool({ url: wire.url, connections: 1 });
    const backend = await queryOn<{ pid: number }>(through, tenants(A), { text: 'SELECT pg_backend_pid() AS pid' });
    const waiting = orOutage(() => queryOn(through, tenants(A), { name: 'broken', text: 'SELECT pg_sleep(30)' }));
    const failed = expect(waiting).rejects.toMatchObject({ code: 'postgres-unavailable' });
    const asleep = `SELECT FROM pg_stat_activity WHERE pid = $1 AND query LIKE '%pg_sleep%' AND state = 'active'`;
    const login = new pg.Pool({ connectionString: database.url, max: 1 });
    // Dropping the database ends what is about to end by itself.
    login.on('connect', (client) => client.on('error', () => undefined));
    while ((await login.query(asleep, [backend[0]?.pid])).rowCount === 0);
    wire.cut();
    await failed;
    wire.lead(database.url);
    expect(await queryOn(through, tenants(A), { text: 'SELECT 1 AS one' })).toEqual([{ one: 1 }]);
    await Promise.all([through.end(), login.end()]);
    await wire.close();
  });
});
