import type { Logger } from 'pino';
import { limits } from '../limits.ts';
import type { Clock } from '../port/clock.ts';
import { type Dependency, Outage } from '../port/outage.ts';

/** The service must not start like this; trying again would not help. The message says what to do. */
export class Refused extends Error {}

/** What start-up waits for, for `/health/ready`. */
export type Waiting = Map<Dependency, string>;

/**
 * Repeats a step of the start-up while a dependency is down: a pod that comes up before its database, or during an outage, waits. Throws what
 * is not an `Outage`, and the outage itself once `signal` is aborted.
 */
export const untilUp = async <T>(
  { clock, log, waiting, signal }: { clock: Clock; log: Logger; waiting: Waiting; signal: AbortSignal },
  step: () => Promise<T>,
): Promise<T> => {
  for (let attempt = 0; ; attempt++) {
    try {
      const done = await step();
      waiting.clear();
      return done;
    } catch (error) {
      if (!(error instanceof Outage) || signal.aborted) throw error;
      waiting.clear();
      waiting.set(error.dependency, error.code);
      log.warn({ dependency: error.dependency, code: error.code, reason: error.message }, 'waiting for a dependency');
      await clock.sleep(Math.min(limits.startRetryCapMs, limits.startRetryBaseMs * 2 ** attempt), signal);
    }
  }
};
