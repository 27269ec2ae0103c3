import type { Clock } from '../port/clock.ts';

/** Answers at `beginMs` + `ms` at the earliest, so that the time it takes tells nothing. A clock that jumps back costs `ms` at most. */
export const noSooner = async <T>(clock: Clock, beginMs: number, ms: number, answer: T): Promise<T> => {
  const leftMs = Math.min(ms, beginMs + ms - clock.now());
  if (leftMs > 0) await clock.sleep(leftMs);
  return answer;
};
