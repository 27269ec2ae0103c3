import type pg from 'pg';
import { withClient } from '../src/adapter/postgres/pool.ts';
import { orOutage } from '../src/adapter/postgres/postgres-outage.ts';
import { type Result, err } from '../src/result.ts';

/** Held by whoever makes a projection beside the live one, or needs the live one to itself: two at a time would undo each other's work. Any number does. */
const SOLE_LOCK = 0x706978706179;

/** Another run is under way, and nothing was done. */
export type AlreadyRunning = { readonly code: 'already-running'; readonly detail: string };

/**
 * Runs `use` while no projection is made or swapped beside it: a swap would wait in vain for whoever looks at the live tables for long. Whoever
 * dies here lets go of the lock with the connection. Throws `Outage`, and as `use`.
 */
export const soleRun = <T, E>(pool: pg.Pool, use: () => Promise<Result<T, E>>): Promise<Result<T, E | AlreadyRunning>> =>
  withClient(pool, async (lock) => {
    const { rows } = await orOutage(() => lock.query<{ held: boolean }>('SELECT pg_try_advisory_lock($1) AS held', [SOLE_LOCK]));
    if (rows[0]?.held !== true)
      return err({
        code: 'already-running',
        detail:
          'another rebuild, drift or repair of rows is running on this database; wait for it to end, or help a rebuild with `rebuild --join`',
      });
    const used = await use();
    await orOutage(() => lock.query('SELECT pg_advisory_unlock($1)', [SOLE_LOCK]));
    return used;
  });
