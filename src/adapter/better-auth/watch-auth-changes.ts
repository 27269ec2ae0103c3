import { limits } from '../../limits.ts';
import type { Authentication } from '../../port/authentication.ts';
import type { Clock } from '../../port/clock.ts';

export type WatchedAuthentication = Authentication & {
  /** Schedules a backup: something was changed beside `handle`. */
  changed(): void;
};

/**
 * `authentication` with a backup after each successful write: a POST answered below 400 schedules one, `limits.authBackupDelayMs` later, and
 * changes meanwhile share it. `close` awaits the last one, then closes. A crash before it loses nothing by itself, for Postgres has the
 * change. `onFailure` is told what `backup` threw; the next change tries again.
 */
export const watchAuthChanges = (
  authentication: Authentication,
  { backup, clock, onFailure }: { backup: () => Promise<void>; clock: Clock; onFailure: (error: unknown) => void },
): WatchedAuthentication => {
  const closing = new AbortController();
  let dirty = false;
  let running: Promise<void> | null = null;

  const run = async (): Promise<void> => {
    while (dirty) {
      await clock.sleep(limits.authBackupDelayMs, closing.signal);
      dirty = false;
      try {
        await backup();
      } catch (error) {
        onFailure(error);
      }
    }
    running = null;
  };
  const changed = (): void => {
    dirty = true;
    running ??= run();
  };

  return {
    session: (headers) => authentication.session(headers),
    handle: async (request, clientAddress) => {
      const answer = await authentication.handle(request, clientAddress);
      if (request.method === 'POST' && answer.status < 400) changed();
      return answer;
    },
    close: async () => {
      closing.abort();
      await running;
      await authentication.close();
    },
    changed,
  };
};
