import type pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type TestDatabase, freshDatabase } from '../../../test/postgres.ts';
import { projectedTables } from '../../projection/rows.ts';
import { PROJECTOR_VERSION } from '../../stream/event.ts';
import { columnTypes } from './columns.ts';
import { checkSchema, createProjectionSchema, ensureSchemas, swapProjection } from './migrate.ts';
import { type PoolRole, openPool, queryOn, withClient } from './pool.ts';
import { opsTables, projectionSql, projectionTables } from './schema-text.ts';
import { noTenant } from './scope.ts';

/** All that makes two schemas the same to a query: columns with types and collations, indexes, constraints, storage, comment. */
const anatomyOf = async (pool: pg.Pool, schema: string): Promise<readonly string[]> => {
  const rows = await queryOn<{ part: string }>(pool, noTenant, {
    text: `
      WITH s AS (SELECT $1::text AS name, $1::text::regnamespace AS id)
      SELECT concat_ws(' ', 'column', relname, attnum, attname, format_type(atttypid, atttypmod), attnotnull, collname) AS part
        FROM s JOIN pg_class c ON relnamespace = s.id AND relkind = 'r' JOIN pg_attribute ON attrelid = c.oid AND attnum > 0
        LEFT JOIN pg_collation k ON k.oid = attcollation
      UNION ALL SELECT 'index ' || indexdef FROM s JOIN pg_indexes ON schemaname = s.name
      UNION ALL SELECT concat_ws(' ', 'constraint', conrelid::regclass, pg_get_constraintdef(c.oid))
        FROM s JOIN pg_constraint c ON connamespace = s.id
      UNION ALL SELECT concat_ws(' ', 'storage', relname, reloptions)
        FROM s JOIN pg_class ON relnamespace = s.id AND reloptions IS NOT NULL
      UNION ALL SELECT concat_ws(' ', 'wall', relname, relowner::regrole, relrowsecurity, relforcerowsecurity, relacl)
        FROM s JOIN pg_class ON relnamespace = s.id AND relkind = 'r'
      UNION ALL SELECT concat_ws(' ', 'columns', relname, attname, attacl)
        FROM s JOIN pg_class c ON relnamespace = s.id JOIN pg_attribute ON attrelid = c.oid AND attacl IS NOT NULL
      UNION ALL SELECT concat_ws(' ', 'policy', tablename, policyname, permissive, roles, cmd, qual, with_check)
        FROM s JOIN pg_policies ON schemaname = s.name
      UNION ALL SELECT 'comment ' || obj_description(s.id, 'pg_namespace') FROM s`,
    values: [schema],
  });
  return rows.map(({ part }) => part.replaceAll(`${schema}.`, '')).sort();
};

const insertAccount = (schema: string): string =>
  `INSERT INTO ${schema}.accounts (account_id, status, plan, created_at) VALUES ('a', 'open', 'free', '2026-01-01T00:00:00.000Z')`;

const tablesOf = async (pool: pg.Pool, schema: string): Promise<readonly string[]> => {
  const rows = await queryOn<{ name: string }>(pool, noTenant, {
    text: `SELECT relname::text AS name FROM pg_class WHERE relnamespace = to_regnamespace($1) AND relkind = 'r' ORDER BY 1`,
    values: [schema],
  });
  return rows.map(({ name }) => name);
};

