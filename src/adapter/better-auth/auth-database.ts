import { PostgresDialect } from 'kysely';
import pg from 'pg';
import { limits } from '../../limits.ts';
import { isValueFault, outageOf } from './postgres-fault.ts';

/** Where better-auth's tables are. */
export const AUTH_SCHEMA = 'auth';

/** Held by whoever changes the shape of the schema or fills an empty one: processes that start at once take turns. `pix_auth` in ASCII. */
export const AUTH_LOCK = `select pg_advisory_xact_lock(x'7069785f61757468'::bigint)`;

/**
 * Look-ups by key use their index even while tables are young and without statistics: a plan made for an empty table would be kept
 * while it grows.
 */
const BY_KEY = [
  'plan_cache_mode=force_generic_plan',
  'enable_seqscan=off',
  'enable_hashjoin=off',
  'enable_mergejoin=off',
  'jit=off',
];

/**
 * A small pool, connecting when first used. The caller ends it. int8 comes as number, else better-auth's rate limiter adds to text.
 * Throws TypeError when `databaseUrl` is no URL; it is not quoted, for it holds the password.
 */
export const openAuthPool = (databaseUrl: string, work: 'sign-in' | 'look-up'): pg.Pool => {
  const url = URL.parse(databaseUrl);
  if (url === null) throw new TypeError('the address of Postgres is not a URL like postgres://user:password@host:5432/database');
  if (work === 'look-up') {
    const settings = BY_KEY.map((setting) => `-c ${setting}`).join(' ');
    url.searchParams.set('options', `${settings} ${url.searchParams.get('options') ?? ''}`.trim());
  }
  const pool = new pg.Pool({
    connectionString: url.href,
    max: work === 'look-up' ? limits.sessionLookupConnections : limits.signInConnections,
    connectionTimeoutMillis: limits.databaseTimeoutMs,
    statement_timeout: limits.databaseTimeoutMs,
    query_timeout: limits.databaseTimeoutMs,
    application_name: `pixpax-ledger ${work}`,
    keepAlive: true,
    types: { getTypeParser },
  });
  // An idle connection that breaks is dropped by the pool; whoever asks next gets a new one, or the outage.
  pool.on('error', () => undefined);
  // One that breaks while in use, between two statements, would end the process: its next statement says so instead.
  pool.on('connect', (client) => client.on('error', () => undefined));
  return pool;
};

const INT8 = 20;

type Parser = (text: string) => unknown;

const getTypeParser = (oid: number, format?: 'text' | 'binary'): Parser =>
  oid === INT8 && format !== 'binary' ? Number : (pg.types.getTypeParser(oid, format === 'binary' ? 'binary' : 'text') as Parser);

/** Kysely on connections of somebody else's pool, which it can neither end nor open beside. */
export const dialectOn = (connect: () => Promise<pg.PoolClient>): PostgresDialect =>
  new PostgresDialect({ pool: { connect, end: () => Promise.resolve(), options: {} } });

/** One transaction's statements. Each throws `Outage`, unless Postgres refuses a value. */
export type Statements = {
  query<R extends pg.QueryResultRow = pg.QueryResultRow>(text: string, values?: unknown[]): Promise<pg.QueryResult<R>>;
};

/**
 * Runs `use` in one transaction: committed when it resolves, rolled back when it throws. Throws what `use` threw, and `Outage`; after a
 * failed commit nobody knows whether it was applied.
 */
export const inTransaction = async <T>(
  pool: pg.Pool,
  mode: 'read write' | 'read only',
  use: (statements: Statements) => Promise<T>,
): Promise<T> => {
  const client = await pool.connect().catch(rethrow);
  const statements: Statements = { query: (text, values) => client.query<never>(text, values).catch(rethrow) };
  let failure: Error | undefined;
  try {
    await statements.query(`begin isolation level ${mode === 'read only' ? 'repeatable read read only' : 'read committed'}`);
    const value = await use(statements);
    await statements.query('commit');
    return value;
  } catch (error) {
    failure = error instanceof Error ? error : new Error('thrown');
    throw error;
  } finally {
    // A connection whose transaction failed is thrown away, and Postgres rolls back: nobody knows what state it is in.
    client.release(failure);
  }
};

const rethrow = (error: unknown): never => {
  throw isValueFault(error) ? error : outageOf(error);
};
