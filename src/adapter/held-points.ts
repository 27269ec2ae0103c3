import { LRUCache } from 'lru-cache';
import { limits } from '../limits.ts';
import type { Clock } from '../port/clock.ts';
import type { Standing } from '../port/limiter.ts';
import { type Counted, type Counter, countKey } from './window-counts.ts';

/** What this process knows of one count, and holds of it. */
type Held = {
  /** Points taken from the counter and not spent yet: a lease, which ends with its window. */
  left: number;
  /** Points that were left for everybody when the counter was asked last. */
  remaining: number;
  endsMs: number;
  /** There was nothing left: not asked again before this, or a flood would become one of questions. */
  askAgainMs: number;
  /** Requests that wait for points. */
  waiting: number;
  /** The question that is under way: those who come meanwhile wait for the same answer. */
  asking: Promise<void> | null;
};

/** The points this process holds of a counter that takes a while to ask. A crash loses them, until their window is over. */
export type HeldPoints = {
  /** Spends a point; asks for more when none is held. False: there is none. Throws as the counter. */
  spend(counted: Counted, leased: boolean): Promise<boolean>;
  /** How a count stands, as far as is known here. */
  standing(counted: Counted): Standing;
  /** Points that are held and still good. */
  left(counted: Counted): number;
  /** Gives up what is held of one count, or of all. */
  forget(counted?: Counted): void;
};

/** Leases into which what is left is divided: so they shrink as it runs out, and little is stranded where nobody asks any more. */
const LEASES = 10;

export const heldPoints = (counter: Pick<Counter, 'draw'>, clock: Clock): HeldPoints => {
  const known = new LRUCache<string, Held>({ max: limits.rememberedAllowances });

  const current = (counted: Counted): Held | null => {
    const held = known.get(countKey(counted));
    return held !== undefined && clock.now() < held.endsMs ? held : null;
  };

  return {
    spend: async (counted, leased) => {
      const key = countKey(counted);
      const held = known.get(key) ?? nothingHeld(counted);
      known.set(key, held);
      for (;;) {
        const nowMs = clock.now();
        if (nowMs >= held.endsMs) endWindow(held, counted);
        if (held.left > 0) {
          held.left -= 1;
          return true;
        }
        if (nowMs < held.askAgainMs) return false;
        held.asking ??= ask(counter, clock, counted, held, leased);
        held.waiting += 1;
        await held.asking.finally(() => (held.waiting -= 1));
      }
    },
    standing: (counted) => {
      const held = current(counted);
      if (held === null) return { ...counted, remaining: counted.points, resetMs: counted.windowMs };
      const remaining = Math.min(counted.points, held.left + held.remaining);
      return { ...counted, remaining, resetMs: Math.max(0, held.endsMs - clock.now()) };
    },
    left: (counted) => current(counted)?.left ?? 0,
    forget: (counted) => {
      if (counted === undefined) known.clear();
      else known.delete(countKey(counted));
    },
  };
};

const nothingHeld = ({ points }: Counted): Held => ({
  ...{ left: 0, remaining: points, endsMs: 0 },
  ...{ askAgainMs: 0, waiting: 0, asking: null },
});

const endWindow = (held: Held, { points }: Counted): void => {
  held.left = 0;
  held.remaining = points;
  held.askAgainMs = 0;
};

const ask = async (
  counter: Pick<Counter, 'draw'>,
  clock: Clock,
  counted: Counted,
  held: Held,
  leased: boolean,
): Promise<void> => {
  try {
    await Promise.resolve(); // those who have come by now are asked for together
    const share = leased ? Math.floor(held.remaining / LEASES) : 0;
    const asked = Math.min(counted.points, Math.max(share, held.waiting));
    const { granted, remaining, endsMs } = await counter.draw(counted, asked);
    held.left = granted;
    held.remaining = remaining;
    held.endsMs = endsMs;
    held.askAgainMs = granted === 0 ? Math.min(endsMs, clock.now() + limits.allowanceRefusalMs) : 0;
  } finally {
    held.asking = null;
  }
};
