import { apiKey } from '@better-auth/api-key';
import type { BetterAuthOptions } from 'better-auth';
import { hashPassword, verifyPassword } from 'better-auth/crypto';
import { bearer } from 'better-auth/plugins/bearer';
import type { Kysely } from 'kysely';
import { ulid } from 'ulid';
import { limits } from '../../limits.ts';
import { KEY_PREFIX } from './api-key-text.ts';
import { AUTH_SCHEMA } from './auth-database.ts';
import { beforeEndpoint } from './before-endpoint.ts';
import { passkeys } from './passkeys.ts';
import { type AuthenticationConfig, type RateLimits, defaultRateLimits, redactor } from './sign-in-config.ts';
import { takingTurns } from './taking-turns.ts';

/** The better-auth options on a connection: the same for migrating and for serving. */
export type OptionsOn = (db: Kysely<unknown>) => BetterAuthOptions;

/** Carries the client's address from `handle` to the rate limiter; whatever a client sends under this name is removed. */
export const CLIENT_ADDRESS_HEADER = 'x-pixpax-client-address';

/** All that better-auth is told. What it defaults differently in tests or by environment is said here outright. */
export const betterAuthOptions = (config: AuthenticationConfig): OptionsOn => {
  const secure = config.production || new URL(config.baseUrl).protocol === 'https:';
  const settings: BetterAuthOptions = {
    appName: 'PixPax',
    baseURL: new URL(config.baseUrl).origin,
    basePath: '/v1/auth',
    // The list wins over BETTER_AUTH_SECRETS in the environment, a single secret does not.
    secrets: [{ version: 1, value: config.secret }],
    trustedOrigins: [...config.trustedOrigins],
    emailAndPassword: emailAndPassword(),
    session: {
      expiresIn: limits.sessionMs / 1000,
      updateAge: limits.sessionRefreshAfterMs / 1000,
      freshAge: limits.freshSessionMs / 1000,
      // A GET writes nothing: POST /v1/auth/get-session prolongs.
      deferSessionRefresh: true,
      cookieCache: { enabled: false },
    },
    rateLimit: rateLimit(config.rateLimits ?? defaultRateLimits),
    hooks: { before: beforeEndpoint },
    // A challenge is found by what its cookie says, which the database need not know.
    verification: { storeIdentifier: 'hashed' },
    plugins: [bearer({ requireSignature: true }), ...passkeys(config.baseUrl), apiKeyTable()],
    telemetry: { enabled: false },
    advanced: advanced(secure),
    ...reporting(config),
  };
  // The tables by their full name, whatever the connection's search path; a sign-up is one transaction.
  return (db) => ({ ...settings, database: { db, type: 'postgres', schemaName: AUTH_SCHEMA, transaction: true } });
};

const emailAndPassword = (): NonNullable<BetterAuthOptions['emailAndPassword']> => {
  const turn = takingTurns(limits.parallelPasswordHashes);
  return {
    enabled: true,
    // Only so does a sign-up with a known address answer like any other; the user signs in with a second request.
    autoSignIn: false,
    minPasswordLength: limits.passwordMinChars,
    maxPasswordLength: limits.passwordMaxChars,
    password: { hash: (password) => turn(() => hashPassword(password)), verify: (claim) => turn(() => verifyPassword(claim)) },
  };
};

/** The plugin's table and hashing. Its endpoints are not served, and a key is no session to better-auth: see `api-keys.ts`. */
const apiKeyTable = () =>
  apiKey({ defaultPrefix: KEY_PREFIX, enableSessionForAPIKeys: false, rateLimit: { enabled: false }, storage: 'database' });

const PASSWORD_PATHS = ['/sign-in/email', '/sign-up/email', '/change-password'];

const rateLimit = (rates: RateLimits | 'off'): NonNullable<BetterAuthOptions['rateLimit']> => {
  if (rates === 'off') return { enabled: false, storage: 'database' };
  const rule = ({ max, windowMs }: RateLimits['requests']) => ({ max, window: windowMs / 1000 });
  return {
    enabled: true,
    storage: 'database',
    ...rule(rates.requests),
    customRules: Object.fromEntries(PASSWORD_PATHS.map((path) => [path, rule(rates.passwords)])),
  };
};

const ID_PREFIX: { readonly [model: string]: string } = { user: 'usr_', session: 'ses_', passkey: 'psk_' };

const advanced = (secure: boolean): NonNullable<BetterAuthOptions['advanced']> => ({
  // `true` would put `__Secure-` in front of the name; `__Host-` also pins the cookie to this host and to the path `/`.
  useSecureCookies: false,
  cookiePrefix: secure ? '__Host-pixpax' : 'pixpax',
  defaultCookieAttributes: { httpOnly: true, sameSite: 'lax', path: '/', secure },
  // Off by default where NODE_ENV is `test`.
  disableOriginCheck: false,
  disableCSRFCheck: false,
  ipAddress: { ipAddressHeaders: [CLIENT_ADDRESS_HEADER] },
  database: {
    generateId: ({ model }) => `${ID_PREFIX[model] ?? ''}${ulid()}`,
    // Tables were migrated a moment ago.
    validateSchema: false,
  },
});

/** Faults go to `report`, without the arguments better-auth adds: those hold statements, addresses and people. */
const reporting = (config: AuthenticationConfig): Pick<BetterAuthOptions, 'logger' | 'onAPIError'> => {
  const redact = redactor(config);
  return {
    // No `level`: with one, better-auth prints every refusal through a second logger that cannot be replaced.
    logger: {
      log: (level, message) => config.report?.({ level: level === 'error' ? 'error' : 'warning', message: redact(message) }),
    },
    // What is no answer of better-auth's is thrown to `handle`; it would be printed, statement and all.
    onAPIError: {
      onError: (error) => {
        if (!(error instanceof Error && error.name === 'APIError')) throw error;
      },
    },
  };
};
