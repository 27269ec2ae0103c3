import type pg from 'pg';
import { withClient } from '../src/adapter/postgres/pool.ts';
import { orOutage } from '../src/adapter/postgres/postgres-outage.ts';
import { ensureRoles } from '../src/adapter/postgres/roles.ts';
import { limits } from '../src/limits.ts';
import { systemClock } from '../src/port/clock.ts';
import { type Result, err, ok } from '../src/result.ts';
import { DRIFT_SCHEMA, type FreshOptions, type FreshProjection, type FreshRefusal, withFresh } from './fresh-projection.ts';
import { type HeadDifference, headDifferences } from './head-differences.ts';
import { laneHere, noWork } from './lane.ts';
import { verdictOf } from './ledger-fault.ts';
import type { LedgerReport } from './ledger-report.ts';
import type { LedgerScope } from './ledger-scope.ts';
import { LIVE, type LiveState, liveStateOf } from './live-projection.ts';
import { noteOffset } from './offsets.ts';
import { noteQuarantine } from './quarantine.ts';
import { replayLedger } from './replay.ts';
import { type RowDifference, rowDifferences } from './row-differences.ts';
import { type ScopeDriftOptions, scopeDrift } from './scope-drift.ts';
import { soleRun } from './sole-run.ts';
import { catchUp } from './swap.ts';
import { withPool } from './with-pool.ts';

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

/** `scope` null: the whole ledger. */
export type DriftOptions = FreshOptions & { readonly scope?: LedgerScope | null };

export type DriftRefusal = FreshRefusal | UnknownStream;

/** Neither the store nor the live projection has a stream there. */
export type UnknownStream = { readonly code: 'unknown-stream'; readonly detail: string };

/**
 * Every difference between the live rows and what the receipts give. For the whole ledger the projection is made anew beside the live one, and
 * the two compared in one snapshot; a ledger that is not valid is not compared. For a scope the receipts of its streams are folded and held
 * against their live rows; streams at fault are named in the report's `ledger` and left out. Changes nothing but the notes on what is
 * quarantined and, for the whole, on how far the live projection is. What is merely in flight is no drift. Throws `Outage`.
 */
export const drift = async (options: DriftOptions): Promise<Result<DriftReport, DriftRefusal>> => {
  const { source, scope = null } = options;
  const found = scope === null ? await driftOfAll(options) : await driftInScope(options, scope);
  const ledger = found.ok ? found.value.ledger : 'ledger' in found.error ? found.error.ledger : null;
  if (ledger !== null)
    await withPool(options.databaseUrl, (pool) => noteQuarantine(pool, ledger, { foundBy: 'drift', source, scope }));
  return found;
};

const driftOfAll = async (options: FreshOptions): Promise<Result<DriftReport, FreshRefusal>> => {
  const made = await withFresh(DRIFT_SCHEMA, options, compare);
  return made.ok ? made.value : made;
};

const driftInScope = async (options: DriftOptions, scope: LedgerScope): Promise<Result<DriftReport, DriftRefusal>> => {
  await ensureRoles(options.databaseUrl);
  return withPool(options.databaseUrl, (pool) => soleRun(pool, () => compareInScope(pool, { ...options, scope })));
};

const compareInScope = async (pool: pg.Pool, options: ScopeDriftOptions): Promise<Result<DriftReport, UnknownStream>> => {
  const live = await liveStateOf(pool);
  if (live === 'missing' || live === 'other')
    return ok({ ledger: await readInScope(options), live, heads: [], rows: [], rowCount: 0, drifted: true });
  const rows: RowDifference[] = [];
  let rowCount = 0;
  const { ledger, heads, streams } = await scopeDrift(pool, options, (difference) => {
    rowCount += 1;
    if (rows.length < limits.reportedFaults) rows.push(difference);
  });
  if (streams === 0) return err(unknownStream(options));
  return ok({ ledger, live, heads, rows, rowCount, drifted: heads.length + rowCount > 0 });
};

const readInScope = ({ source, trust, scope, onProgress }: ScopeDriftOptions): Promise<LedgerReport> => {
  const lanes = [laneHere(source, trust, noWork)];
  return replayLedger({ source, lanes, pinned: trust !== null, below: scope.below, onProgress });
};

export const unknownStream = ({ source, scope }: Pick<ScopeDriftOptions, 'source' | 'scope'>): UnknownStream => ({
  code: 'unknown-stream',
  detail: `there is no stream at or below ${scope.places.join(' or ')}, in ${source.description} or applied`,
});

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
  const differences = heads.length + rowCount;
  await noteOffset(pool, LIVE, { projector: 'drift', ledger, behind: behindOf(heads), differences });
  return ok({ ledger, live, heads, rows, rowCount, drifted: differences > 0 });
};

const behindOf = (heads: readonly HeadDifference[]): { readonly streams: number; readonly receipts: number } => {
  const behind = heads.filter(({ kind }) => kind === 'behind');
  const receipts = behind.map(({ live, fresh }) => (fresh?.position ?? -1) - (live?.position ?? -1));
  return { streams: behind.length, receipts: receipts.reduce((sum, n) => sum + n, 0) };
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
