import { availableParallelism } from 'node:os';
import type pg from 'pg';
import { openPool, withClient } from '../src/adapter/postgres/pool.ts';
import { orOutage } from '../src/adapter/postgres/postgres-outage.ts';
import { ensureRoles } from '../src/adapter/postgres/roles.ts';
import { projectedTables } from '../src/projection/rows.ts';
import type { PublicKeyId } from '../src/receipt/ids.ts';
import { type Result, err, ok } from '../src/result.ts';
import { type Follower, openFollower } from './follow.ts';
import { createFresh, dropSchema, index, wallIn } from './fresh-schema.ts';
import { type Lane, laneHere } from './lane.ts';
import { laneInThread } from './lane-thread.ts';
import type { LedgerReport, Progress } from './ledger-report.ts';
import { openLoad } from './load.ts';
import { replayLedger } from './replay.ts';
import type { LedgerSource } from './source.ts';

export type FreshOptions = {
  /** Opened with `durable`: a row must not show a receipt that loss of power could take back. */
  readonly source: LedgerSource;
  readonly databaseUrl: string;
  readonly trust: PublicKeyId | null;
  /** Threads that read, check and load, this one among them; by default one to a core. */
  readonly threads?: number | undefined;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
};

/** A projection that was made from the receipts alone, beside the live one. */
export type FreshProjection = {
  readonly schema: string;
  readonly ledger: LedgerReport;
  readonly pool: pg.Pool;
  /** Brings it up with streams that have grown since. */
  readonly follower: Follower;
};

export type FreshRefusal =
  | { readonly code: 'already-running'; readonly detail: string }
  | { readonly code: 'ledger-not-valid'; readonly ledger: LedgerReport };

/** Under which names projections are made beside the live one. */
export const FRESH_SCHEMA = 'projection_next';
export const DRIFT_SCHEMA = 'projection_drift';
const SCHEMAS = [FRESH_SCHEMA, DRIFT_SCHEMA];

/** Held while a projection is made beside the live one: two at a time would drop each other's. Any number does. */
export const FRESH_LOCK = 0x706978706179;

/**
 * Makes a projection from the receipts, hands it to `use`, and drops what is left of it afterwards. Errors: another run is under way, or
 * the ledger is not valid (then `use` is not called). Whoever dies here leaves a schema that the next run drops. Throws `Outage`.
 */
export const withFresh = async <T>(
  schema: string,
  options: FreshOptions,
  use: (fresh: FreshProjection) => Promise<T>,
): Promise<Result<T, FreshRefusal>> => {
  await ensureRoles(options.databaseUrl);
  const pool = openPool({ url: options.databaseUrl, work: 'scans' });
  try {
    return await withClient(pool, async (lock) => {
      const { rows } = await orOutage(() =>
        lock.query<{ held: boolean }>('SELECT pg_try_advisory_lock($1) AS held', [FRESH_LOCK]),
      );
      if (rows[0]?.held !== true)
        return err({
          code: 'already-running',
          detail: 'another rebuild or drift is running on this database; wait for it to end',
        });
      // What runs that died left behind: nobody else is at it while the lock is ours.
      for (const left of [...SCHEMAS, schema]) await dropSchema(pool, left);
      const made = await makeAndUse(schema, options, pool, use);
      // Should we die or throw before this, the lock goes with its connection.
      await orOutage(() => lock.query('SELECT pg_advisory_unlock($1)', [FRESH_LOCK]));
      return made;
    });
  } finally {
    await pool.end();
  }
};

const makeAndUse = async <T>(
  schema: string,
  options: FreshOptions,
  pool: pg.Pool,
  use: (fresh: FreshProjection) => Promise<T>,
): Promise<Result<T, FreshRefusal>> => {
  const indexing = await createFresh(pool, schema);
  try {
    const ledger = await load(schema, options);
    if (ledger.verdict !== 'valid') return err({ code: 'ledger-not-valid', ledger });
    await index(
      pool,
      indexing,
      projectedTables.map((table) => `${schema}.${table}`),
    );
    await wallIn(pool, schema);
    const follower = openFollower(options.source, ledger.fingerprint, pool, schema);
    return ok(await use({ schema, ledger, pool, follower }));
  } finally {
    await dropSchema(pool, schema);
  }
};

const load = async (schema: string, { source, databaseUrl, trust, threads, onProgress }: FreshOptions): Promise<LedgerReport> => {
  const order = { databaseUrl, schema };
  const { address } = source;
  const others = address === null ? 0 : Math.max(0, (threads ?? availableParallelism()) - 1);
  const lanes: Lane[] = [];
  try {
    lanes.push(laneHere(source, trust, await openLoad(order)));
    for (let n = 0; n < others && address !== null; n++)
      lanes.push(laneInThread({ address, trust, work: { kind: 'load', ...order } }));
    const report = await replayLedger({ source, lanes, pinned: trust !== null, onProgress });
    await Promise.all(lanes.map((lane) => lane.finish()));
    return report;
  } catch (error) {
    await Promise.all(lanes.map((lane) => lane.abandon()));
    throw error;
  }
};
