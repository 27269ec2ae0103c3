import { limits } from '../limits.ts';
import type { Clock } from '../port/clock.ts';

/** Waits with full jitter, longer with each attempt (0, 1, 2 …), so that rivals do not meet again in step. */
export const backOff = (clock: Clock, attempt: number): Promise<void> =>
  clock.sleep(clock.random() * Math.min(limits.backoffCapMs, limits.backoffBaseMs * 2 ** attempt));
