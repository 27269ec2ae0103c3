import type { DueTrade } from './ledger-queries.ts';
import type { RedoItem } from './redo-outbox.ts';

/** Work that nobody waits for: what must still follow from a receipt, an offer whose time is over, a batch, a run of the projector. */
export type Job =
  | { readonly kind: 'redo'; readonly item: RedoItem }
  | { readonly kind: 'expire-trade'; readonly trade: DueTrade }
  | { readonly kind: 'batch'; readonly batchId: string }
  | { readonly kind: 'run'; readonly runId: string };

export const jobKinds = ['redo', 'expire-trade', 'batch', 'run'] as const satisfies readonly Job['kind'][];

/**
 * Does a job. It may be done any number of times, by two at once, and after it was done: that is harmless by the idempotency keys of what it
 * writes. When this throws (`Outage`, `JobPostponed`, a bug) the job stays and is tried again later. Once `signal` is aborted the process wants
 * to end: a long job stops soon and throws `JobPostponed`.
 */
export type DoJob = (job: Job, signal: AbortSignal) => Promise<void>;

/** The job is not done and nothing is broken: it is to be tried again later. `reason` is a code for the log. */
export class JobPostponed extends Error {
  constructor(reason: string) {
    super(reason);
    this.name = 'JobPostponed';
  }
}

/**
 * The jobs of all processes on one Postgres. Not the truth: a queue that is lost is filled again by the next sweeps, from the redo outbox, the
 * projection and the batches.
 */
export interface JobQueue {
  /** Puts jobs into the queue. One that is in it (waiting, being done, or to be tried again) stays as it is. Throws `Outage`; then some may be in. */
  add(jobs: readonly Job[]): Promise<void>;
}

/** What is left to do, as the sweeps and the metrics need to know it. Throws `Outage` (`postgres-unavailable`). */
export interface Backlog {
  /** Redo items that are open, counted up to `limits.countedRedoItems`, and for how long the oldest is (ms; 0 when none is). */
  redo(): Promise<{ readonly open: number; readonly oldestMs: number }>;
  /**
   * Streams in quarantine, and receipts that the projection lacked when a drift run last counted the store's; 0 when a repair or a rebuild came since,
   * or none did.
   */
  standing(): Promise<{ readonly quarantinedStreams: number; readonly lagReceipts: number }>;
  /** Ids of batches that are not finished, oldest first. */
  unfinishedBatches(limit: number): Promise<readonly string[]>;
}
