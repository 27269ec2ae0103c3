import pMap from 'p-map';
import { limits } from '../limits.ts';
import type { BatchFailure, Batches } from '../port/batches.ts';
import type { Clock } from '../port/clock.ts';
import { JobPostponed } from '../port/jobs.ts';
import { instantOf } from '../receipt/ids.ts';
import { type ItemParts, itemsOf } from './batch-item.ts';

export type RunParts = ItemParts & { readonly batches: Batches; readonly clock: Clock };

/**
 * Makes everything a batch was ordered for, from its start: what is there already is met, not made twice. Refusals become failures of their items.
 * Throws `Outage` and `JobPostponed` when it must be run again, the latter soon after `signal` is aborted. A crash at any point: the next
 * run meets the receipts there are.
 */
export type RunBatch = (batchId: string, signal: AbortSignal) => Promise<void>;

export const batchRunner =
  (parts: RunParts): RunBatch =>
  async (batchId, signal) => {
    const batch = await parts.batches.read(batchId);
    if (batch === null || batch.status === 'finished') return;
    const failures: BatchFailure[] = [];
    const report = reporter(parts, batchId, failures);
    await report('now');
    // The first trouble ends the run, but only once the items under way came to their end: a run that is over writes nothing more.
    let trouble: { readonly error: unknown } | null = null;
    await pMap(
      itemsOf(parts, batch),
      async ({ make }) => {
        if (trouble !== null) return;
        try {
          if (signal.aborted) throw new JobPostponed('stopping');
          const failure = await make();
          if (failure !== null) failures.push(failure);
          await report('item');
        } catch (error) {
          trouble ??= { error };
        }
      },
      { concurrency: limits.batchParallelItems },
    );
    const ended = trouble as { readonly error: unknown } | null;
    if (ended !== null) throw ended.error;
    await parts.batches.finish(batchId, failures, instantOf(parts.clock.now()));
  };

/** Writes how far the run has come, about every second or every few dozen items, one write at a time. */
const reporter = ({ batches, clock }: RunParts, batchId: string, failures: readonly BatchFailure[]) => {
  let done = 0;
  let reported = { done: 0, atMs: clock.now() };
  let isWriting = false;
  return async (what: 'now' | 'item'): Promise<void> => {
    if (what === 'item') done++;
    const isDue = done - reported.done >= limits.batchProgressItems || clock.now() - reported.atMs >= limits.batchProgressMs;
    if (isWriting || (what === 'item' && !isDue)) return;
    isWriting = true;
    reported = { done, atMs: clock.now() };
    try {
      await batches.progress(batchId, done, failures);
    } finally {
      isWriting = false;
    }
  };
};
