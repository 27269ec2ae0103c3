import { join } from 'node:path';
import type { Logger } from 'pino';
import { openAuthentication } from '../adapter/better-auth/authentication.ts';
import { openEmbeddedAuthentication } from '../adapter/better-auth/embedded-authentication.ts';
import type { Config } from '../config.ts';
import type { Authentication } from '../port/authentication.ts';
import { demoUser } from './demo.ts';
import { keptSecret } from './kept-secret.ts';
import { Refused } from './until-up.ts';

/** Sign-in, and the demo's bearer token where there is a demo. */
export type SignIn = { readonly authentication: Authentication; readonly demoToken: string | null };

/**
 * Opens sign-in on the database. On the embedded Postgres users and sessions are also kept in a file beside it, and the demo's user
 * is made; its token is the same at every start. Throws `Outage`, and `Refused` when the file cannot be read.
 */
export const openSignIn = async (config: Config, databaseUrl: string, log: Logger): Promise<SignIn> => {
  const common = {
    databaseUrl,
    baseUrl: config.publicUrl,
    secret: config.authSecret ?? (await keptSecret(join(config.dataDir, 'secrets', 'auth'))),
    trustedOrigins: config.trustedOrigins,
    production: config.production,
    report: ({ level, message }: { level: 'warning' | 'error'; message: string }) =>
      level === 'error' ? log.error(message) : log.warn(message),
  };
  if (config.database.kind === 'url') return { authentication: await openAuthentication(common), demoToken: null };
  const embedded = await openEmbeddedAuthentication({ ...common, backupFile: join(config.dataDir, 'auth-backup.jsonl') });
  if (!embedded.ok) throw new Refused(`${embedded.error.code}: the copy of the users beside the database cannot be read`);
  if (embedded.value.restored === 'restored') log.warn('users and sessions were restored from their copy beside the database');
  if (!config.demo) return { authentication: embedded.value, demoToken: null };
  const sessionToken = await keptSecret(join(config.dataDir, 'secrets', 'demo-token'));
  return { authentication: embedded.value, demoToken: await embedded.value.ensureDemoUser({ ...demoUser, sessionToken }) };
};
