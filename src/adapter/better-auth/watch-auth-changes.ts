import { limits } from '../../limits.ts';
import type { Authentication } from '../../port/authentication.ts';
import type { Clock } from '../../port/clock.ts';

export type WatchedAuthentication = Authentication & {
  /** Schedules a backup: something was changed beside `handle`. */
  changed(): void;
};

/**
 * `authentication` with a backup after each successful write (a POST answered below 400, a key made, a session or a key ended): it is scheduled
 * `limits.authBackupDelayMs` later, and changes meanwhile share it. `close` awaits the last one, then closes. A crash before it loses nothing by
 * itself, for Postgres has the change. `onFailure` is told what `backup` threw; the next change tries again. The last use of a key is no change
 * worth a backup.
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

  /** `call` with a backup to follow when it came to what `isChange` says. */
  const watched = async <T>(call: Promise<T>, isChange: (outcome: T) => boolean): Promise<T> => {
    const outcome = await call;
    if (isChange(outcome)) changed();
    return outcome;
  };

  return {
    session: (headers) => authentication.session(headers),
    sessions: (userId) => authentication.sessions(userId),
    apiKeys: (userId) => authentication.apiKeys(userId),
    revokeSession: (...of) => watched(authentication.revokeSession(...of), (done) => done),
    createApiKey: (...of) => watched(authentication.createApiKey(...of), ({ ok }) => ok),
    revokeApiKey: (...of) => watched(authentication.revokeApiKey(...of), (done) => done),
    handle: (request, clientAddress) =>
      watched(authentication.handle(request, clientAddress), ({ status }) => request.method === 'POST' && status < 400),
    close: async () => {
      closing.abort();
      await running;
      await authentication.close();
    },
    changed,
  };
};
