import { hash } from 'node:crypto';
import { type Compilable, DummyDriver, Kysely, PostgresAdapter, PostgresIntrospector, PostgresQueryCompiler } from 'kysely';
import pg from 'pg';
import { limits } from '../../limits.ts';
import type { DB } from '../../projection/tables.generated.ts';
import { type Instant, parseInstant } from '../../receipt/ids.ts';
import { connectOutage } from './postgres-outage.ts';
import { APP_ROLE, PROJECTOR_ROLE } from './role-names.ts';
import type { Scope } from './scope.ts';
import { runScoped } from './scoped-query.ts';

/** By which name Postgres shows the connections that look rows up by key: those of a service. */
export const KEYS_APPLICATION = 'pixpax-ledger';

export type PoolOptions = {
  /** `postgres://…`, as libpq understands it. */
  readonly url: string;
  /** At most this many connections. */
  readonly connections?: number;
  /**
   * `keys` (the default): short statements that look rows up by key, each bounded by `limits.databaseTimeoutMs`.
   * `scans`: whole tables, for as long as it takes (rebuild, digests).
   */
  readonly work?: 'keys' | 'scans';
  /**
   * As whom the statements run, whoever the address logs in as. `app`, which the tenant walls bind, is the default of `keys`; `projector`,
   * which owns the tables and sees everything, that of `scans`. `ensureRoles` makes both.
   */
  readonly role?: PoolRole;
  /** Bounds the short statements instead of `limits.databaseTimeoutMs`. */
  readonly timeoutMs?: number;
};

export type PoolRole = 'app' | 'projector';

const ROLES: { readonly [R in PoolRole]: string } = { app: APP_ROLE, projector: PROJECTOR_ROLE };

/** What every session of ours says and understands, whatever the server's defaults are. */
const EVERY_SESSION = { TimeZone: 'UTC', DateStyle: 'ISO', bytea_output: 'hex' };

/**
 * Young tables have no statistics, and a plan made for an empty table would be kept while it grows: look-ups by key are told
 * to use their index, and pages of a list its order (a bitmap would find all of the list, to be sorted for its first rows). One plan
 * per statement, for planning costs more than running.
 */
const KEY_SESSION = {
  ...EVERY_SESSION,
  plan_cache_mode: 'force_generic_plan',
  enable_seqscan: 'off',
  enable_bitmapscan: 'off',
  enable_mergejoin: 'off',
  // Behind a tenant wall the planner expects look-ups to repeat, which they do not.
  enable_memoize: 'off',
  jit: 'off',
};

/**
 * A pool on one Postgres, connecting when first used. The caller ends it. Values come as the types of `tables.generated.ts` say: bigint as
 * number, timestamptz as `Instant`, json as its text, bytea as Buffer. Throws TypeError when `url` is no URL.
 */
export const openPool = ({
  url,
  connections,
  work = 'keys',
  role = work === 'keys' ? 'app' : 'projector',
  timeoutMs = limits.databaseTimeoutMs,
}: PoolOptions): pg.Pool => {
  const bounded = work === 'keys' ? { statement_timeout: timeoutMs, query_timeout: timeoutMs } : {};
  const pool = new pg.Pool({
    connectionString: withSettings(url, work === 'keys' ? KEY_SESSION : EVERY_SESSION, ROLES[role]),
    max: connections ?? limits.databaseConnections,
    connectionTimeoutMillis: limits.databaseConnectMs,
    idleTimeoutMillis: limits.databaseIdleMs,
    application_name: work === 'keys' ? KEYS_APPLICATION : `${KEYS_APPLICATION} scans`,
    keepAlive: true,
    types: { getTypeParser },
    ...bounded,
  });
  // An idle connection that breaks is dropped by the pool; whoever asks next gets a new one, or the outage.
  pool.on('error', () => undefined);
  // One that breaks while in use, between two statements, would end the process: its next statement says so instead.
  pool.on('connect', (client) => client.on('error', () => undefined));
  return pool;
};

/** A connection, to be released by the caller. Throws `Outage`. */
export const connectTo = async (pool: pg.Pool): Promise<pg.PoolClient> => {
  try {
    return await pool.connect();
  } catch (error) {
    throw connectOutage(error);
  }
};

