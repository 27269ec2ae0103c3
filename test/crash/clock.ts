import { limits } from '../../src/limits.ts';
import type { Clock } from '../../src/port/clock.ts';

/**
 * Time for a simulated process. Back-offs pass at once; deadlines pass only when the test says so, which it does once a call hangs: so
 * nothing depends on how fast the machine is.
 */
export type SimulatedClock = Clock & {
  /** Lets every deadline that is set now pass. */
  readonly expireDeadlines: () => void;
  /** Time goes on by itself otherwise, a millisecond a look. */
  readonly advance: (ms: number) => void;
};

export const simulatedClock = (startMs: number): SimulatedClock => {
  let nowMs = startMs;
  const deadlines = new Set<() => void>();
  return {
    now: () => nowMs++,
    random: () => 0.5,
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        if (ms <= limits.backoffCapMs) {
          nowMs += ms;
          setImmediate(resolve);
          return;
        }
        deadlines.add(resolve);
        signal?.addEventListener('abort', () => {
          deadlines.delete(resolve);
          resolve();
        });
      }),
    advance: (ms) => {
      nowMs += ms;
    },
    expireDeadlines: () => {
      for (const expire of deadlines) expire();
      deadlines.clear();
    },
  };
};
