import { openPool } from '../src/adapter/postgres/pool.ts';
import { ensureRoles } from '../src/adapter/postgres/roles.ts';
import { limits } from '../src/limits.ts';
import { systemClock } from '../src/port/clock.ts';
import { type Result, err, ok } from '../src/result.ts';
import { takePart } from './fill/fill.ts';
import { mayBeJoined } from './fill/filling.ts';
import { openUnitQueue } from './fill/unit-queue.ts';
import { FRESH_SCHEMA, type FreshOptions, withLanes } from './fresh-projection.ts';

/** What this process did of a rebuild that another leads. */
export type JoinReport = { readonly units: number; readonly receipts: number };

export type JoinOptions = Pick<FreshOptions, 'source' | 'databaseUrl' | 'trust' | 'threads' | 'onProgress'> & {
  /** How long to wait for a rebuild to begin. */
  readonly patienceMs?: number;
  /** Called when there is none yet. */
  readonly onWaiting?: () => void;
};

export type NothingToJoin = { readonly code: 'nothing-to-join'; readonly detail: string };

/**
 * Helps with a rebuild that another process leads, on this machine or another: takes over units of it until none is left. Any number may; any may die
 * at any time, and the others do its units. The leader indexes, compares and swaps. Errors: no rebuild of the same store, trust and program
 * began within `patienceMs`. Throws `Outage`.
 */
export const joinRebuild = async (options: JoinOptions): Promise<Result<JoinReport, NothingToJoin>> => {
  const { source, databaseUrl, trust, patienceMs = limits.helperPatienceMs, onProgress } = options;
  await ensureRoles(databaseUrl);
  const pool = openPool({ url: databaseUrl, work: 'scans' });
  const mayJoin = (): Promise<boolean> => mayBeJoined(pool, FRESH_SCHEMA, { source: source.description, trust });
  try {
    for (let waitedMs = 0; !(await mayJoin()); waitedMs += limits.unitPollMs) {
      if (waitedMs === 0) options.onWaiting?.();
      if (waitedMs >= patienceMs)
        return err({ code: 'nothing-to-join', detail: 'no rebuild of this ledger, by this program, is in need of help' });
      await systemClock.sleep(limits.unitPollMs);
    }
    const done = await withLanes(FRESH_SCHEMA, options, async (lanes) => {
      const queue = await openUnitQueue(pool, FRESH_SCHEMA, source, lanes.length);
      try {
        return await takePart({ source, lanes, queue, expected: null, onProgress });
      } finally {
        queue.close();
      }
    });
    return ok({ units: done.units, receipts: done.receipts });
  } catch (error) {
    // The leader has ended it, well or badly, and its tables are gone: that is for the leader to tell.
    if (await mayJoin()) throw error;
    return ok({ units: 0, receipts: 0 });
  } finally {
    await pool.end();
  }
};
