import type pg from 'pg';
import { createBareSchema, raiseWalls } from '../src/adapter/postgres/migrate.ts';
import { withClient } from '../src/adapter/postgres/pool.ts';
import { orOutage } from '../src/adapter/postgres/postgres-outage.ts';

/** The statements that give a schema back its keys and indexes. */
export type Indexing = { readonly statements: readonly string[] };

/**
 * Makes an empty projection beside the live one, without tenant walls, keys and indexes: filling a table and then indexing it is faster, and a ledger
 * that contradicts itself must be found by the check of its receipts, not by a constraint. Throws `Outage`.
 */
export const createFresh = (pool: pg.Pool, schema: string): Promise<Indexing> =>
  orOutage(() =>
    withClient(pool, async (client) => {
      await client.query('BEGIN');
      await createBareSchema(client, schema);
      const statements = await unindex(client, schema);
      // A crash before this leaves nothing, after this an empty schema, which the next run drops.
      await client.query('COMMIT');
      return { statements };
    }),
  );

export const dropSchema = (pool: pg.Pool, schema: string): Promise<void> =>
  orOutage(() => withClient(pool, async (client) => void (await client.query(`DROP SCHEMA IF EXISTS ${schema} CASCADE`))));

/** Puts keys and indexes on the filled tables and gives the planner its statistics. Throws `Outage`, and as `pg`. */
export const index = (pool: pg.Pool, { statements }: Indexing, tables: readonly string[]): Promise<void> =>
  orOutage(() =>
    withClient(pool, async (client) => {
      await client.query(`SET maintenance_work_mem = '256MB'`);
      for (const statement of statements) await client.query(statement);
      for (const table of tables) await client.query(`ANALYZE ${table}`);
    }),
  );

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
const unindex = async (client: pg.ClientBase, schema: string): Promise<readonly string[]> => {
  const { rows } = await client.query<{ make: string; drop: string }>(
    `SELECT format('ALTER TABLE %s ADD CONSTRAINT %I %s', conrelid::regclass, conname, pg_get_constraintdef(oid)) AS make,
            format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname) AS drop, 1 AS kind, conname AS name
       FROM pg_constraint WHERE connamespace = $1::regnamespace AND contype IN ('p', 'u')
     UNION ALL
     SELECT pg_get_indexdef(indexrelid), format('DROP INDEX %s', indexrelid::regclass), 2, indexrelid::regclass::text
       FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
      WHERE relnamespace = $1::regnamespace AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)
     ORDER BY kind, name`,
    [schema],
  );
  for (const { drop } of rows) await client.query(drop);
  return rows.map(({ make }) => make);
};
