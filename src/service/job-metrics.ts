import type { Logger } from 'pino';
import { Counter, Gauge, type Registry } from 'prom-client';
import { limits } from '../limits.ts';
import { type DoJob, JobPostponed, jobKinds } from '../port/jobs.ts';
import { Outage } from '../port/outage.ts';

export type JobMetrics = {
  /** How a job ended: `postponed` ones are tried again, and so are `failed` ones, after an outage or for a bug. */
  ended(kind: string, outcome: (typeof outcomes)[number]): void;
  /** What the redo outbox holds. An item that is overdue is an alarm, again whenever its age has doubled. */
  backlog(redo: { readonly open: number; readonly oldestMs: number }): void;
  /** How the projection stands (`Backlog.standing`). */
  standing(now: { readonly quarantinedStreams: number; readonly lagReceipts: number }): void;
};

const outcomes = ['done', 'postponed', 'failed'] as const;

/** `ledger_jobs_total{kind,outcome}`, `ledger_redo_open_items`, `ledger_redo_oldest_seconds`, `ledger_quarantined_streams` and `ledger_projection_lag_receipts` in `registry`; alarms to the log. */
export const jobMetrics = (registry: Registry, log: Logger): JobMetrics => {
  const registers = [registry];
  const jobs = new Counter({
    name: 'ledger_jobs_total',
    help: 'Background jobs by how they ended; postponed and failed ones are tried again',
    labelNames: ['kind', 'outcome'],
    registers,
  });
  // A series that begins with its first failure would hide that failure from every rate.
  for (const kind of jobKinds) for (const outcome of outcomes) jobs.inc({ kind, outcome }, 0);
  const open = new Gauge({ name: 'ledger_redo_open_items', help: 'Receipts from which something must still follow', registers });
  const oldest = new Gauge({ name: 'ledger_redo_oldest_seconds', help: 'For how long the oldest redo item is open', registers });
  const quarantined = new Gauge({
    name: 'ledger_quarantined_streams',
    help: 'Streams that are stopped because objects of theirs in the store are not true',
    registers,
  });
  const lag = new Gauge({
    name: 'ledger_projection_lag_receipts',
    help: 'Receipts that the projection lacked when a drift run last counted them, and no repair or rebuild came since',
    registers,
  });
  let alarmAtMs: number = limits.redoAlarmMs;
  return {
    ended: (kind, outcome) => jobs.inc({ kind, outcome }),
    standing: ({ quarantinedStreams, lagReceipts }) => {
      quarantined.set(quarantinedStreams);
      lag.set(lagReceipts);
    },
    backlog: (redo) => {
      open.set(redo.open);
      oldest.set(redo.oldestMs / 1000);
      if (redo.oldestMs < limits.redoAlarmMs) alarmAtMs = limits.redoAlarmMs;
      if (redo.oldestMs < alarmAtMs) return;
      alarmAtMs = 2 * redo.oldestMs;
      const oldestSeconds = Math.round(redo.oldestMs / 1000);
      log.error({ code: 'redo-overdue', open: redo.open, oldestSeconds }, 'what must follow from a receipt does not come to be');
    },
  };
};

/**
 * A job, counted and logged. What goes on to the queue, which keeps it in a table, is a code: the words of an error may tell what only the log
 * should know.
 */
export const watched =
  (doJob: DoJob, metrics: JobMetrics, log: Logger): DoJob =>
  async (job, signal) => {
    const { kind } = job;
    try {
      await doJob(job, signal);
      metrics.ended(kind, 'done');
    } catch (error) {
      const isPostponed = error instanceof JobPostponed;
      metrics.ended(kind, isPostponed ? 'postponed' : 'failed');
      if (isPostponed) log.debug({ kind, reason: error.message }, 'a background job waits');
      else if (error instanceof Outage)
        log.warn({ kind, dependency: error.dependency, code: error.code, reason: error.message }, 'a background job failed');
      else log.error({ kind, err: error }, 'a background job failed');
      throw isPostponed ? error : new JobPostponed(error instanceof Outage ? error.code : 'internal-error');
    }
  };
