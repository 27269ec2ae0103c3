import type pg from 'pg';
import { withClient } from '../src/adapter/postgres/pool.ts';
import { orOutage } from '../src/adapter/postgres/postgres-outage.ts';
import { limits } from '../src/limits.ts';
import { systemClock } from '../src/port/clock.ts';
import { type Result, err, ok } from '../src/result.ts';
import { DRIFT_SCHEMA, type FreshOptions, type FreshProjection, type FreshRefusal, withFresh } from './fresh-projection.ts';
import { type HeadDifference, headDifferences } from './head-differences.ts';
import { verdictOf } from './ledger-fault.ts';
import type { LedgerReport } from './ledger-report.ts';
import { LIVE, type LiveState, liveStateOf } from './live-projection.ts';
import { type RowDifference, rowDifferences } from './row-differences.ts';
import { catchUp } from './swap.ts';

export type DriftReport = {
  readonly ledger: LedgerReport;
  /** Nothing is compared with a projection that is `missing` or `other`: all of it is drift. */
  readonly live: LiveState;
  /** Streams that the live projection shows to another receipt than the store's last, and went on doing so. */
  readonly heads: readonly HeadDifference[];
  /** At most `limits.reportedFaults`, in the order of tables and keys; `rowCount` counts them all. */
  readonly rows: readonly RowDifference[];
  readonly rowCount: number;
  readonly drifted: boolean;
};

/**
 * Every difference between the live rows and what the receipts give, found by making the projection anew beside the live one and
 * comparing the two in one snapshot. Changes nothing. What is merely in flight is no drift. Throws `Outage`.
 */
export const drift = async (options: FreshOptions): Promise<Result<DriftReport, FreshRefusal>> => {
  const made = await withFresh(DRIFT_SCHEMA, options, compare);
  return made.ok ? made.value : made;
};

const compare = async (fresh: FreshProjection): Promise<Result<DriftReport, FreshRefusal>> => {
  const { pool, schema, ledger } = fresh;
  const faults = await catchUp(fresh);
  if (faults.length > 0)
    return err({
      code: 'ledger-not-valid',
      ledger: { ...ledger, verdict: verdictOf(faults), faults, faultCount: faults.length },
    });
  const live = await liveStateOf(pool);
  if (live === 'missing' || live === 'other') return ok({ ledger, live, heads: [], rows: [], rowCount: 0, drifted: true });
  const heads = await persistingHeads(fresh);
  const { rows, rowCount } = await inOneSnapshot(pool, schema, heads);
  return ok({ ledger, live, heads, rows, rowCount, drifted: heads.length + rowCount > 0 });
};

/** Rows of one snapshot. Streams that are being written at that moment are left out; those that are known to differ are not. */
const inOneSnapshot = (
  pool: pg.Pool,
  schema: string,
  heads: readonly HeadDifference[],
): Promise<Pick<DriftReport, 'rows' | 'rowCount'>> =>
  orOutage(() =>
    withClient(pool, async (client) => {
      await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
      const wrong = new Set(heads.map(({ stream }) => stream));
      const inFlight = (await headDifferences(client, LIVE, schema)).filter(({ stream }) => !wrong.has(stream));
      const rows: RowDifference[] = [];
      let rowCount = 0;
      await rowDifferences(client, { live: LIVE, fresh: schema, without: inFlight.map(({ stream }) => stream) }, (difference) => {
        rowCount += 1;
        if (rows.length < limits.reportedFaults) rows.push(difference);
      });
      await client.query('COMMIT');
      return { rows, rowCount };
    }),
  );

/**
 * A receipt is durable a moment before it is applied, and may be applied a moment after the store was read: waits for such moments to pass,
 * and answers the heads that were wrong all the while.
 */
const persistingHeads = async (fresh: FreshProjection): Promise<readonly HeadDifference[]> => {
  let wrong: readonly HeadDifference[] | null = null;
  for (let waitedMs = 0; ; waitedMs += limits.driftPollMs) {
    await catchUp(fresh);
    const now = await withClient(fresh.pool, (client) => headDifferences(client, LIVE, fresh.schema));
    const before: ReadonlyMap<string, HeadDifference> = new Map(
      (wrong ?? now).map((difference) => [difference.stream, difference]),
    );
    wrong = now.filter(({ stream, live }) => before.get(stream)?.live?.hash === live?.hash && before.has(stream));
    if (wrong.length === 0 || waitedMs >= limits.driftPatienceMs) return wrong;
    await systemClock.sleep(limits.driftPollMs);
  }
};