/** Runs `use` on a connection, which is thrown away when `use` throws: nobody knows what state it is in. Throws as `use`, and `Outage`. */
export const withClient = async <T>(pool: pg.Pool, use: (client: pg.PoolClient) => Promise<T>): Promise<T> => {
  const client = await connectTo(pool);
  let failure: Error | undefined;
  try {
    return await use(client);
  } catch (error) {
    failure = error instanceof Error ? error : new Error('thrown');
    throw error;
  } finally {
    client.release(failure);
  }
};

/**
 * Runs one statement within its scope, on any connection. `Row` says which columns there are, not what is in them. Throws `Outage`, and
 * errors of `pg`.
 */
export const queryOn = <Row extends { readonly [column: string]: unknown }>(
  pool: pg.Pool,
  scope: Scope,
  query: pg.QueryConfig<unknown[]>,
): Promise<readonly Row[]> => withClient(pool, async (client) => (await runScoped<Row>(client, scope, prepared(query))).rows);

const names = new Map<string, string>();

/**
 * Under a name of its own a statement is planned once a connection, and planning one that walls surround takes Postgres longer than running it.
 * Lists have as many texts as there are filters; beyond the limit, rare ones are planned each time.
 */
const prepared = (query: pg.QueryConfig<unknown[]>): pg.QueryConfig<unknown[]> => {
  if (query.name !== undefined) return query;
  const known = names.get(query.text);
  if (known === undefined && names.size >= limits.databasePreparedStatements) return query;
  const name = known ?? `ask_${hash('sha256', query.text, 'hex').slice(0, 32)}`;
  names.set(query.text, name);
  return { ...query, name };
};

/** Kysely as the typed spelling of SQL in one schema; `rowsOf` runs what it compiles. */
export const sqlIn = (schema: string): Kysely<DB> =>
  new Kysely<DB>({
    dialect: {
      createAdapter: () => new PostgresAdapter(),
      createDriver: () => new DummyDriver(),
      createIntrospector: (db) => new PostgresIntrospector(db),
      createQueryCompiler: () => new PostgresQueryCompiler(),
    },
  }).withSchema(schema);

/** The rows a query of `sqlIn` answers. Throws `Outage`, and errors of `pg`. */
export const rowsOf = <Row>(pool: pg.Pool, scope: Scope, query: Compilable<Row>): Promise<readonly Row[]> => {
  const { sql, parameters } = query.compile();
  return queryOn<Row & { readonly [column: string]: unknown }>(pool, scope, { text: sql, values: [...parameters] });
};

/** The URL with our settings in front of the `options` it may have, so that an operator's own win; the role is not theirs to choose. */
const withSettings = (url: string, settings: { readonly [name: string]: string }, role: string): string => {
  const parsed = URL.parse(url);
  // The URL itself is not quoted: it holds the password.
  if (parsed === null)
    throw new TypeError('the address of Postgres is not a URL like postgres://user:password@host:5432/database');
  const ours = Object.entries(settings).map(([name, value]) => `-c ${name}=${value}`);
  parsed.searchParams.set('options', [...ours, parsed.searchParams.get('options') ?? '', `-c role=${role}`].join(' '));
  return parsed.href;
};

const INT8 = 20;
const TIMESTAMPTZ = 1184;
const JSON_TEXT = 114;

type Parser = (text: string) => unknown;

/** `pg` asks for text everywhere: nothing here is ever sent as binary. */
const getTypeParser = (oid: number): Parser => {
  if (oid === INT8) return integerOf;
  if (oid === TIMESTAMPTZ) return instantOfTimestamp;
  if (oid === JSON_TEXT) return (text) => text;
  return pg.types.getTypeParser(oid, 'text') as Parser;
};

const integerOf = (text: string): number => {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError('a bigint beyond 2^53 in Postgres');
  return value;
};

const TIMESTAMP = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.(\d{1,3}))?\+00$/;

/** `2026-11-21 02:29:08.1+00` → `2026-11-21T02:29:08.100Z`. Throws RangeError for what no receipt can say (infinity, BC). */
const instantOfTimestamp = (text: string): Instant => {
  const parts = TIMESTAMP.exec(text);
  const instant = parts && parseInstant(`${parts[1]}T${parts[2]}.${(parts[3] ?? '').padEnd(3, '0')}Z`);
  if (!instant?.ok) throw new RangeError('a timestamp in Postgres that is no instant of a receipt');
  return instant.value;
};
