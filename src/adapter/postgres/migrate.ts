import type pg from 'pg';
import { limits } from '../../limits.ts';
import { PROJECTOR_VERSION } from '../../stream/event.ts';
import { withClient } from './pool.ts';
import { isRivalry, orOutage, outageOf, unavailable } from './postgres-outage.ts';
import { APP_ROLE, PROJECTOR_ROLE } from './role-names.ts';
import { letProjectorCreate } from './roles.ts';
import { opsSql, opsTables, projectionSql, projectionTables, requireSchemaName, wallsSql } from './schema-text.ts';

/** Held by whoever makes or swaps schemas in this database. Any number does: it spells "pixpax" in ASCII. */
const SCHEMA_LOCK = 0x706978706178;

/** What a database holds of the ledger's schemas. */
type Holdings = {
  readonly tables: ReadonlySet<string>;
  readonly exists: boolean;
  readonly comment: string | null;
  readonly opsComplete: boolean;
};

/**
 * Makes `projection` and `ops` where they are missing, in one transaction; does nothing where they are there. Any number of
 * processes may call it at once. A crash leaves all or nothing. A projection that was dropped comes back empty, and fills by use or by a
 * rebuild; `ops` stays. The pool may be of any role; the roles must be there. Throws `Outage` when Postgres does not answer, or holds a
 * projection of another version or a part of one.
 */
export const ensureSchemas = (pool: pg.Pool): Promise<void> =>
  orOutage(async () => {
    if (isComplete(await withClient(pool, (client) => holdingsOf(client, 'projection')))) return;
    await inSchemaLock(pool, async (client) => {
      const holdings = await holdingsOf(client, 'projection');
      if (!holdings.opsComplete) await runAll(client, opsSql());
      if (!holdings.exists) await createProjectionSchema(client, 'projection');
      else requireWhole('projection', holdings);
    });
  });

/**
 * Makes an empty projection under another name, beside the live one, in the client's transaction. Here and below the client must be the
 * projector's. Throws as `pg`; TypeError for a name that would need quoting.
 */
export const createProjectionSchema = async (client: pg.ClientBase, name: string): Promise<void> => {
  await createBareSchema(client, name);
  await raiseWalls(client, name);
};

/** The same without walls, which only its owner reaches: to be filled by COPY, which walls do not let through. */
export const createBareSchema = (client: pg.ClientBase, name: string): Promise<void> => runAll(client, projectionSql(name));

/** Puts up the tenant walls of a bare schema, and lets the other roles in. */
export const raiseWalls = (client: pg.ClientBase, name: string): Promise<void> => runAll(client, wallsSql(name));

/**
 * Puts the projection `fresh` in the place of `live`, which is kept as `retired`. Call it in a transaction: everybody else sees the
 * one or the other, whole. Throws `Outage` when the live tables are never free; then the transaction is of no more use.
 */
export const swapProjection = async (
  client: pg.ClientBase,
  fresh: string,
  retired: string,
  live = 'projection',
): Promise<void> => {
  for (const name of [fresh, retired, live]) requireSchemaName(name);
  await client.query('SELECT pg_advisory_xact_lock($1)', [SCHEMA_LOCK]);
  await lockTables(client, live);
  await client.query(`ALTER SCHEMA ${live} RENAME TO ${retired}`);
  await client.query(`ALTER SCHEMA ${fresh} RENAME TO ${live}`);
};

/**
 * A statement that resolved its names before the swap must be over before it, or it would mix tables of both projections: so the swap
 * waits for every table. Statements lock the tables in orders of their own; rather than let Postgres find the deadlock after
 * a second and end one of them, the swap gives up soon, lets them pass and tries again.
 */
const lockTables = async (client: pg.ClientBase, schema: string): Promise<void> => {
  const tables = projectionTables.map((table) => `${schema}.${table}`).join(', ');
  for (let attempt = 1; ; attempt++) {
    await client.query(`SAVEPOINT swap; SET LOCAL lock_timeout = ${limits.swapLockMs}`);
    try {
      await client.query(`LOCK TABLE ${tables} IN ACCESS EXCLUSIVE MODE`);
      return;
    } catch (error) {
      if (!isRivalry(error) || attempt >= limits.swapAttempts) throw outageOf(error) ?? error;
      await client.query('ROLLBACK TO SAVEPOINT swap');
    }
  }
};

/** Throws `Outage` unless the schema is there, whole and of this program's version. */
export const checkSchema = async (pool: pg.Pool, schema: string): Promise<void> =>
  requireWhole(schema, await withClient(pool, (client) => holdingsOf(client, schema)));

const isComplete = (holdings: Holdings): boolean => faultOf(holdings) === null && holdings.opsComplete;

const requireWhole = (schema: string, holdings: Holdings): void => {
  const fault = faultOf(holdings);
  if (fault !== null)
    throw unavailable(`the schema ${schema} ${fault}; run \`pixpax-ledger rebuild\`, which makes it anew from the receipts`);
};

const faultOf = ({ exists, tables, comment }: Holdings): string | null => {
  if (!exists) return 'is missing';
  const version = /^projector version (\d+)$/.exec(comment ?? '')?.[1];
  if (version !== String(PROJECTOR_VERSION))
    return `is of projector version ${version ?? 'unknown'}, and this program of version ${PROJECTOR_VERSION}`;
  const missing = projectionTables.filter((table) => !tables.has(table));
  return missing.length === 0 ? null : `lacks ${missing.join(', ')}`;
};

const holdingsOf = async (client: pg.ClientBase, schema: string): Promise<Holdings> => {
  const { rows } = await client.query<Holdings & { tables: string[] }>(
    `SELECT to_regnamespace($1) IS NOT NULL AS "exists",
       obj_description(to_regnamespace($1), 'pg_namespace') AS comment,
       ARRAY(SELECT relname::text FROM pg_class WHERE relnamespace = to_regnamespace($1) AND relkind IN ('r', 'p')) AS tables,
       NOT EXISTS (SELECT FROM unnest($2::text[]) AS name WHERE NOT EXISTS (
         SELECT FROM pg_class WHERE relnamespace = to_regnamespace('ops') AND relname = name
           AND has_table_privilege($3, oid, 'INSERT'))) AS "opsComplete"`,
    [schema, opsTables, APP_ROLE],
  );
  const row = rows[0];
  if (row === undefined) throw new TypeError('a select without a row');
  return { ...row, tables: new Set(row.tables) };
};

const inSchemaLock = (pool: pg.Pool, use: (client: pg.PoolClient) => Promise<void>): Promise<void> =>
  withClient(pool, async (client) => {
    await client.query('BEGIN');
    await client.query('SELECT pg_advisory_xact_lock($1)', [SCHEMA_LOCK]);
    // Whoever the pool works as, what is made here is the projector's.
    await letProjectorCreate(client);
    await client.query(`SET LOCAL ROLE ${PROJECTOR_ROLE}`);
    await use(client);
    // A crash before this leaves nothing; `withClient` throws the connection away when anything above fails.
    await client.query('COMMIT');
  });

const runAll = async (client: pg.ClientBase, statements: readonly string[]): Promise<void> => {
  for (const statement of statements) await client.query(statement);
};
