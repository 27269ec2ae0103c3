import type { Clock } from '../port/clock.ts';
import { type Allowance, type Limiter, type Standing, type Taken, burstPolicy } from '../port/limiter.ts';
import { heldPoints } from './held-points.ts';
import type { Counted, Counter } from './window-counts.ts';

export type CountingLimiter = Pick<Limiter, 'take' | 'look' | 'reset'> & {
  /** Gives up all points that are held: the counter is another one from now on. */
  forget(): void;
};

/** A limiter over a counter. Throws as the counter does. */
export const limiterOver = (counter: Counter, clock: Clock): CountingLimiter => {
  const held = heldPoints(counter, clock);

  const takeOne = async (allowance: Allowance): Promise<{ allowed: boolean; standings: readonly Standing[] }> => {
    const windows = windowsOf(allowance);
    let allowed = false;
    for (const window of windows) allowed ||= await held.spend(window, allowance.leased);
    return { allowed, standings: windows.map(held.standing) };
  };

  return {
    take: async (allowances): Promise<Taken> => {
      const standings: Standing[] = [];
      for (const allowance of allowances) {
        const one = await takeOne(allowance);
        standings.push(...one.standings);
        const retryMs = Math.min(...one.standings.map(({ resetMs }) => resetMs));
        if (!one.allowed) return { allowed: false, refused: allowance.policy, retryMs, standings };
      }
      return { allowed: true, refused: null, retryMs: null, standings };
    },
    look: (allowances) =>
      Promise.all(
        allowances.flatMap(windowsOf).map(async (counted) => {
          const { remaining, endsMs } = await counter.draw(counted, 0);
          return {
            ...counted,
            remaining: Math.min(counted.points, remaining + held.left(counted)),
            resetMs: Math.max(0, endsMs - clock.now()),
          };
        }),
      ),
    reset: async (allowances) => {
      const windows = allowances.flatMap(windowsOf);
      await counter.reset(windows);
      for (const window of windows) held.forget(window);
    },
    forget: () => held.forget(),
  };
};

/** What an allowance is counted as, in the order in which it is drawn on. */
const windowsOf = ({ policy, subject, points, windowMs, burst }: Allowance): readonly Counted[] => {
  const counted = { policy, subject, points, windowMs };
  return burst === null ? [counted] : [counted, { ...burst, policy: burstPolicy(policy), subject }];
};
