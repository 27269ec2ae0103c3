import { createHmac, randomBytes } from 'node:crypto';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Logger } from 'pino';
import { openAuthentication } from '../adapter/better-auth/authentication.ts';
import type { DemoUser } from '../adapter/better-auth/demo-user.ts';
import { openEmbeddedAuthentication } from '../adapter/better-auth/embedded-authentication.ts';
import { errno } from '../adapter/key-file-outage.ts';
import type { Config } from '../config.ts';
import type { Authentication } from '../port/authentication.ts';
import type { UserId } from '../receipt/ids.ts';
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
  const secret = config.authSecret ?? (await keptSecret(join(config.dataDir, 'secrets', 'auth')));
  const common = {
    databaseUrl,
    baseUrl: config.publicUrl,
    secret,
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
  const signedIn = async (user: Omit<DemoUser, 'sessionToken'>, file: string): Promise<string> => {
    const token = await embedded.value.ensureDemoUser({ ...user, sessionToken: demoToken(secret, user.userId) });
    await keepToken(join(config.dataDir, 'secrets', file), token);
    return token;
  };
  const token = await signedIn(demoUser, 'demo-token');
  // Nobody knows the operator's password, and its token is in a file of this machine: it can publish for everyone.
  await signedIn({ ...demoOperator, password: randomBytes(32).toString('hex') }, 'demo-operator-token');
  return { authentication: embedded.value, demo: { token } };
};

/** The same at every start, another one with another secret. What is signed are letters and digits alone, so no signature is ever this. */
const demoToken = (secret: string, userId: UserId): string =>
  createHmac('sha256', secret).update(`demo session of ${userId}`).digest('hex');

/** For programs of this machine, such as `npm run demo`. Written anew at each start, and there or not there: never half. */
const keepToken = async (file: string, token: string): Promise<void> => {
  const draft = `${file}.${randomBytes(8).toString('hex')}.draft`;
  try {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    await writeFile(draft, `${token}\n`, { mode: 0o600, flag: 'wx' });
    await rename(draft, file);
  } catch (error) {
    throw new Refused(`the demo's token in ${file} cannot be kept (${errno(error)})`);
  } finally {
    await rm(draft, { force: true });
  }
};
