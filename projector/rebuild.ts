import type pg from 'pg';
import { ensureSchemas } from '../src/adapter/postgres/migrate.ts';
import { withClient } from '../src/adapter/postgres/pool.ts';
import { orOutage } from '../src/adapter/postgres/postgres-outage.ts';
import { restoreRedo } from '../src/adapter/postgres/redo-outbox.ts';
import { type Result, err, ok } from '../src/result.ts';
import { type TableComparison, compareProjections } from './compare.ts';
import { FRESH_SCHEMA, type FreshOptions, type FreshProjection, type FreshRefusal, withFresh } from './fresh-projection.ts';
import type { HeadDifference } from './head-differences.ts';
import { verdictOf } from './ledger-fault.ts';
import type { LedgerReport } from './ledger-report.ts';
import { LIVE, type LiveState, liveStateOf } from './live-projection.ts';
import { noteOffset } from './offsets.ts';
import { noteQuarantine } from './quarantine.ts';
import { catchUp, catchUpFromStore, swapIn } from './swap.ts';
import { withPool } from './with-pool.ts';

export type RebuildReport = {
  readonly ledger: LedgerReport;
  /** What was live before. Only what was `whole` is compared. */
  readonly live: LiveState;
  /** Digest of each table, live and rebuilt, in one snapshot. */
  readonly digests: readonly TableComparison[];
  /** Streams left out of the digests, because one projection had more of them than the other at that moment. */
  readonly leftOut: number;
  /** Streams whose live head was not the store's, though nothing was in flight any more. */
  readonly wrongHeads: readonly HeadDifference[];
  /** Entries of the redo outbox that were lost, and made again: what must still follow from receipts. */
  readonly redone: number;
  /** Whether the live projection was what the receipts say, or there was none to be compared. */
  readonly drifted: boolean;
  /** Streams that are in the new projection up to their fault only, which `ledger.faults` tells. */
  readonly quarantined: readonly string[];
  /** Whether it went on where an earlier run was stopped. */
  readonly resumed: boolean;
};

/**
 * Makes the projection anew from the receipts, beside the live one; compares the two; and puts the new one in its place. Appends go on
 * meanwhile. The new one is the truth, so a difference is told and not kept. A ledger that is not valid changes nothing, unless its poisoned
 * streams are to be put in quarantine. Throws `Outage`; then the next call goes on from there.
 */
export const rebuild = async (options: FreshOptions): Promise<Result<RebuildReport, FreshRefusal>> => {
  const made = await withFresh(FRESH_SCHEMA, { resume: true, ...options }, compareThenSwap);
  const rebuilt = made.ok ? made.value : made;
  const ledger = rebuilt.ok ? rebuilt.value.ledger : 'ledger' in rebuilt.error ? rebuilt.error.ledger : null;
  const { source, databaseUrl } = options;
  if (ledger !== null) await withPool(databaseUrl, (pool) => noteQuarantine(pool, ledger, { foundBy: 'rebuild', source }));
  return rebuilt;
};

const compareThenSwap = async (fresh: FreshProjection): Promise<Result<RebuildReport, FreshRefusal>> => {
  const { pool, schema, ledger, quarantined, resumed, gentle } = fresh;
  await noteOffset(pool, schema, { projector: 'rebuild', ledger });
  const refused = (faults: LedgerReport['faults']): Result<never, FreshRefusal> =>
    err({ code: 'ledger-not-valid', ledger: { ...ledger, verdict: verdictOf(faults), faults, faultCount: faults.length } });

  const live = await liveStateOf(pool);
  const faults = live === 'whole' ? await catchUp(fresh) : await catchUpFromStore(fresh);
  if (faults.length > 0) return refused(faults);
  const { tables, leftOut } =
    live === 'whole' ? await compareProjections(pool, { live: LIVE, fresh: schema, gentle }) : { tables: [], leftOut: [] };
  const swapped = await swapIn(fresh);
  if (!swapped.ok) return refused(swapped.error);
  const redone = await restoreOps(pool);
  const drifted = swapped.value.length > 0 || tables.some(({ equal }) => !equal);
  const rest = { redone, drifted, quarantined: [...quarantined].sort(), resumed };
  return ok({ ledger, live, digests: tables, leftOut: leftOut.length, wrongHeads: swapped.value, ...rest });
};

/**
 * `ops` is not made from receipts; where it was lost with the rest it comes back empty, but for the redo rows, which the projection tells: how
 * many of them were missing. A crash before this: what was still to follow waits for the next rebuild, or for whoever asks for it again.
 */
export const restoreOps = async (pool: pg.Pool): Promise<number> => {
  await ensureSchemas(pool);
  return orOutage(() => withClient(pool, (client) => restoreRedo(client, LIVE)));
};
