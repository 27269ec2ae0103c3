import { type Dependency, Outage } from './outage.ts';

/** Time and chance, as arguments: tests turn both by hand. */
export interface Clock {
  /** Milliseconds since 1970, UTC. May jump either way; receipts never run backwards all the same. */
  now(): number;
  /** Resolves after at least `ms` milliseconds. Never rejects. Does not keep the process alive once `signal` is aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** A number in [0, 1), for jitter only. */
  random(): number;
}

/** The machine's own clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  random: () => Math.random(),
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const done = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      signal?.addEventListener('abort', done, { once: true });
    }),
};

/**
 * Waits for `call` at most `timeoutMs`. On time-out throws `Outage` with code `deadline-exceeded`; the call itself may go on and
 * may still take effect, which is why every caller treats this as "outcome unknown".
 */
export const withDeadline = async <T>(
  clock: Clock,
  dependency: Dependency,
  timeoutMs: number,
  call: () => Promise<T>,
): Promise<T> => {
  const over = new AbortController();
  try {
    return await Promise.race([
      call(),
      clock.sleep(timeoutMs, over.signal).then((): T | Promise<T> => {
        // The call came first: nobody listens any more, and an error with its stack costs more than the whole deadline.
        if (over.signal.aborted) return never();
        throw new Outage(dependency, 'deadline-exceeded', `${dependency} did not answer within ${timeoutMs} ms`);
      }),
    ]);
  } finally {
    over.abort(ANSWERED);
  }
};

/** One for each call: a promise that is shared and never settles would remember, for ever, everyone who ever waited for it. */
const never = (): Promise<never> => new Promise<never>(() => undefined);
/** A reason of our own: without one the platform makes an exception, with its stack, each time. */
const ANSWERED = 'answered';
