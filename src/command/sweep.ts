import { limits } from '../limits.ts';
import type { Clock } from '../port/clock.ts';
import type { Backlog, JobQueue } from '../port/jobs.ts';
import type { LedgerQueries } from '../port/ledger-queries.ts';
import type { RedoOutbox } from '../port/redo-outbox.ts';
import type { Runs } from '../port/runs.ts';
import { instantOf } from '../receipt/ids.ts';

export type SweepParts = {
  readonly jobs: JobQueue;
  readonly outbox: RedoOutbox;
  readonly queries: Pick<LedgerQueries, 'dueTrades'>;
  readonly backlog: Backlog;
  readonly runs: Pick<Runs, 'unfinished'>;
  readonly clock: Clock;
};

/**
 * Finds what must be done and makes jobs of it. Every process may do this at any time: what has a job keeps it. A crash leaves everything to the
 * next sweep, of any process. Throws `Outage`.
 */
export const sweepLedger = async ({ jobs, outbox, queries, clock }: SweepParts): Promise<void> => {
  const [items, trades] = await Promise.all([
    outbox.open(limits.sweptItems, limits.redoPatienceMs),
    queries.dueTrades(instantOf(clock.now()), limits.sweptItems),
  ]);
  await jobs.add([
    ...items.map((item) => ({ kind: 'redo', item }) as const),
    ...trades.map((trade) => ({ kind: 'expire-trade', trade }) as const),
  ]);
};

/** Gives batches that are not finished a job, should they have none: their order put one into the queue, which may have been lost. */
export const sweepBatches = async ({ jobs, backlog }: SweepParts): Promise<void> => {
  const batchIds = await backlog.unfinishedBatches(limits.sweptItems);
  await jobs.add(batchIds.map((batchId) => ({ kind: 'batch', batchId }) as const));
};

/**
 * Gives runs that have not ended a job, should they have none. Whoever does it finds that the run has begun already, and ends it: so no run
 * stays under way whose process died with its job.
 */
export const sweepRuns = async ({ jobs, runs }: SweepParts): Promise<void> => {
  const runIds = await runs.unfinished(limits.sweptItems);
  await jobs.add(runIds.map((runId) => ({ kind: 'run', runId }) as const));
};
