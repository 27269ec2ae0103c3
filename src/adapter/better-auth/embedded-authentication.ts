import type { Authentication } from '../../port/authentication.ts';
import { type Result, ok } from '../../result.ts';
import { openSignIn } from './authentication.ts';
import { backupAuth } from './backup-auth.ts';
import type { AuthBackupFault } from './backup-format.ts';
import { type DemoUser, ensureDemoUser } from './demo-user.ts';
import { type RestoreOutcome, restoreAuth } from './restore-auth.ts';
import type { AuthenticationConfig } from './sign-in-config.ts';
import { watchAuthChanges } from './watch-auth-changes.ts';

export type EmbeddedAuthenticationConfig = AuthenticationConfig & {
  /** Users and sessions are kept here too, so that losing the embedded Postgres loses nobody. */
  readonly backupFile: string;
};

export type EmbeddedAuthentication = Authentication & {
  /** What was done with the backup file at start. */
  readonly restored: RestoreOutcome;
  /** Makes the demo's user and its session unless they are there; returns the bearer token, signed. See `ensureDemoUser`. */
  ensureDemoUser(demo: DemoUser): Promise<string>;
};

/**
 * `openAuthentication` for the embedded Postgres: restored from `backupFile` when its tables are empty, and backed up there after each
 * change. A backup file that cannot be read is a value, and nothing was changed: better no start than a start without users. Backups
 * that fail are reported and tried again with the next change. Throws as `openAuthentication` does.
 */
export const openEmbeddedAuthentication = async (
  config: EmbeddedAuthenticationConfig,
): Promise<Result<EmbeddedAuthentication, AuthBackupFault>> => {
  const opened = await openSignIn(config, (pool) => restoreAuth(pool, config.backupFile));
  if (!opened.ok) return opened;
  const { authentication, pool, clock, hashPassword, signToken, prepared } = opened.value;
  const watched = watchAuthChanges(authentication, {
    clock,
    backup: () => backupAuth(pool, config.backupFile),
    onFailure: (error) => config.report?.({ level: 'error', message: `no backup of sign-in: ${messageOf(error)}` }),
  });
  // What an earlier process changed just before it was killed is in Postgres, not in the file.
  if (prepared === 'not-needed') watched.changed();
  return ok({
    ...watched,
    restored: prepared,
    ensureDemoUser: async (demo) => {
      const token = await ensureDemoUser(pool, { clock, hashPassword, signToken }, demo);
      watched.changed();
      return token;
    },
  });
};

/** Only our own words, and the file system's, which name the file. */
const messageOf = (error: unknown): string => (error instanceof Error ? error.message : 'no reason given');
