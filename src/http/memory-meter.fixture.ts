import type { Clock } from '../port/clock.ts';
import { type Meter, monthOf } from '../port/meter.ts';

/** A meter in RAM, for tests. */
export const memoryMeter = (clock: Clock): Meter => {
  const counted = new Map<string, number>();
  return {
    count: (accountId) => {
      const key = `${accountId} ${monthOf(clock.now())}`;
      counted.set(key, (counted.get(key) ?? 0) + 1);
    },
    commands: async (accountId, month) => counted.get(`${accountId} ${month}`) ?? 0,
    flush: () => Promise.resolve(),
  };
};
