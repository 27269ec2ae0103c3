import type { Authentication } from '../../port/authentication.ts';
import type { AuthenticationConfig } from './sign-in-config.ts';

export const ORIGIN = 'http://ledger.example.test:8080';
export const SECRET = 'canary-secret-0f9c1f2b7d3e4a5968778695a4b3c2d1';

export const configFor = (databaseUrl: string, changes: Partial<AuthenticationConfig> = {}): AuthenticationConfig => ({
  databaseUrl,
  baseUrl: ORIGIN,
  secret: SECRET,
  trustedOrigins: ['http://app.example.test'],
  production: false,
  rateLimits: 'off',
  ...changes,
});

export type Credentials = { readonly email: string; readonly password: string };
export const ADA: Credentials = { email: 'ada@example.test', password: 'correct horse battery' };

type HeaderPairs = Readonly<Record<string, string>>;

/** A POST as a browser on the API's own origin sends it. */
export const post = (path: string, body: unknown, headers: HeaderPairs = {}): Request =>
  new Request(`${ORIGIN}/v1/auth${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: ORIGIN, ...headers },
    body: JSON.stringify(body),
  });

export const get = (path: string, headers: HeaderPairs = {}): Request => new Request(`${ORIGIN}/v1/auth${path}`, { headers });

export type SignedIn = {
  readonly userId: string;
  /** As the body gives it. */
  readonly token: string;
  /** Without its signature, as the database has it. */
  readonly bareToken: string;
  /** As a browser sends it back. */
  readonly cookie: string;
  readonly setCookie: string;
};

export const signUp = async (authentication: Authentication, who: Credentials = ADA): Promise<Response> =>
  authentication.handle(post('/sign-up/email', { name: 'Ada', ...who }));

export const signIn = async (authentication: Authentication, who: Credentials = ADA): Promise<SignedIn> => {
  const answer = await authentication.handle(post('/sign-in/email', who));
  const body: unknown = await answer.json();
  if (!isSignIn(body)) throw new Error(`sign-in answered ${answer.status}`);
  const setCookie = answer.headers.get('set-cookie') ?? '';
  return {
    userId: body.user.id,
    token: body.token,
    bareToken: body.token.split('.')[0] ?? '',
    cookie: setCookie.split(';')[0] ?? '',
    setCookie,
  };
};

const isSignIn = (body: unknown): body is { token: string; user: { id: string } } =>
  typeof body === 'object' && body !== null && 'token' in body && typeof body.token === 'string';

export const bearer = (token: string): Headers => new Headers({ authorization: `Bearer ${token}` });
export const cookie = (value: string): Headers => new Headers({ cookie: value });

/** What `call` throws; fails when it does not. */
export const thrownBy = async (call: () => unknown): Promise<unknown> => {
  try {
    await call();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
};
