import { LRUCache } from 'lru-cache';
import { limits } from '../limits.ts';
import type { Clock } from '../port/clock.ts';
import type { Head } from '../receipt/chain.ts';

type Remembered = {
  readonly position: number;
  /** When the stream was last known to end there. */
  readonly caughtUpAtMs: number;
  /** When this process last read or wrote the receipt itself; null when only the projection told of it. */
  readonly seenAtMs: number | null;
};

/**
 * What this process knows of streams it has caught up: up to which position, and when it last read or wrote that receipt. Only ever a
 * reason to skip work that another look would repeat; losing it costs one read per stream.
 */
export type StreamMemory = {
  /** Whether this process has caught the stream up since the projection was last made anew, and within the last `withinMs`. */
  knows(stream: string, withinMs: number): boolean;
  /** The stream is caught up to `head`; `inStore` when that receipt was read from or written to the store just now. */
  remember(stream: string, head: Head | null, inStore: boolean): void;
  forget(stream: string): void;
  /** True when the projection shows less than this process had applied: it was wiped or restored. */
  isAheadOf(stream: string, head: Head | null): boolean;
  /** Whether the receipt at `head` was read or written within `limits.predecessorTrustMs`. */
  trusts(stream: string, head: Head): boolean;
  /** Takes note of the projection's epoch; true (and everything forgotten) when it is another than before. */
  startsAnew(epoch: string): boolean;
};

/** Remembers `rememberedStreams` streams, those used last; the room for them is taken at once. */
export const streamMemory = (clock: Clock, rememberedStreams: number = limits.rememberedStreams): StreamMemory => {
  const streams = new LRUCache<string, Remembered>({ max: rememberedStreams });
  let knownEpoch: string | null = null;

  return {
    knows: (stream, withinMs) => {
      const known = streams.get(stream);
      if (known === undefined) return false;
      const ageMs = clock.now() - known.caughtUpAtMs;
      return withinMs === Number.POSITIVE_INFINITY || (ageMs >= 0 && ageMs < withinMs);
    },
    remember: (stream, head, inStore) => {
      const now = clock.now();
      streams.set(stream, { position: head?.position ?? -1, caughtUpAtMs: now, seenAtMs: inStore ? now : null });
    },
    forget: (stream) => {
      streams.delete(stream);
    },
    isAheadOf: (stream, head) => (streams.peek(stream)?.position ?? -1) > (head?.position ?? -1),
    trusts: (stream, head) => {
      const known = streams.peek(stream);
      if (known?.position !== head.position || known.seenAtMs === null) return false;
      const ageMs = clock.now() - known.seenAtMs;
      return ageMs >= 0 && ageMs < limits.predecessorTrustMs;
    },
    startsAnew: (epoch) => {
      const anew = knownEpoch !== null && knownEpoch !== epoch;
      if (anew) streams.clear();
      knownEpoch = epoch;
      return anew;
    },
  };
};
