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

/** Where the projection that was live until the last rebuild is kept. */
export const RETIRED = 'projection_previous';

/** What differed at the moment of the swap, when nothing was in flight; or what is wrong with receipts that came meanwhile. */
export type Swapped = Result<readonly HeadDifference[], readonly LedgerFault[]>;

/**
 * Puts a fresh projection in the place of the live one. Appliers wait while the last receipts are caught up and the schemas renamed,
 * readers only for the renaming; when a lock is not given at once, everybody is let go on and it is tried again. Throws `Outage`.
 */
export const swapIn = async (fresh: FreshProjection): Promise<Swapped> => {
  await dropSchema(fresh.pool, RETIRED);
  for (let attempt = 1; attempt <= limits.swapAttempts; attempt++) {
    const faults = await catchUp(fresh);
    if (faults.length > 0) return err(faults);
    const swapped = await trySwap(fresh);
    if (swapped !== null) return swapped;
    await systemClock.sleep(systemClock.random() * limits.backoffCapMs);
  }
  throw unavailable(
    `the live projection was in use at each of ${limits.swapAttempts} attempts to swap it: nothing was changed, try again`,
  );
};

/** Follows streams that have grown, until few are left: the rest is done while appliers wait. */
export const catchUp = async ({ pool, schema, follower }: FreshProjection): Promise<readonly LedgerFault[]> => {
  for (let round = 0; round < limits.catchUpRounds; round++) {
    if ((await liveStateOf(pool)) !== 'whole') return [];
    const ahead = aheadOf(await withClient(pool, (client) => headDifferences(client, LIVE, schema)));
    const { faults, rows } = await follower.advance(ahead);
    if (faults.length > 0 || rows === 0 || ahead.length <= limits.parallelStreams) return faults;
  }
  return [];
};

const aheadOf = (differences: readonly HeadDifference[]): readonly FollowTo[] =>
  differences.flatMap(({ kind, stream, live, fresh }) =>
    kind === 'ahead' && live !== null ? { stream, from: fresh?.position ?? -1, to: live.position } : [],
  );

/** Null when a lock was not given in time, or the live projection came or went meanwhile: nothing was changed. */
const trySwap = async (fresh: FreshProjection): Promise<Swapped | null> => {
  const state = await liveStateOf(fresh.pool);
  try {
    return await withClient(fresh.pool, async (client) => {
      await client.query('BEGIN');
      await client.query(`SET LOCAL lock_timeout = ${limits.swapLockMs}`);
      const readable = state === 'whole' || state === 'empty';
      const swapped = readable ? await replaceLive(client, fresh) : await takePlace(client, fresh, state === 'other');
      // A crash before this changes nothing; after it the new projection is live, and the old one is dropped by the next rebuild.
      await client.query(swapped.ok ? 'COMMIT' : 'ROLLBACK');
      return swapped;
    });
  } catch (error) {
    if (isPassing(error)) return null;
    throw outageOf(error) ?? error;
  }
};

const replaceLive = async (client: pg.ClientBase, { schema, follower }: FreshProjection): Promise<Swapped> => {
  // Nobody moves a head or changes a row from here on; readers go on. All tables, for a statement must not find some before and
  // some after the swap.
  await client.query(`LOCK TABLE ${projectionTables.map((table) => `${LIVE}.${table}`).join(', ')} IN EXCLUSIVE MODE`);
  let differences = await headDifferences(client, LIVE, schema);
  const ahead = aheadOf(differences);
  if (ahead.length > 0) {
    const { faults } = await follower.advance(ahead);
    if (faults.length > 0) return err(faults);
    differences = await headDifferences(client, LIVE, schema);
  }
  const lost = await lostReceipts(client, differences);
  if (lost.length > 0) return err(lost);
  await swapProjection(client, schema, RETIRED);
  return ok(differences.filter(({ kind }) => kind !== 'behind'));
};

/** What is there is no projection that this program can read: it is put aside as it is. */
const takePlace = async (client: pg.ClientBase, { schema }: FreshProjection, taken: boolean): Promise<Swapped> => {
  if (taken) await client.query(`ALTER SCHEMA ${LIVE} RENAME TO ${RETIRED}`);
  await client.query(`ALTER SCHEMA ${schema} RENAME TO ${LIVE}`);
  return ok([]);
};
