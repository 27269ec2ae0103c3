import type { Clock } from '../../port/clock.ts';
import type { Limiter } from '../../port/limiter.ts';
import { limiterOver } from '../limiter-over.ts';
import { type WindowCounts, windowCounts } from '../window-counts.ts';

/** The limiter of one process, or of several that are given the same `counts`. */
export const memoryLimiter = (clock: Clock, counts: WindowCounts = windowCounts(clock)): Limiter => ({
  ...limiterOver(counts, clock),
  shared: () => true,
  close: () => Promise.resolve(),
});

/** Lets every request pass, and knows of none. */
export const unlimited: Limiter = {
  take: () => Promise.resolve({ allowed: true, refused: null, retryMs: null, standings: [] }),
  look: () => Promise.resolve([]),
  reset: () => Promise.resolve(),
  shared: () => true,
  close: () => Promise.resolve(),
};
