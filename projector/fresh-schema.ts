import pMap from 'p-map';
import type pg from 'pg';
import { createBareSchema, raiseWalls } from '../src/adapter/postgres/migrate.ts';
import { withClient } from '../src/adapter/postgres/pool.ts';
import { orOutage } from '../src/adapter/postgres/postgres-outage.ts';
import { projectionTables, requireSchemaName } from '../src/adapter/postgres/schema-text.ts';
import { limits } from '../src/limits.ts';

/** What gives a schema back a key or an index, by the name it has in the schema. */
export type Indexing = readonly { readonly name: string; readonly table: string; readonly statement: string }[];

/**
 * Makes an empty projection beside the live one, without tenant walls, keys and indexes, in the client's transaction: filling a table and
 * then indexing it is faster, and a ledger that contradicts itself must be found by the check of its receipts, not by a constraint.
 * Throws as `pg`.
 */
export const createBare = async (client: pg.ClientBase, schema: string): Promise<Indexing> => {
  await createBareSchema(client, schema);
  // Nobody reads them yet, and vacuuming tables while they fill would read them once more.
  for (const table of projectionTables) await client.query(`ALTER TABLE ${schema}.${table} SET (autovacuum_enabled = off)`);
  return unindex(client, schema);
};

export const dropSchemaOn = async (client: pg.ClientBase, schema: string): Promise<void> =>
  void (await client.query(`DROP SCHEMA IF EXISTS ${requireSchemaName(schema)} CASCADE`));

export const dropSchema = (pool: pg.Pool, schema: string): Promise<void> =>
  orOutage(() => withClient(pool, (client) => dropSchemaOn(client, schema)));

/**
 * Puts keys and indexes on the filled tables, those that are missing, and gives the planner its statistics. A crash leaves some of them: the next call
 * makes the rest. Throws `Outage`, and as `pg`.
 */
export const index = async (
  pool: pg.Pool,
  schema: string,
  indexing: Indexing,
  atOnce: number = limits.indexedTables,
): Promise<void> => {
  const there = await orOutage(() => withClient(pool, (client) => indexesOf(client, schema)));
  const missing = Map.groupBy(
    indexing.filter(({ name }) => !there.has(name)),
    ({ table }) => table,
  );
  // The largest first: the others are made beside it.
  const tables = [...projectionTables].sort((a, b) => (a === 'receipts' ? -1 : b === 'receipts' ? 1 : 0));
  await pMap(tables, (table) => indexTable(pool, `${schema}.${table}`, missing.get(table) ?? [], atOnce), {
    concurrency: atOnce,
  });
};

const indexTable = (pool: pg.Pool, table: string, missing: Indexing, atOnce: number): Promise<void> =>
  orOutage(() =>
    withClient(pool, async (client) => {
      // One at a time means that others are at work here: then no helpers of Postgres either.
      const helpers = atOnce === 1 ? 'SET max_parallel_maintenance_workers = 0; ' : '';
      await client.query(`SET maintenance_work_mem = '256MB'; ${helpers}`);
      for (const { statement } of missing) await client.query(statement);
      await client.query(`ALTER TABLE ${table} RESET (autovacuum_enabled); ANALYZE ${table}; RESET ALL`);
    }),
  );

const indexesOf = async (client: pg.ClientBase, schema: string): Promise<ReadonlySet<string>> => {
  const { rows } = await client.query<{ name: string }>(
    `SELECT relname AS name FROM pg_class JOIN pg_index ON indexrelid = oid WHERE relnamespace = $1::regnamespace AND indisvalid`,
    [schema],
  );
  return new Set(rows.map(({ name }) => name));
};

/** Lets others than the projector at the tables, behind their tenant walls. From here on COPY cannot fill them. Throws `Outage`. */
export const wallIn = (pool: pg.Pool, schema: string): Promise<void> =>
  orOutage(() =>
    withClient(pool, async (client) => {
      await client.query('BEGIN');
      await raiseWalls(client, schema);
      await client.query('COMMIT');
    }),
  );

/** Drops every key and index of a schema's tables and returns what makes them again, keys first. */
const unindex = async (client: pg.ClientBase, schema: string): Promise<Indexing> => {
  const { rows } = await client.query<{ name: string; table: string; statement: string; drop: string }>(
    `SELECT format('ALTER TABLE %s ADD CONSTRAINT %I %s', conrelid::regclass, conname, pg_get_constraintdef(oid)) AS statement,
            format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname) AS drop, 1 AS kind, conname::text AS name,
            (SELECT relname::text FROM pg_class WHERE oid = conrelid) AS table
       FROM pg_constraint WHERE connamespace = $1::regnamespace AND contype IN ('p', 'u')
     UNION ALL
     SELECT pg_get_indexdef(indexrelid), format('DROP INDEX %s', indexrelid::regclass), 2, i.relname::text,
            (SELECT relname::text FROM pg_class WHERE oid = indrelid)
       FROM pg_index JOIN pg_class AS i ON i.oid = indexrelid
      WHERE relnamespace = $1::regnamespace AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)
     ORDER BY kind, name`,
    [schema],
  );
  await client.query(rows.map(({ drop }) => drop).join('; '));
  return rows.map(({ name, table, statement }) => ({ name, table, statement }));
};
