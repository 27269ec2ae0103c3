import type pg from 'pg';
import { limits } from '../../limits.ts';
import type { Clock } from '../../port/clock.ts';

const TOUCH = `update auth.apikey set "lastRequest" = $2
  where id = any($1::text[]) and ("lastRequest" is null or "lastRequest" < $2)`;

export type KeyUse = {
  /** Notes that a key was used; `lastUsedAt` is what the database says so far. */
  used(apiKeyId: string, lastUsedAt: Date | null): void;
  /** Writes what is noted. */
  close(): Promise<void>;
};

/**
 * Writes down when keys were last used: at most once a `limits.apiKeyTouchMs` for a key, many keys by one statement, beside the requests and
 * never failing one. What cannot be written is noted again at the key's next use; a crash loses the last second's.
 */
export const noteKeyUse = (pool: pg.Pool, clock: Clock): KeyUse => {
  const closing = new AbortController();
  const noted = new Set<string>();
  let running: Promise<void> | null = null;

  const write = async (): Promise<void> => {
    await clock.sleep(limits.apiKeyTouchDelayMs, closing.signal);
    const keys = [...noted];
    try {
      await pool.query(TOUCH, [keys, new Date(clock.now())]);
    } catch {
      // It was no part of what anybody asked for.
    }
    // Only now: uses during the statement still saw the old time.
    for (const key of keys) noted.delete(key);
    running = null;
    if (noted.size > 0) running = write();
  };

  return {
    used: (apiKeyId, lastUsedAt) => {
      if (lastUsedAt !== null && clock.now() - lastUsedAt.getTime() < limits.apiKeyTouchMs) return;
      noted.add(apiKeyId);
      running ??= write();
    },
    close: async () => {
      closing.abort();
      while (running !== null) await running;
    },
  };
};
