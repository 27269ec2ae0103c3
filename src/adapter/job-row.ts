import { z } from 'zod';
import type { Job } from '../port/jobs.ts';
import { redoKinds } from '../projection/row-change.ts';
import { parseAccountId, parseBookId, parseEventId, parseTradeId } from '../receipt/ids.ts';
import type { Result } from '../result.ts';

/** The schema of the job library, which migrates it by itself. */
export const JOB_SCHEMA = 'graphile_worker';

/** A job as the library keeps it. Two with the same `key` are the same job. Jobs of one `queue` are done one after another. */
type JobRow = {
  readonly task: Job['kind'];
  readonly key: string;
  readonly payload: unknown;
  readonly queue: string | null;
  /** Small numbers come first: a batch must not keep a collector's card waiting. */
  readonly priority: number;
};

const rowOf = (job: Job): JobRow => {
  switch (job.kind) {
    case 'redo':
      return { task: job.kind, key: `redo:${job.item.eventId}:${job.item.target}`, payload: job.item, queue: null, priority: 0 };
    case 'expire-trade':
      return { task: job.kind, key: `expire-trade:${job.trade.tradeId}`, payload: job.trade, queue: null, priority: 1 };
    case 'batch':
      return { task: job.kind, key: `batch:${job.batchId}`, payload: { batchId: job.batchId }, queue: 'batches', priority: 2 };
    case 'run':
      return { task: job.kind, key: `run:${job.runId}`, payload: { runId: job.runId }, queue: 'runs', priority: 3 };
  }
};

const parsedBy = <T>(parse: (value: unknown) => Result<T, unknown>) =>
  z.unknown().transform((value, context): T => {
    const parsed = parse(value);
    if (parsed.ok) return parsed.value;
    context.addIssue({ code: 'custom', message: 'malformed id' });
    return z.NEVER;
  });

const payloads = {
  redo: z.object({ eventId: parsedBy(parseEventId), target: z.string(), kind: z.enum(redoKinds) }),
  'expire-trade': z.object({
    accountId: parsedBy(parseAccountId),
    bookId: parsedBy(parseBookId),
    tradeId: parsedBy(parseTradeId),
  }),
  batch: z.object({ batchId: z.string() }),
  run: z.object({ runId: z.string() }),
};

/** The job of a row; null when no program of ours wrote it. */
export const jobOfRow = (kind: Job['kind'], payload: unknown): Job | null => {
  switch (kind) {
    case 'redo': {
      const item = payloads.redo.safeParse(payload);
      return item.success ? { kind, item: item.data } : null;
    }
    case 'expire-trade': {
      const trade = payloads['expire-trade'].safeParse(payload);
      return trade.success ? { kind, trade: trade.data } : null;
    }
    case 'batch': {
      const batch = payloads.batch.safeParse(payload);
      return batch.success ? { kind, batchId: batch.data.batchId } : null;
    }
    case 'run': {
      const run = payloads.run.safeParse(payload);
      return run.success ? { kind, runId: run.data.runId } : null;
    }
  }
};

/**
 * The statement that adds jobs, for whichever connection and transaction. Most jobs of a sweep are in the queue already and are passed over
 * without a write; those that two add at once are told apart by their key.
 */
export const addJobsStatement = (jobs: readonly Job[]): { readonly text: string; readonly values: unknown[] } => ({
  text: `SELECT ${JOB_SCHEMA}.add_job(new.task, new.payload, queue_name => new.queue, job_key => new.key,
    priority => new.priority, job_key_mode => 'unsafe_dedupe')
  FROM json_to_recordset($1::json) AS new (task text, key text, payload json, queue text, priority integer)
  WHERE NOT EXISTS (SELECT FROM ${JOB_SCHEMA}.jobs WHERE jobs.key = new.key)`,
  values: [JSON.stringify(jobs.map(rowOf))],
});
