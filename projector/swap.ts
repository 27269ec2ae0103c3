import type pg from 'pg';
import { swapProjection } from '../src/adapter/postgres/migrate.ts';
import { withClient } from '../src/adapter/postgres/pool.ts';
import { outageOf, unavailable } from '../src/adapter/postgres/postgres-outage.ts';
import { projectionTables } from '../src/adapter/postgres/schema-text.ts';
import { limits } from '../src/limits.ts';
import { systemClock } from '../src/port/clock.ts';
import { type Result, err, ok } from '../src/result.ts';
import type { FollowTo } from './follow.ts';
import type { FreshProjection } from './fresh-projection.ts';
import { dropSchema } from './fresh-schema.ts';
import { type HeadDifference, headDifferences } from './head-differences.ts';
import type { LedgerFault } from './ledger-fault.ts';
import { LIVE, isPassing, liveStateOf } from './live-projection.ts';
import { lostReceipts } from './lost-receipts.ts';
import { storeTails } from './store-tail.ts';

/** Where the projection that was live until the last rebuild is kept: for one rollback. */
export const RETIRED = 'projection_previous';

/** A projection that is to be live: made anew, or the one that was live before. */
export type Successor = Pick<FreshProjection, 'schema' | 'pool' | 'source' | 'follower' | 'quarantined'>;

/** What differed at the moment of the swap, when nothing was in flight; or what is wrong with receipts that came meanwhile. */
export type Swapped = Result<readonly HeadDifference[], readonly LedgerFault[]>;

/**
 * Puts a projection in the place of the live one, which is kept as `projection_previous`. Appliers wait while the last receipts are caught up
 * and the schemas renamed, readers only for the renaming; when a lock is not given at once, everybody is let go on and it is tried again.
 * Throws `Outage`.
 */
export const swapIn = async (successor: Successor): Promise<Swapped> => {
  if (successor.schema !== RETIRED) await dropSchema(successor.pool, RETIRED);
  for (let attempt = 1; attempt <= limits.swapAttempts; attempt++) {
    const faults = await catchUp(successor);
    if (faults.length > 0) return err(faults);
    const swapped = await trySwap(successor);
    if (swapped !== null) return swapped;
    await systemClock.sleep(systemClock.random() * limits.backoffCapMs);
  }
  throw unavailable(
    `the live projection was in use at each of ${limits.swapAttempts} attempts to swap it: nothing was changed, try again`,
  );
};

/** Follows streams that have grown, until few are left: the rest is done while appliers wait. */
export const catchUp = async (successor: Successor): Promise<readonly LedgerFault[]> => {
  const { pool, schema, follower } = successor;
  for (let round = 0; round < limits.catchUpRounds; round++) {
    if ((await liveStateOf(pool)) !== 'whole') return [];
    const ahead = aheadOf(successor, await withClient(pool, (client) => headDifferences(client, LIVE, schema, AHEAD)));
    const { faults, rows } = await follower.advance(ahead);
    if (faults.length > 0 || rows === 0 || ahead.length <= limits.parallelStreams) return faults;
  }
  return [];
};

/** The same by what the store lists, where the live projection cannot tell. */
export const catchUpFromStore = async ({
  source,
  pool,
  schema,
  follower,
  quarantined,
}: Successor): Promise<readonly LedgerFault[]> => {
  for await (const tails of storeTails(source, pool, schema)) {
    const { faults } = await follower.advance(tails.filter(({ stream }) => !quarantined.has(stream)));
    if (faults.length > 0) return faults;
  }
  return [];
};

const AHEAD = { withoutBehind: true };

/** Streams that the live projection has more of. Those in quarantine are not followed behind their fault. */
const aheadOf = ({ quarantined }: Successor, differences: readonly HeadDifference[]): readonly FollowTo[] =>
  differences.flatMap(({ kind, stream, live, fresh }) =>
    kind === 'ahead' && live !== null && !quarantined.has(stream)
      ? [{ stream, from: fresh?.position ?? -1, to: live.position }]
      : [],
  );

/** Null when a lock was not given in time, or the live projection came or went meanwhile: nothing was changed. */
const trySwap = async (successor: Successor): Promise<Swapped | null> => {
  const state = await liveStateOf(successor.pool);
  try {
    return await withClient(successor.pool, async (client) => {
      await client.query('BEGIN');
      await client.query(`SET LOCAL lock_timeout = ${limits.swapLockMs}`);
      const readable = state === 'whole' || state === 'empty';
      const swapped = readable ? await replaceLive(client, successor) : await takePlace(client, successor, state === 'other');
      // A crash before this changes nothing; after it the new projection is live, and the old one is dropped by the next rebuild.
      await client.query(swapped.ok ? 'COMMIT' : 'ROLLBACK');
      return swapped;
    });
  } catch (error) {
    if (isPassing(error)) return null;
    throw outageOf(error) ?? error;
  }
};

const replaceLive = async (client: pg.ClientBase, successor: Successor): Promise<Swapped> => {
  const { schema, follower, quarantined } = successor;
  // Nobody moves a head or changes a row from here on; readers go on. All tables, for a statement must not find some before and
  // some after the swap.
  await client.query(`LOCK TABLE ${projectionTables.map((table) => `${LIVE}.${table}`).join(', ')} IN EXCLUSIVE MODE`);
  let differences = await headDifferences(client, LIVE, schema, AHEAD);
  const ahead = aheadOf(successor, differences);
  if (ahead.length > 0) {
    const { faults } = await follower.advance(ahead);
    if (faults.length > 0) return err(faults);
    differences = await headDifferences(client, LIVE, schema, AHEAD);
  }
  const unexplained = differences.filter(({ stream }) => !quarantined.has(stream));
  const lost = await lostReceipts(client, unexplained);
  if (lost.length > 0) return err(lost);
  // A rollback takes the name that what it replaces is to have.
  const retired = schema === RETIRED ? STEPPING_ASIDE : RETIRED;
  await swapProjection(client, schema, retired);
  if (retired !== RETIRED) await client.query(`ALTER SCHEMA ${retired} RENAME TO ${RETIRED}`);
  return ok(unexplained);
};

/** A name that a projection has within the transaction of a rollback. */
const STEPPING_ASIDE = 'projection_stepping_aside';

/**
 * What is there is no projection that this program can read, though programs of another version may be reading it: it is put aside as it is,
 * and none of their statements finds tables of both.
 */
const takePlace = async (client: pg.ClientBase, { schema }: Successor, taken: boolean): Promise<Swapped> => {
  if (taken) {
    await lockAllOf(client, LIVE);
    await client.query(`ALTER SCHEMA ${LIVE} RENAME TO ${STEPPING_ASIDE}`);
  }
  await client.query(`ALTER SCHEMA ${schema} RENAME TO ${LIVE}`);
  if (taken) await client.query(`ALTER SCHEMA ${STEPPING_ASIDE} RENAME TO ${RETIRED}`);
  return ok([]);
};

const lockAllOf = async (client: pg.ClientBase, schema: string): Promise<void> => {
  const { rows } = await client.query<{ name: string }>(
    `SELECT format('%I.%I', $1::text, relname) AS name FROM pg_class WHERE relnamespace = to_regnamespace($1) AND relkind IN ('r', 'p')`,
    [schema],
  );
  if (rows.length > 0) await client.query(`LOCK TABLE ${rows.map(({ name }) => name).join(', ')} IN ACCESS EXCLUSIVE MODE`);
};
