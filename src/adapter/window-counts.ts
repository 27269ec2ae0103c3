import { LRUCache } from 'lru-cache';
import { limits } from '../limits.ts';
import type { Clock } from '../port/clock.ts';
import type { Rate } from '../port/limiter.ts';

/** One window's worth of an allowance: what is counted. */
export type Counted = Rate & { readonly policy: string; readonly subject: string };

/** Under which an allowance is counted. */
export const countKey = ({ policy, subject }: Counted): string => `${policy}:${subject}`;

/** `granted` of the points that were asked for are the asker's until `endsMs` (of its clock); `remaining` are left for everybody. */
export type Grant = { readonly granted: number; readonly remaining: number; readonly endsMs: number };

/** Where points come from. May throw: see the adapter. */
export type Counter = {
  /** Takes up to `asked` points. Who asks for 0 only looks. */
  draw(counted: Counted, asked: number): Promise<Grant>;
  reset(counted: readonly Counted[]): Promise<void>;
};

export type WindowCounts = Counter & { clear(): void };

/** Counts in the memory of this process, at most `limits.rememberedAllowances` of them: beyond that the one unused longest begins anew. */
export const windowCounts = (clock: Clock): WindowCounts => {
  const windows = new LRUCache<string, { used: number; readonly endsMs: number }>({ max: limits.rememberedAllowances });
  const windowOf = (counted: Counted, nowMs: number) => {
    const found = windows.get(countKey(counted));
    return found !== undefined && nowMs < found.endsMs ? found : { used: 0, endsMs: nowMs + counted.windowMs };
  };
  return {
    draw: async (counted, asked) => {
      const window = windowOf(counted, clock.now());
      const granted = Math.min(asked, counted.points - window.used);
      window.used += granted;
      if (granted > 0) windows.set(countKey(counted), window);
      return { granted, remaining: counted.points - window.used, endsMs: window.endsMs };
    },
    reset: async (counted) => {
      for (const each of counted) windows.delete(countKey(each));
    },
    clear: () => windows.clear(),
  };
};
