import type pg from 'pg';
import { limits } from '../../limits.ts';
import type { Clock } from '../../port/clock.ts';
import type { Meter, Month } from '../../port/meter.ts';
import { monthOf } from '../../port/meter.ts';
import type { AccountId } from '../../receipt/ids.ts';
import { type RawRow, storedCount } from '../stored-column.ts';
import { guardOn } from './guard.ts';
import { queryOn, withClient } from './pool.ts';
import { tenants } from './scope.ts';
import { runScoped } from './scoped-query.ts';

type Count = { readonly accountId: AccountId; readonly month: Month; commands: number };

/** Counts in memory, and in `ops.usage` once they are handed over. The pool is from `openPool` and stays its caller's. */
export const openMeter = (pool: pg.Pool, clock: Clock): Meter => {
  const guard = guardOn(pool, 'projection');
  const counted = new Map<string, Count>();
  return {
    count: (accountId) => {
      const month = monthOf(clock.now());
      const key = `${month} ${accountId}`;
      const there = counted.get(key);
      if (there === undefined) counted.set(key, { accountId, month, commands: 1 });
      else there.commands += 1;
    },
    commands: async (accountId, month) => {
      const [row] = await guard(() =>
        queryOn<RawRow>(pool, tenants(accountId), {
          text: 'SELECT commands FROM ops.usage WHERE account_id = $1 AND month = $2',
          values: [accountId, month],
        }),
      );
      return row === undefined ? 0 : storedCount('usage.commands', row.commands);
    },
    flush: async () => {
      while (counted.size > 0)
        await guard(() =>
          withClient(pool, async (client) => {
            // Only now, with a connection at hand: what was told to Postgres is told no second time, whatever becomes of it.
            const taken = [...counted].slice(0, limits.meteredAccounts);
            for (const [key] of taken) counted.delete(key);
            await runScoped(
              client,
              tenants(...taken.map(([, { accountId }]) => accountId)),
              addition(taken.map(([, count]) => count)),
            );
          }),
        );
    },
  };
};

const addition = (counts: readonly Count[]): pg.QueryConfig<unknown[]> => ({
  text: `INSERT INTO ops.usage (account_id, month, commands)
         SELECT account_id, month, commands FROM unnest($1::text[], $2::text[], $3::bigint[]) AS new (account_id, month, commands)
         ORDER BY account_id, month
         ON CONFLICT (account_id, month) DO UPDATE SET commands = usage.commands + excluded.commands`,
  values: [counts.map(({ accountId }) => accountId), counts.map(({ month }) => month), counts.map(({ commands }) => commands)],
});
