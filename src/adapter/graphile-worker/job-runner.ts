import { limits } from '../../limits.ts';
import type { Job, JobQueue } from '../../port/jobs.ts';
import { Outage } from '../../port/outage.ts';
import { type Life, type LifeOptions, startLife } from './life.ts';

export type JobRunner = JobQueue & {
  /** Looks after the queue, for all processes: frees the jobs of those that died, caps the back-off of failed ones. Throws `Outage`. */
  tidy(): Promise<void>;
  /** Takes no more jobs, tells those under way to stop, waits for them for `limits.drainMs`. Safe to call twice. Never rejects. */
  stop(): Promise<void>;
};

/**
 * Does jobs in this process until it is stopped, beside any number of other processes on the same Postgres. The queue's schema is there once
 * this resolves. Throws `Outage` when Postgres is away at the start; when it goes away later, that is logged, and the jobs go on by
 * themselves once it is back.
 */
export const startJobRunner = async (options: LifeOptions): Promise<JobRunner> => {
  const stopping = new AbortController();
  let life: Life | null = await startLife(options);
  const supervise = async (): Promise<void> => {
    while (life !== null) {
      const why = await life.ended;
      const over = life;
      life = null;
      await over.stop();
      if (stopping.signal.aborted) return;
      options.log.warn({ reason: why }, 'background jobs stopped; starting them again');
      life = await revive(options, stopping.signal);
      if (life !== null) options.log.info('background jobs go on');
    }
  };
  const supervised = supervise();
  const living = (): Life => {
    if (life === null) throw new Outage('postgres', 'postgres-unavailable', 'background jobs wait for Postgres');
    return life;
  };
  return {
    add: async (jobs: readonly Job[]) => {
      if (jobs.length > 0) await living().add(jobs);
    },
    tidy: async () => living().tidy(),
    stop: async () => {
      stopping.abort('stopping');
      await life?.stop();
      await supervised;
    },
  };
};

/** Tries until a life begins; null once `signal` is aborted. */
const revive = async (options: LifeOptions, signal: AbortSignal): Promise<Life | null> => {
  for (let attempt = 0; ; attempt++) {
    await options.clock.sleep(Math.min(limits.startRetryCapMs, limits.startRetryBaseMs * 2 ** attempt), signal);
    if (signal.aborted) return null;
    try {
      const life = await startLife(options);
      if (!signal.aborted) return life;
      await life.stop();
      return null;
    } catch (error) {
      const reason = error instanceof Error ? error.message : 'unknown';
      options.log.warn({ dependency: 'postgres', reason }, 'background jobs wait for Postgres');
    }
  }
};
