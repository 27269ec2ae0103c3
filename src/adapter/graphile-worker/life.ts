import type { Runner, TaskList } from 'graphile-worker';
import type pg from 'pg';
import type { Logger } from 'pino';
import { limits } from '../../limits.ts';
import type { Clock } from '../../port/clock.ts';
import { type DoJob, type Job, jobKinds } from '../../port/jobs.ts';
import { JOB_SCHEMA, addJobsStatement, jobOfRow } from '../job-row.ts';
import { jobOutage, openJobPool, openSession } from './connection.ts';
import { graphileWorker } from './library.ts';
import { libraryLog } from './library-log.ts';
import { type PoolLock, migrateAlone, poolLock, tidy } from './locks.ts';

export type LifeOptions = {
  readonly databaseUrl: string;
  readonly doJob: DoJob;
  readonly clock: Clock;
  readonly log: Logger;
};

/**
 * The time between two breaks of the connection to Postgres. The library goes on after a break, except that it gives up when it cannot say
 * that a job is done, and that it does not know jobs whose tables were made anew: so every break begins a new life, with nothing kept.
 */
export type Life = {
  /** Settles, saying why, when this life is over without having been stopped. Never rejects. */
  readonly ended: Promise<string>;
  /** Throws `Outage`. */
  add(jobs: readonly Job[]): Promise<void>;
  /** Looks after the queue: see `tidy`. Throws `Outage`, and then this life is over. */
  tidy(): Promise<void>;
  /** Takes no more jobs, tells those under way to stop, waits for them for a while. Safe to call twice. */
  stop(): Promise<void>;
};

/** Migrates the queue and begins to do its jobs. Any number of processes may start at once. Throws `Outage`, leaving nothing open. */
export const startLife = async (options: LifeOptions): Promise<Life> => {
  const session = await openSession(options.databaseUrl);
  const pool = openJobPool(options.databaseUrl);
  const stopping = new AbortController();
  try {
    const logger = libraryLog(options.log);
    await migrateAlone(session, () => graphileWorker.runMigrations({ pgPool: pool, schema: JOB_SCHEMA, logger }));
    const lock = poolLock(session);
    const runner = await graphileWorker.run({
      pgPool: pool,
      schema: JOB_SCHEMA,
      logger,
      // Given, all of them, so that none is looked for in the environment, the working directory or a `crontab` file there.
      taskList: tasksFor(options, stopping.signal),
      parsedCronItems: [],
      noHandleSignals: true,
      concurrency: limits.jobsAtOnce,
      pollInterval: limits.jobPollMs,
      // Gathered, which we do not need, for then a job that cannot be called done ends the runner; otherwise it would end the process.
      preset: { plugins: [lock.plugin], worker: { completeJobBatchDelay: 0, failJobBatchDelay: 0 } },
    });
    return lifeOf({ session, pool, runner, stopping, lock, options });
  } catch (error) {
    await Promise.allSettled([session.end(), pool.end()]);
    throw jobOutage(error);
  }
};

type Parts = {
  readonly session: pg.Client;
  readonly pool: pg.Pool;
  readonly runner: Runner;
  readonly stopping: AbortController;
  readonly lock: PoolLock;
  readonly options: LifeOptions;
};

const lifeOf = ({ session, pool, runner, stopping, lock, options }: Parts): Life => {
  let end: (why: string) => void = () => undefined;
  const ended = new Promise<string>((resolve) => {
    end = resolve;
  });
  session.on('end', () => end('the session with Postgres ended'));
  runner.promise.then(
    () => end('the job runner stopped'),
    (error: unknown) => end(error instanceof Error ? error.message : 'the job runner failed'),
  );
  const asking = async (call: () => Promise<unknown>): Promise<void> => {
    try {
      await call();
    } catch (error) {
      // A session that does not answer, or tables that are gone: a new life finds another session, and makes the tables.
      end(jobOutage(error).message);
      throw jobOutage(error);
    }
  };
  let stopped: Promise<void> | null = null;
  const stop = async (): Promise<void> => {
    stopping.abort();
    if (!(await isOverWithin(options.clock, limits.drainMs, runner.stop())))
      await isOverWithin(options.clock, limits.databaseTimeoutMs, runner.kill());
    // A crash before this, or a statement that never ends: Postgres closes the session and with it frees our jobs.
    await isOverWithin(options.clock, limits.databaseTimeoutMs, Promise.allSettled([session.end(), pool.end()]));
    end('stopped');
  };
  return {
    ended,
    add: (jobs) => asking(() => session.query(addJobsStatement(jobs))),
    tidy: () => asking(() => tidy(session, lock.poolId())),
    stop: () => (stopped ??= stop()),
  };
};

/** A job that no program of ours wrote is dropped: it could never be done, and what must be done gets a job of ours. */
const tasksFor = ({ doJob, log }: LifeOptions, signal: AbortSignal): TaskList => {
  const taskOf = (kind: Job['kind']) => async (payload: unknown) => {
    const job = jobOfRow(kind, payload);
    if (job === null) log.error({ kind }, 'a background job is malformed and was dropped');
    else await doJob(job, signal);
  };
  return Object.fromEntries(jobKinds.map((kind) => [kind, taskOf(kind)]));
};

/** Waits for a promise to settle, either way, but not for ever. */
const isOverWithin = async (clock: Clock, ms: number, promise: Promise<unknown>): Promise<boolean> => {
  const over = new AbortController();
  const late = clock.sleep(ms, over.signal).then(() => false);
  const done = promise.then(
    () => true,
    () => true,
  );
  const isOver = await Promise.race([done, late]);
  over.abort('over');
  return isOver;
};
