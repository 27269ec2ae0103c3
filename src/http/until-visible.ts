import { limits } from '../limits.ts';
import type { Clock } from '../port/clock.ts';

/** First pause between two looks, doubled up to the last. */
const FIRST_PAUSE_MS = 10;
const LAST_PAUSE_MS = 160;

/**
 * Looks until `look` says that it saw what was asked for, for at most `limits.readYourWritesMs`; the last look's answer. Whoever was promised
 * a receipt (201, `projection: pending`) waits here for the projection to show it.
 */
export const untilVisible = async <T>(
  clock: Clock,
  look: () => Promise<{ seen: boolean; value: T }>,
): Promise<{ seen: boolean; value: T }> => {
  const until = clock.now() + limits.readYourWritesMs;
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, LAST_PAUSE_MS)) {
    const looked = await look();
    const leftMs = until - clock.now();
    if (looked.seen || leftMs <= 0) return looked;
    await clock.sleep(Math.min(pauseMs, leftMs));
  }
};
