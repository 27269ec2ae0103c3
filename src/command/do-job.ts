import { type DoJob, JobPostponed } from '../port/jobs.ts';
import type { DueTrade } from '../port/ledger-queries.ts';
import type { RedoItem, RedoOutbox } from '../port/redo-outbox.ts';
import type { LedgerUpkeep } from './ledger-commands.ts';
import { passingRefusals } from './passing-refusals.ts';
import type { RunBatch } from './run-batch.ts';
import type { DoRun } from './runs.ts';

export type JobParts = {
  readonly upkeep: LedgerUpkeep;
  readonly outbox: RedoOutbox;
  readonly runBatch: RunBatch;
  readonly doRun: DoRun;
};

/** What each kind of job does. */
export const jobDoer =
  ({ upkeep, outbox, runBatch, doRun }: JobParts): DoJob =>
  (job, signal) => {
    switch (job.kind) {
      case 'redo':
        return redo(upkeep, outbox, job.item);
      case 'expire-trade':
        return expire(upkeep, job.trade);
      case 'batch':
        return runBatch(job.batchId, signal);
      case 'run':
        return doRun(job.runId, signal);
    }
  };

const redo = async (upkeep: LedgerUpkeep, outbox: RedoOutbox, item: RedoItem): Promise<void> => {
  const outcome = await upkeep.redo(item);
  if (outcome.ok && outcome.value === 'later') throw new JobPostponed('later');
  // A crash before this: the item is done once more, and finds the receipts there are.
  await outbox.close(item, outcome.ok ? outcome.value : outcome.error.code);
};

const expire = async (upkeep: LedgerUpkeep, trade: DueTrade): Promise<void> => {
  const outcome = await upkeep.expireTrade(trade);
  // Otherwise something else ended the offer first, or will be seen to have: the next sweep tells.
  if (!outcome.ok && passingRefusals.has(outcome.error.code)) throw new JobPostponed(outcome.error.code);
};
