import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { openAuthentication } from '../adapter/better-auth/authentication.ts';
import { openEmbeddedAuthentication } from '../adapter/better-auth/embedded-authentication.ts';
import type { Config } from '../config.ts';
import type { Authentication } from '../port/authentication.ts';
import { demoOperator, demoUser } from './demo.ts';
import { keptSecret } from './kept-secret.ts';
import { Refused } from './until-up.ts';

/** Sign-in, and the bearer token of the demo's collector where there is a demo. */
export type SignIn = { readonly authentication: Authentication; readonly demo: { readonly token: string } | null };

/**
 * Opens sign-in on the database. On the embedded Postgres users and sessions are also kept in a file beside it, and the demo's user
 * and its operator are made; their tokens are the same at every start. Throws `Outage`, and `Refused` when the file cannot be read.
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
  if (config.database.kind === 'url') return { authentication: await openAuthentication(common), demo: null };
  const embedded = await openEmbeddedAuthentication({ ...common, backupFile: join(config.dataDir, 'auth-backup.jsonl') });
  if (!embedded.ok) throw new Refused(`${embedded.error.code}: the copy of the users beside the database cannot be read`);
  if (embedded.value.restored === 'restored') log.warn('users and sessions were restored from their copy beside the database');
  if (!config.demo) return { authentication: embedded.value, demo: null };
  const kept = (name: string) => keptSecret(join(config.dataDir, 'secrets', name));
  const token = await embedded.value.ensureDemoUser({ ...demoUser, sessionToken: await kept('demo-token') });
  // Nobody knows the operator's password, and its token is in a file of this machine: it can publish for everyone.
  const password = randomBytes(32).toString('hex');
  const operator = { ...demoOperator, password, sessionToken: await kept('demo-operator-token') };
  await embedded.value.ensureDemoUser(operator);
  return { authentication: embedded.value, demo: { token } };
};