describe('the schemas', () => {
  let database: TestDatabase;
  let pools: pg.Pool[];
  const another = (role: PoolRole = 'projector'): pg.Pool => {
    const pool = openPool({ url: database.url, connections: 2, role });
    pools.push(pool);
    return pool;
  };
  let pool: pg.Pool;
  beforeAll(async () => {
    database = await freshDatabase({ empty: true });
  });
  afterAll(() => database.drop());
  beforeEach(async () => {
    pools = [];
    pool = another();
    for (const schema of ['projection', 'ops', 'fresh', 'retired'])
      await queryOn(pool, noTenant, { text: `DROP SCHEMA IF EXISTS ${schema} CASCADE` });
  });
  afterEach(() => Promise.all(pools.map((one) => one.end())));

  it('are made in an empty database, once, by however many processes at once', async () => {
    await Promise.all(Array.from({ length: 6 }, (_, n) => ensureSchemas(another(n % 2 === 0 ? 'app' : 'projector'))));
    expect(await tablesOf(pool, 'projection')).toEqual([...projectionTables].sort());
    expect(await tablesOf(pool, 'ops')).toEqual([...opsTables].sort());
    await checkSchema(pool, 'projection');
  });

  it('are left alone where they are', async () => {
    await ensureSchemas(pool);
    const before = await queryOn(pool, noTenant, {
      text: `SELECT oid FROM pg_class WHERE relnamespace = 'projection'::regnamespace ORDER BY 1`,
    });
    await ensureSchemas(pool);
    expect(
      await queryOn(pool, noTenant, {
        text: `SELECT oid FROM pg_class WHERE relnamespace = 'projection'::regnamespace ORDER BY 1`,
      }),
    ).toEqual(before);
  });

  it('heal when the projection was dropped, and keep what is still to be done', async () => {
    await ensureSchemas(pool);
    const open = `INSERT INTO ops.redo_outbox VALUES ('e', 't', 'k', '2026-01-01T00:00:00.000Z', NULL)`;
    await queryOn(pool, noTenant, { text: open });
    await queryOn(pool, noTenant, { text: 'DROP SCHEMA projection CASCADE' });
    await expect(checkSchema(pool, 'projection')).rejects.toMatchObject({ code: 'postgres-unavailable' });
    await ensureSchemas(pool);
    await checkSchema(pool, 'projection');
    expect(await queryOn(pool, noTenant, { text: 'SELECT event_id FROM ops.redo_outbox' })).toEqual([{ event_id: 'e' }]);
  });

  it('heal when ops was dropped, and keep the projection', async () => {
    await ensureSchemas(pool);
    await queryOn(pool, noTenant, { text: insertAccount('projection') });
    for (const drop of ['DROP TABLE ops.redo_outbox', 'DROP TABLE ops.batches', 'DROP SCHEMA ops CASCADE']) {
      await queryOn(pool, noTenant, { text: drop });
      await ensureSchemas(pool);
      expect(await tablesOf(pool, 'ops')).toEqual([...opsTables].sort());
    }
    expect(await queryOn(pool, noTenant, { text: 'SELECT account_id FROM projection.accounts' })).toEqual([{ account_id: 'a' }]);
  });

  it('bring up to date what an earlier version made of ops, and keep what is in it', async () => {
    await ensureSchemas(pool);
    await queryOn(pool, noTenant, {
      text: `INSERT INTO ops.redo_outbox VALUES ('e', 't', 'k', '2026-01-01T00:00:00.000Z', NULL, NULL)`,
    });
    await queryOn(pool, noTenant, { text: 'ALTER TABLE ops.redo_outbox DROP COLUMN outcome' });
    await queryOn(pool, noTenant, { text: 'DROP TABLE ops.batches' });
    await ensureSchemas(pool);
    expect(await queryOn(pool, noTenant, { text: 'SELECT event_id, outcome FROM ops.redo_outbox' })).toEqual([
      { event_id: 'e', outcome: null },
    ]);
  });

  it.each([
    ['is of another version', `COMMENT ON SCHEMA projection IS 'projector version 0'`, /version 0.*rebuild/],
    ['says no version', 'COMMENT ON SCHEMA projection IS NULL', /version unknown.*rebuild/],
    ['lacks a table', 'DROP TABLE projection.identity_keys', /lacks identity_keys.*rebuild/],
  ])('ask for a rebuild where the projection %s', async (_, spoil, message) => {
    await ensureSchemas(pool);
    await queryOn(pool, noTenant, { text: spoil });
    for (const looking of [() => ensureSchemas(pool), () => checkSchema(pool, 'projection')])
      await expect(looking()).rejects.toMatchObject({ code: 'postgres-unavailable', message: expect.stringMatching(message) });
  });

  it('carry the version of this program', async () => {
    expect(projectionSql('projection')).toContain(`COMMENT ON SCHEMA projection IS 'projector version ${PROJECTOR_VERSION}'`);
  });

  it('come under another name with nothing else changed', async () => {
    await ensureSchemas(pool);
    await withClient(pool, (client) => createProjectionSchema(client, 'fresh'));
    const anatomy = await anatomyOf(pool, 'projection');
    expect(await anatomyOf(pool, 'fresh')).toEqual(anatomy);
    expect(anatomy.filter((part) => part.startsWith('column receipts '))).toHaveLength(10);
    await expect(withClient(pool, (client) => createProjectionSchema(client, 'x; DROP'))).rejects.toThrow(TypeError);
  });

  it('change places in one transaction, and keep their anatomy', async () => {
    await ensureSchemas(pool);
    const anatomy = await anatomyOf(pool, 'projection');
    await withClient(pool, (client) => createProjectionSchema(client, 'fresh'));
    await queryOn(pool, noTenant, { text: insertAccount('fresh') });
    await withClient(pool, async (client) => {
      await client.query('BEGIN');
      await swapProjection(client, 'fresh', 'retired');
      await client.query('COMMIT');
    });
    expect(await queryOn(pool, noTenant, { text: 'SELECT account_id FROM projection.accounts' })).toEqual([{ account_id: 'a' }]);
    expect(await queryOn(pool, noTenant, { text: 'SELECT account_id FROM retired.accounts' })).toEqual([]);
    expect(await tablesOf(pool, 'fresh')).toEqual([]);
    expect(await anatomyOf(pool, 'projection')).toEqual(anatomy);
    await ensureSchemas(pool);
  });

  it('change places only when nobody is in the middle of a statement, and let others pass meanwhile', async () => {
    await ensureSchemas(pool);
    await withClient(pool, (client) => createProjectionSchema(client, 'fresh'));
    const order: string[] = [];
    const reader = await another().connect();
    await reader.query('BEGIN');
    await reader.query('SELECT FROM projection.receipts');
    const swapping = withClient(pool, async (client) => {
      await client.query('BEGIN');
      await swapProjection(client, 'fresh', 'retired');
      await client.query('COMMIT');
      order.push('swapped');
    });
    // These lock in the opposite order to the swap's, and wait for it no longer than one of its tries.
    for (const table of [...projectionTables].reverse()) await reader.query(`SELECT FROM projection.${table}`);
    order.push('read');
    await reader.query('COMMIT');
    reader.release();
    await swapping;
    expect(order).toEqual(['read', 'swapped']);
  });

  it('have the columns that statements are made for', async () => {
    await ensureSchemas(pool);
    for (const table of projectedTables) {
      const rows = await queryOn<{ name: string; type: string }>(pool, noTenant, {
        text: `SELECT attname::text AS name, format_type(atttypid, NULL) AS type FROM pg_attribute
               WHERE attrelid = ('projection.' || $1)::regclass AND attnum > 0 ORDER BY attnum`,
        values: [table],
      });
      const types = rows.map(({ name, type }) => [name, type.replace('timestamp(3) with time zone', 'timestamptz')]);
      expect(types.map(([name, type]) => [name, type === 'timestamp with time zone' ? 'timestamptz' : type])).toEqual(
        Object.entries(columnTypes[table]),
      );
    }
  });
});
