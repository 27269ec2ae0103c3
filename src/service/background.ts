import type { Logger } from 'pino';
import { startJobRunner } from '../adapter/graphile-worker/job-runner.ts';
import { openBacklog } from '../adapter/postgres/backlog.ts';
import type { openPool } from '../adapter/postgres/pool.ts';
import { type JobParts, jobDoer } from '../command/do-job.ts';
import { sweepDrift } from '../command/scheduled-drift.ts';
import { type SweepParts, sweepBatches, sweepLedger, sweepRuns } from '../command/sweep.ts';
import { limits } from '../limits.ts';
import type { Clock } from '../port/clock.ts';
import type { Meter } from '../port/meter.ts';
import { Outage } from '../port/outage.ts';
import type { Runs } from '../port/runs.ts';
import { type JobMetrics, watched } from './job-metrics.ts';

export type BackgroundParts = JobParts &
  Pick<SweepParts, 'queries'> & {
    readonly runs: Runs;
    readonly meter: Pick<Meter, 'flush'>;
    /** The service's Postgres: the job library makes connections of its own. */
    readonly databaseUrl: string;
    /** From `openPool`; stays its caller's. */
    readonly pool: ReturnType<typeof openPool>;
    readonly clock: Clock;
    readonly log: Logger;
    /** Made once: a start may be tried again. */
    readonly metrics: JobMetrics;
    /** From one drift run to the next; 0: none by the clock. */
    readonly driftEveryHours: number;
  };

/** Ends the background work: see `JobRunner.stop`. */
export type Background = { stop(): Promise<void> };

/**
 * Begins the work that nobody waits for: redo items, offers whose time is over, batches, runs, and handing over what was counted. Any number of
 * processes do it together. Resolves once the job queue is there. Throws `Outage` when Postgres is away now; later it only waits for it.
 */
export const startBackground = async (parts: BackgroundParts): Promise<Background> => {
  const { databaseUrl, pool, outbox, queries, runs, meter, clock, log, metrics, driftEveryHours: everyHours } = parts;
  const jobs = await startJobRunner({ databaseUrl, doJob: watched(jobDoer(parts), metrics, log), clock, log });
  const stopping = new AbortController();
  const sweep: SweepParts = { jobs, outbox, queries, runs, backlog: openBacklog(pool), clock };
  const repeat = { clock, log, signal: stopping.signal };
  const schedule = { runs, clock, everyHours, startedMs: clock.now() };
  const loops = [
    repeated(repeat, limits.sweepMs, async () => {
      await jobs.tidy();
      await sweepLedger(sweep);
      await sweepRuns(sweep);
      await show(sweep, metrics);
    }),
    repeated(repeat, limits.batchSweepMs, () => sweepBatches(sweep)),
    repeated(repeat, limits.meterFlushMs, () => meter.flush()),
    ...(everyHours === 0 ? [] : [repeated(repeat, limits.driftSweepMs, () => sweepDrift(schedule))]),
  ];
  return {
    stop: async () => {
      stopping.abort('stopping');
      await jobs.stop();
      await Promise.all(loops);
      // The last seconds' commands: lost when this fails, as after a crash.
      await meter.flush().catch((error: unknown) => log.warn({ err: error }, 'counted commands were lost'));
    },
  };
};

const show = async ({ backlog }: SweepParts, metrics: JobMetrics): Promise<void> => {
  metrics.backlog(await backlog.redo());
  metrics.standing(await backlog.standing());
};

type Repeat = { readonly clock: Clock; readonly log: Logger; readonly signal: AbortSignal };

/**
 * Does a step now and again until `signal` is aborted. Not a job of the queue: a sweep that is a job must add itself again, four writes each time,
 * and would be missing when its process dies.
 */
const repeated = async ({ clock, log, signal }: Repeat, pauseMs: number, step: () => Promise<void>): Promise<void> => {
  let isFailing = false;
  while (!signal.aborted) {
    try {
      await step();
      if (isFailing) log.info('sweeps go on');
      isFailing = false;
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof Outage)) log.error({ err: error }, 'a sweep failed');
      else if (!isFailing) log.warn({ dependency: error.dependency, code: error.code, reason: error.message }, 'a sweep failed');
      isFailing = true;
    }
    await clock.sleep(pauseMs, signal);
  }
};
