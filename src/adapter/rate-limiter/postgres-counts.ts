import { RateLimiterPostgres } from 'rate-limiter-flexible';
import { limits } from '../../limits.ts';
import type { Clock } from '../../port/clock.ts';
import { type Counter, countKey } from '../window-counts.ts';

/** What is asked of a pool of connections: that of `pg`. */
export type CountsDatabase = {
  query(statement: { readonly text: string; readonly values: unknown[] }): Promise<{ readonly rowCount: number | null }>;
  end(): Promise<void>;
};

export type PostgresCounts = Counter & {
  /** Throws while the counts cannot be had. */
  check(): Promise<void>;
  /** Deletes counts whose windows are long over. A crash here leaves them to the next sweep. */
  sweep(): Promise<void>;
};

/**
 * The counts of all processes, in `ops.rate_limits`: a row a window, each change of it one statement. The library's `penalty` adds points and never
 * refuses, so one limiter serves all allowances, and what is granted follows from the sum that comes back: those who ask together get no
 * more than there is. It reckons with `Date.now()`, so `clock` should be the machine's. Throws as `pg`.
 */
export const postgresCounts = (database: CountsDatabase, clock: Clock): PostgresCounts => {
  const table = new RateLimiterPostgres({
    storeClient: database,
    storeType: 'pool',
    schemaName: 'ops',
    tableName: 'rate_limits',
    tableCreated: true, // by schema.sql
    clearExpiredByTimeout: false, // its one statement may never end once there is much to delete: see `sweep`
    keyPrefix: '',
    points: 1,
    duration: 1,
  });
  return {
    draw: async (counted, asked) => {
      const { points, windowMs } = counted;
      const key = countKey(counted);
      const counts = asked === 0 ? await table.get(key) : await table.penalty(key, asked, { customDuration: windowMs / 1000 });
      if (counts === null) return { granted: 0, remaining: points, endsMs: clock.now() + windowMs };
      const { consumedPoints, msBeforeNext } = counts;
      return {
        granted: Math.max(0, Math.min(asked, points - (consumedPoints - asked))),
        remaining: Math.max(0, points - consumedPoints),
        endsMs: clock.now() + msBeforeNext,
      };
    },
    reset: async (counted) => {
      await Promise.all(counted.map((each) => table.delete(countKey(each))));
    },
    check: async () => {
      await table.get('');
    },
    sweep: async () => {
      const values = [clock.now() - limits.allowanceGraceMs, limits.allowanceSweepRows];
      for (;;) {
        const { rowCount } = await database.query({ text: SWEEP, values });
        if ((rowCount ?? 0) < limits.allowanceSweepRows) return;
      }
    },
  };
};

const SWEEP = `DELETE FROM ops.rate_limits WHERE key IN
  (SELECT key FROM ops.rate_limits WHERE expire < $1 ORDER BY expire LIMIT $2 FOR UPDATE SKIP LOCKED)`;
