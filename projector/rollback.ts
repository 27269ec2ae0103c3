import type pg from 'pg';
import { checkSchema } from '../src/adapter/postgres/migrate.ts';
import { openPool } from '../src/adapter/postgres/pool.ts';
import { ensureRoles } from '../src/adapter/postgres/roles.ts';
import { Outage } from '../src/port/outage.ts';
import { type Result, err, ok } from '../src/result.ts';
import { openFollower } from './follow.ts';
import { type FreshOptions, type FreshRefusal, withFreshLock } from './fresh-projection.ts';
import type { HeadDifference } from './head-differences.ts';
import type { LedgerFault } from './ledger-fault.ts';
import { liveStateOf } from './live-projection.ts';
import { restoreOps } from './rebuild.ts';
import { RETIRED, catchUp, catchUpFromStore, swapIn } from './swap.ts';

export type RollbackRefusal =
  | Extract<FreshRefusal, { code: 'already-running' }>
  | { readonly code: 'nothing-to-roll-back' | 'previous-not-usable'; readonly detail: string }
  | { readonly code: 'receipts-not-valid'; readonly faults: readonly LedgerFault[] };

/** Heads of the projection that was put aside which were not the store's, and how many entries of the redo outbox were made again. */
export type RollbackReport = { readonly wrongHeads: readonly HeadDifference[]; readonly redone: number };

/**
 * Puts the projection that the last rebuild replaced back in its place, caught up with the receipts that came since; the one that was live is
 * kept in its stead, so that a second rollback undoes the first. Reads and appends go on. For when a new projector version turns out wrong:
 * run it with the program of the version to return to. Throws `Outage`.
 */
export const rollback = async ({
  source,
  databaseUrl,
  trust,
}: Pick<FreshOptions, 'source' | 'databaseUrl' | 'trust'>): Promise<Result<RollbackReport, RollbackRefusal>> => {
  await ensureRoles(databaseUrl);
  const pool = openPool({ url: databaseUrl, work: 'scans' });
  try {
    const unusable = await faultOfPrevious(pool);
    if (unusable !== null) return err(unusable);
    const rolled = await withFreshLock(pool, async () => {
      const follower = openFollower(source, trust, pool, RETIRED);
      const successor = { schema: RETIRED, pool, source, follower, quarantined: new Set<string>() };
      // A crash at any point before the swap leaves the live projection as it is, and the previous one further along.
      const faults = (await liveStateOf(pool)) === 'whole' ? await catchUp(successor) : await catchUpFromStore(successor);
      return ok(faults.length > 0 ? err(faults) : await swapIn(successor));
    });
    if (!rolled.ok) return rolled.error.code === 'already-running' ? err(rolled.error) : notLocked();
    if (!rolled.value.ok) return err({ code: 'receipts-not-valid', faults: rolled.value.error });
    return ok({ wrongHeads: rolled.value.value, redone: await restoreOps(pool) });
  } finally {
    await pool.end();
  }
};

/** Nothing that runs under the lock here looks at a whole ledger. */
const notLocked = (): never => {
  throw new TypeError('a rollback does not judge a ledger');
};

const faultOfPrevious = async (pool: pg.Pool): Promise<RollbackRefusal | null> => {
  const { rows } = await pool.query<{ there: boolean }>('SELECT to_regnamespace($1) IS NOT NULL AS there', [RETIRED]);
  if (rows[0]?.there !== true)
    return { code: 'nothing-to-roll-back', detail: `there is no ${RETIRED}: it is kept from one rebuild to the next` };
  try {
    await checkSchema(pool, RETIRED);
    return null;
  } catch (error) {
    if (!(error instanceof Outage)) throw error;
    return {
      code: 'previous-not-usable',
      detail: `${error.message.replace(/; run .*$/, '')}; roll back with the program that made it, or run \`pixpax-ledger rebuild\``,
    };
  }
};
