import { betterAuth } from 'better-auth';
import type pg from 'pg';
import type { Authentication } from '../../port/authentication.ts';
import { type Clock, systemClock } from '../../port/clock.ts';
import { type Result, ok } from '../../result.ts';
import { noteKeyUse } from './api-key-use.ts';
import { apiKeys } from './api-keys.ts';
import { openAuthPool } from './auth-database.ts';
import { betterAuthOptions } from './better-auth-options.ts';
import { forgetExpired, forgettingExpired } from './forget-expired.ts';
import { migrateAuth } from './migrate-auth.ts';
import { kyselyNotingOutages, serveAuth } from './serve-auth.ts';
import { sessionList } from './session-list.ts';
import { sessionLookup } from './session-lookup.ts';
import { signToken, tokenReader } from './session-token.ts';
import { type AuthenticationConfig, checkConfig, redactor } from './sign-in-config.ts';

/**
 * Sign-in by e-mail address and password, by passkey and by API key, with better-auth, in the schema `auth` of the database given,
 * which is migrated first. Throws `Outage` when Postgres is not there, TypeError or RangeError for a configuration that cannot be; no error holds a secret.
 */
export const openAuthentication = async (config: AuthenticationConfig): Promise<Authentication> => {
  const opened = await openSignIn(config, () => Promise.resolve(ok(null)));
  return opened.ok ? opened.value.authentication : opened.error;
};

/** Sign-in with what the embedded mode needs besides: the tables, the way passwords are hashed, and what preparing came to. */
export type SignIn<Prepared> = {
  readonly authentication: Authentication;
  readonly pool: pg.Pool;
  readonly clock: Clock;
  readonly prepared: Prepared;
  hashPassword(password: string): Promise<string>;
  /** A token of the database → what its holder presents. */
  signToken(token: string): string;
};

/** As `openAuthentication`; `prepare` has the migrated tables before anything is served, and its failure is the answer. */
export const openSignIn = async <Prepared, Failure = never>(
  config: AuthenticationConfig,
  prepare: (pool: pg.Pool) => Promise<Result<Prepared, Failure>>,
): Promise<Result<SignIn<Prepared>, Failure>> => {
  checkConfig(config, process.env);
  const clock = config.clock ?? systemClock;
  const pool = openAuthPool(config.databaseUrl, 'sign-in');
  // Pools of their own: a rush of sign-ups, which hash within their transaction, must not keep commands waiting.
  const lookUps = openAuthPool(config.databaseUrl, 'look-up');
  const optionsOn = betterAuthOptions(config);
  const end = async (): Promise<void> => void (await Promise.all([pool.end(), lookUps.end()]));
  try {
    await migrateAuth(pool, optionsOn);
    const prepared = await prepare(pool);
    if (!prepared.ok) {
      await end();
      return prepared;
    }
    await forgetExpired(pool, clock);
    const auth = betterAuth(optionsOn(kyselyNotingOutages(pool)));
    const { authCookies, secret, password } = await auth.$context;
    const carriedBy = tokenReader({ cookieName: authCookies.sessionToken.name, secret });
    const use = noteKeyUse(pool, clock);
    const whoIs = sessionLookup(lookUps, clock, use.used);
    const sweep = forgettingExpired(pool, clock);
    const serve = serveAuth(auth.handler, redactor(config));
    let ended: Promise<void> | null = null;
    const authentication: Authentication = {
      session: async (headers) => {
        const carried = carriedBy(headers);
        return carried && whoIs(carried);
      },
      handle: (request, clientAddress) => {
        sweep.whenDue();
        return serve(request, clientAddress);
      },
      ...sessionList(pool, clock),
      ...apiKeys(pool, clock),
      close: () => (ended ??= use.close().then(sweep.done).then(end)),
    };
    return ok({
      authentication,
      pool,
      clock,
      prepared: prepared.value,
      hashPassword: (text) => password.hash(text),
      signToken: (text) => signToken(text, secret),
    });
  } catch (error) {
    await end();
    throw error;
  }
};
