import { limits } from '../../limits.ts';
import type { Clock } from '../../port/clock.ts';

/** How many requests one address may make to one path before 429: `max` within `windowMs`. */
export type RateLimit = { readonly max: number; readonly windowMs: number };

/** `requests` for every path; `passwords` for those that try a password or make a user. Counted in Postgres, so for all processes together. */
export type RateLimits = { readonly requests: RateLimit; readonly passwords: RateLimit };

/** Something for the log: one line, without secrets and without names of people. */
export type SignInFault = { readonly level: 'warning' | 'error'; readonly message: string };

export type AuthenticationConfig = {
  /** `postgres://…`; the schema `auth` of that database is made and migrated at start. */
  readonly databaseUrl: string;
  /** Where the API is reached from outside, `https://…`; only its origin counts. */
  readonly baseUrl: string;
  /** Signs session cookies and bearer tokens; at least `limits.secretMinChars` characters. Another secret voids them all, but no API key. */
  readonly secret: string;
  /** Origins whose pages may post with the cookie, besides that of `baseUrl`. */
  readonly trustedOrigins: readonly string[];
  /** Cookies are `Secure` and `__Host-`, as they also are when `baseUrl` is https. */
  readonly production: boolean;
  /** Decides whether a session has expired. The machine's own unless given; better-auth always uses the machine's. */
  readonly clock?: Clock;
  /** `defaultRateLimits` unless given. */
  readonly rateLimits?: RateLimits | 'off';
  /** Told what better-auth would print. Must not throw. */
  readonly report?: (fault: SignInFault) => void;
};

/** What a person needs and a guesser does not get. */
export const defaultRateLimits: RateLimits = {
  requests: { max: limits.authRequestsPerWindow, windowMs: limits.authWindowMs },
  passwords: { max: limits.passwordTriesPerWindow, windowMs: limits.passwordWindowMs },
};

/** better-auth reads these behind our back, and they would add to what the configuration says. */
const READ_BY_BETTER_AUTH = ['BETTER_AUTH_TRUSTED_ORIGINS', 'BETTER_AUTH_TELEMETRY'];

/** Throws RangeError or TypeError that names the fault and quotes no value. */
export const checkConfig = (config: AuthenticationConfig, environment: NodeJS.ProcessEnv): void => {
  if (config.secret.length < limits.secretMinChars) {
    throw new RangeError(`the sign-in secret must have at least ${limits.secretMinChars} characters`);
  }
  if (!/^https?:$/.test(URL.parse(config.baseUrl)?.protocol ?? ''))
    throw new TypeError('the base URL must be http://… or https://…');
  const stray = READ_BY_BETTER_AUTH.filter((name) => (environment[name] ?? '') !== '');
  if (stray.length > 0) throw new TypeError(`unset ${stray.join(' and ')}: it would change sign-in behind the configuration`);
};

/** A function that takes the configuration's secrets out of a text. */
export const redactor = ({
  secret,
  databaseUrl,
}: Pick<AuthenticationConfig, 'secret' | 'databaseUrl'>): ((text: string) => string) => {
  const url = URL.parse(databaseUrl);
  const password = url?.password ?? '';
  const words = [secret, password, decoded(password), url?.searchParams.get('password') ?? ''];
  const secrets = new Set(words.filter((word) => word !== ''));
  return (text) => [...secrets].reduce((rest, word) => rest.replaceAll(word, '[redacted]'), text);
};

const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
};
