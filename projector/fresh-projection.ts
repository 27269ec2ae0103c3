import { availableParallelism } from 'node:os';
import type pg from 'pg';
import { ensureRoles } from '../src/adapter/postgres/roles.ts';
import { limits } from '../src/limits.ts';
import type { PublicKeyId } from '../src/receipt/ids.ts';
import { type Result, err, ok } from '../src/result.ts';
import { type FillPart, type Filled, reportOf, takePart } from './fill/fill.ts';
import { type Filling, fillingSchemaOf, noteIndexed, openFilling } from './fill/filling.ts';
import { openLoad } from './fill/unit-load.ts';
import { openUnitQueue } from './fill/unit-queue.ts';
import { type Follower, openFollower } from './follow.ts';
import { dropSchema, index, wallIn } from './fresh-schema.ts';
import { type Lane, laneHere } from './lane.ts';
import { laneInThread } from './lane-thread.ts';
import type { LedgerReport, Progress } from './ledger-report.ts';
import { OPERATOR_PREFIX } from './ledger-walk.ts';
import { type Company, companyIn, receiptsApplied } from './live-projection.ts';
import { type AlreadyRunning, soleRun } from './sole-run.ts';
import type { LedgerSource } from './source.ts';
import { withPool } from './with-pool.ts';

export type FreshOptions = {
  /** Opened with `durable`: a row must not show a receipt that loss of power could take back. */
  readonly source: LedgerSource;
  readonly databaseUrl: string;
  readonly trust: PublicKeyId | null;
  /** Threads that read, check and load, this one among them; by default one to a core. */
  readonly threads?: number | undefined;
  /** Who else is at work here: by default, who is seen to be. A service is left most of Postgres, and one on this machine a core too. */
  readonly company?: Company | undefined;
  /** Goes on where a run of the same terms was stopped, if there is one. */
  readonly resume?: boolean | undefined;
  /** Streams that are not true or not whole are projected up to their fault, instead of being the end of it. */
  readonly quarantine?: boolean | undefined;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
};

/** A projection that was made from the receipts alone, beside the live one. */
export type FreshProjection = {
  readonly schema: string;
  readonly ledger: LedgerReport;
  readonly pool: pg.Pool;
  readonly source: LedgerSource;
  /** Prefixes of streams that are in it up to a fault only, their own or that of an account they rest on. */
  readonly quarantined: ReadonlySet<string>;
  /** Whether a part of it was made by an earlier run: streams may have grown since. */
  readonly resumed: boolean;
  readonly gentle: boolean;
  /** Brings it up with streams that have grown since. */
  readonly follower: Follower;
};

export type FreshRefusal = AlreadyRunning | { readonly code: 'ledger-not-valid'; readonly ledger: LedgerReport };

/** Under which names projections are made beside the live one. */
export const FRESH_SCHEMA = 'projection_next';
export const DRIFT_SCHEMA = 'projection_drift';

/**
 * Makes a projection from the receipts, hands it to `use`, and drops what is left of it afterwards. Errors: another run is under way, or
 * the ledger is not valid (then `use` is not called). Whoever dies here, or throws, leaves a part of it, with which the next run goes on
 * if it asks for that. Throws `Outage`.
 */
export const withFresh = async <T>(
  schema: string,
  options: FreshOptions,
  use: (fresh: FreshProjection) => Promise<T>,
): Promise<Result<T, FreshRefusal>> => {
  await ensureRoles(options.databaseUrl);
  return withPool(options.databaseUrl, (pool) =>
    soleRun(pool, async () => {
      // What a drift that died left behind is of no use to anybody; a stopped rebuild may be gone on with.
      if (schema !== DRIFT_SCHEMA) await dropFilled(pool, DRIFT_SCHEMA);
      return makeAndUse(schema, options, pool, use);
    }),
  );
};

/** Those who help see the tables of the filling go first, and know that it is over. */
const dropFilled = async (pool: pg.Pool, schema: string): Promise<void> => {
  await dropSchema(pool, fillingSchemaOf(schema));
  await dropSchema(pool, schema);
};

const makeAndUse = async <T>(
  schema: string,
  options: FreshOptions,
  pool: pg.Pool,
  use: (fresh: FreshProjection) => Promise<T>,
): Promise<Result<T, FreshRefusal>> => {
  const { source, trust, resume = false } = options;
  const company = options.company ?? (await companyIn(pool));
  const gentle = company !== 'none';
  const filling = await openFilling(pool, schema, { source: source.description, trust }, { resume });
  const { ledger, partial } = await fillAll(pool, filling, { ...options, threads: threadsFor(options.threads, company) });
  // Nothing can be judged without the operator's stream.
  const mayGoOn = options.quarantine === true && ledger.fingerprint !== null && !partial.has(OPERATOR_PREFIX);
  if (ledger.verdict !== 'valid' && !mayGoOn) {
    await dropFilled(pool, schema);
    return err({ code: 'ledger-not-valid', ledger });
  }
  if (!filling.indexed) {
    await index(pool, schema, filling.indexing, gentle ? 1 : limits.indexedTables);
    await wallIn(pool, schema);
    await noteIndexed(pool, schema);
  }
  const follower = openFollower(source, ledger.fingerprint, pool, schema);
  const used = await use({ schema, ledger, pool, source, quarantined: partial, resumed: filling.resumed, gentle, follower });
  await dropFilled(pool, schema);
  return ok(used);
};

const threadsFor = (threads: number | undefined, company: Company): number =>
  threads ?? Math.max(1, availableParallelism() - (company === 'here' ? 1 : 0));

const fillAll = async (pool: pg.Pool, { schema }: Filling, options: FreshOptions): ReturnType<typeof reportOf> => {
  const { source, trust, onProgress } = options;
  return withLanes(schema, options, async (lanes) => {
    const expected = onProgress === undefined ? null : await receiptsApplied(pool);
    const queue = await openUnitQueue(pool, schema, source, lanes.length);
    try {
      const filled: Filled = await takePart({ source, lanes, queue, expected, onProgress });
      return await reportOf({ queue, source }, filled, trust !== null);
    } finally {
      queue.close();
    }
  });
};

/** Runs `use` with lanes that load into a schema, in this thread and others. */
export const withLanes = async <T>(
  schema: string,
  { source, databaseUrl, trust, threads }: Pick<FreshOptions, 'source' | 'databaseUrl' | 'trust' | 'threads'>,
  use: (lanes: FillPart['lanes']) => Promise<T>,
): Promise<T> => {
  const order = { databaseUrl, schema };
  const { address } = source;
  const others = address === null ? 0 : Math.max(0, (threads ?? availableParallelism()) - 1);
  const lanes: Lane[] = [];
  try {
    lanes.push(laneHere(source, trust, await openLoad(order)));
    for (let n = 0; n < others && address !== null; n++)
      lanes.push(laneInThread({ address, trust, work: { kind: 'load', ...order } }));
    const used = await use(lanes);
    await Promise.all(lanes.map((lane) => lane.finish()));
    return used;
  } catch (error) {
    await Promise.all(lanes.map((lane) => lane.abandon()));
    throw error;
  }
};
