import type pg from 'pg';
import { limits } from '../../limits.ts';
import type { Clock } from '../../port/clock.ts';
import { outageOf } from './postgres-fault.ts';

/**
 * Deletes sessions, keys and challenges of passkeys that nobody can use any more: better-auth removes only sessions that somebody asks for, and
 * anybody may ask for challenges. Throws `Outage`.
 */
export const forgetExpired = async (pool: pg.Pool, clock: Clock): Promise<void> => {
  const now = new Date(clock.now());
  try {
    for (const table of ['session', 'apikey', 'verification'])
      await pool.query(`delete from auth.${table} where "expiresAt" < $1`, [now]);
  } catch (error) {
    throw outageOf(error);
  }
};

/** `forgetExpired` when it is due, beside whatever calls this; `done` resolves when nothing runs. A failure waits for the next time. */
export const forgettingExpired = (pool: pg.Pool, clock: Clock) => {
  let last = clock.now();
  let running = Promise.resolve();
  return {
    whenDue: (): void => {
      if (clock.now() - last < limits.expiredSweepMs) return;
      last = clock.now();
      running = forgetExpired(pool, clock).catch(() => undefined);
    },
    done: (): Promise<void> => running,
  };
};
