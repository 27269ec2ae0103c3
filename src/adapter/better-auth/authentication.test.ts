import { inspect } from 'node:util';
import { betterAuth } from 'better-auth';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestDatabase, freshDatabase } from '../../../test/postgres.ts';
import { limits } from '../../limits.ts';
import type { Authentication } from '../../port/authentication.ts';
import { systemClock } from '../../port/clock.ts';
import { parseUserId } from '../../receipt/ids.ts';
import { openAuthPool } from './auth-database.ts';
import { openAuthentication } from './authentication.ts';
import { betterAuthOptions } from './better-auth-options.ts';
import { kyselyNotingOutages } from './serve-auth.ts';
import { ADA, ORIGIN, SECRET, bearer, configFor, cookie, get, post, signIn, signUp, thrownBy } from './sign-in.fixture.ts';
import type { SignInFault } from './sign-in-config.ts';

let database: TestDatabase;
let authentication: Authentication;
const reported: SignInFault[] = [];

beforeAll(async () => {
  database = await freshDatabase({ empty: true });
  authentication = await openAuthentication(configFor(database.url, { report: (fault) => reported.push(fault) }));
  await signUp(authentication);
});
afterAll(async () => {
  await authentication.close();
  await database.drop();
});

describe('signing in', () => {
  it('knows the user by the cookie and by the signed token, and by no token of the database', async () => {
    const ada = await signIn(authentication);
    expect(ada.userId).toMatch(/^usr_[0-7][0-9A-HJKMNP-TV-Z]{25}$/);
    expect(parseUserId(ada.userId).ok).toBe(true);
    const session = { userId: ada.userId, sessionId: expect.stringMatching(/^ses_/), scopes: null };
    expect(await authentication.session(cookie(ada.cookie))).toEqual({ ...session, via: 'cookie' });
    expect(await authentication.session(bearer(ada.token))).toEqual({ ...session, via: 'bearer' });
    expect(ada.token).toMatch(/^[A-Za-z0-9]{32}[.][A-Za-z0-9+/]{43}=$/);
    expect(await authentication.session(bearer(ada.bareToken))).toBeNull();
    expect(await authentication.session(new Headers())).toBeNull();
  });

  it('ends the session of a sign-out by cookie at once, and no other', async () => {
    const [one, other] = [await signIn(authentication), await signIn(authentication)];
    const answer = await authentication.handle(post('/sign-out', {}, { cookie: one.cookie }));
    expect(answer.status).toBe(200);
    expect(answer.headers.get('set-cookie')).toContain('Max-Age=0');
    expect(await authentication.session(cookie(one.cookie))).toBeNull();
    expect(await authentication.session(bearer(one.token))).toBeNull();
    expect(await authentication.session(cookie(other.cookie))).not.toBeNull();
  });

  it('ends the session of a sign-out by bearer token at once', async () => {
    const { token } = await signIn(authentication);
    expect((await authentication.handle(post('/sign-out', {}, { authorization: `Bearer ${token}` }))).status).toBe(200);
    expect(await authentication.session(bearer(token))).toBeNull();
  });

  it('ends every other session when asked to', async () => {
    const [one, other] = [await signIn(authentication), await signIn(authentication)];
    await authentication.handle(post('/revoke-other-sessions', {}, { authorization: `Bearer ${one.token}` }));
    expect(await authentication.session(bearer(other.token))).toBeNull();
    expect(await authentication.session(bearer(one.token))).not.toBeNull();
  });

  it.each([
    ['nothing but a token', {}, undefined],
    ['an empty body', {}, new Uint8Array()],
    ['an empty object', { 'content-type': 'application/json' }, '{}'],
  ])('signs out a program that sends %s', async (_, headers, body) => {
    const { token } = await signIn(authentication);
    const request = { method: 'POST', headers: { authorization: `Bearer ${token}`, ...headers }, body: body ?? null };
    expect((await authentication.handle(new Request(`${ORIGIN}/v1/auth/sign-out`, request))).status).toBe(200);
    expect(await authentication.session(bearer(token))).toBeNull();
  });

  it("lets in Node's fetch, which sends Sec-Fetch-Mode and no origin, and no browser that hides its own", async () => {
    const from = async (headers: Readonly<Record<string, string>>): Promise<number> => {
      const request = post('/sign-in/email', ADA, headers);
      request.headers.delete('origin');
      return (await authentication.handle(request)).status;
    };
    expect(await from({ 'sec-fetch-mode': 'cors' })).toBe(200);
    expect(await from({ 'sec-fetch-mode': 'cors', 'sec-fetch-site': 'cross-site' })).toBe(403);
    expect(await from({ 'sec-fetch-mode': 'cors', 'sec-fetch-site': 'same-origin' })).toBe(403);
    expect(await from({ 'sec-fetch-mode': 'cors', cookie: 'a=b' })).toBe(403);
  });

  it('prolongs a session when its own endpoint is posted to, and reads write nothing', async () => {
    const { bareToken, cookie: value } = await signIn(authentication);
    const pool = openAuthPool(database.url, 'sign-in');
    const end = async (): Promise<number> => {
      const { rows } = await pool.query<{ expiresAt: Date }>('select "expiresAt" from auth.session where token = $1', [
        bareToken,
      ]);
      return rows[0]?.expiresAt.getTime() ?? 0;
    };
    const old = Date.now() + limits.sessionMs - limits.sessionRefreshAfterMs - 60_000;
    await pool.query('update auth.session set "expiresAt" = $1 where token = $2', [new Date(old), bareToken]);
    await authentication.handle(get('/get-session', { cookie: value }));
    await authentication.session(cookie(value));
    expect(await end()).toBe(old);
    expect((await authentication.handle(post('/get-session', {}, { cookie: value }))).status).toBe(200);
    expect(await end()).toBeGreaterThan(old + limits.sessionRefreshAfterMs);
    await pool.end();
  });

  it('never lets an answer with a token be cached', async () => {
    expect((await authentication.handle(post('/sign-in/email', ADA))).headers.get('cache-control')).toBe('no-store');
  });
});

const refuse = (): Promise<never> => Promise.reject(new Error('nothing is hashed here'));

describe('telling nobody who is there', () => {
  const seen = async (answer: Response) => ({
    status: answer.status,
    headers: [...answer.headers.keys()],
    body: await answer.text(),
  });

  it('answers a wrong password like an unknown address', async () => {
    const wrong = await authentication.handle(post('/sign-in/email', { ...ADA, password: 'wrong password' }));
    const unknown = await authentication.handle(post('/sign-in/email', { ...ADA, email: 'nobody@example.test' }));
    expect(wrong.status).toBe(401);
    expect(await seen(wrong)).toEqual(await seen(unknown));
  });

  it('answers a sign-up with a known address like any other, and changes nothing', async () => {
    const masked = async (answer: Response): Promise<unknown> => {
      const { body, ...rest } = await seen(answer);
      const text = body.replace(/usr_\w{26}/, 'ID').replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME');
      return { ...rest, body: text.replace(/\w+@example.test/, 'MAIL') };
    };
    const known = await signUp(authentication, { ...ADA, password: 'another password' });
    const fresh = await signUp(authentication, { email: 'fresh@example.test', password: 'another password' });
    expect(known.status).toBe(200);
    expect(await masked(known)).toEqual(await masked(fresh));
    expect(await signIn(authentication)).toBeDefined();
  });

  it.each([
    ['a sign-in, the password right', '/sign-in/email', ADA],
    ['a sign-in, the password wrong', '/sign-in/email', { ...ADA, password: 'wrong password' }],
    ['a sign-in, nobody of that address', '/sign-in/email', { ...ADA, email: 'nobody@example.test' }],
    ['a sign-up with a known address', '/sign-up/email', { ...ADA, name: 'Ada' }],
    ['a sign-up with a new address', '/sign-up/email', { ...ADA, email: 'counted@example.test', name: 'Ada' }],
  ])('hashes one password for %s', async (_, path, body) => {
    const pool = openAuthPool(database.url, 'sign-in');
    const options = betterAuthOptions(configFor(database.url))(kyselyNotingOutages(pool));
    const { hash = refuse, verify = refuse } = options.emailAndPassword?.password ?? {};
    let hashes = 0;
    const counted = <T, R>(call: (asked: T) => Promise<R>) => {
      return (asked: T): Promise<R> => {
        hashes++;
        return call(asked);
      };
    };
    const password = { hash: counted(hash), verify: counted(verify) };
    const auth = betterAuth({ ...options, emailAndPassword: { enabled: true, ...options.emailAndPassword, password } });
    await auth.handler(post(path, body));
    await pool.end();
    expect(hashes).toBe(1);
  });

  it('keeps addresses and names out of the log', () => {
    expect(reported.length).toBeGreaterThan(0);
    expect(reported.map(({ message }) => message).filter((message) => /example\.test|Ada/.test(message))).toEqual([]);
  });
});

describe('writes with a cookie', () => {
  it.each([
    ['the own origin', { origin: ORIGIN }, 200],
    ['a trusted origin', { origin: 'http://app.example.test' }, 200],
    ['another origin', { origin: 'http://evil.example.test' }, 403],
    ['another port', { origin: 'http://ledger.example.test:9999' }, 403],
    ['the origin null', { origin: 'null' }, 403],
    ['no origin at all', { origin: '' }, 403],
  ])('from %s', async (_, headers, status) => {
    const ada = await signIn(authentication);
    expect((await authentication.handle(post('/sign-out', {}, { cookie: ada.cookie, ...headers }))).status).toBe(status);
    expect((await authentication.session(cookie(ada.cookie))) === null).toBe(status === 200);
  });

  it('refuses a first sign-in that another site sends', async () => {
    const answer = await authentication.handle(post('/sign-in/email', ADA, { origin: 'http://evil.example.test' }));
    expect(answer.status).toBe(403);
    expect(answer.headers.get('set-cookie')).toBeNull();
  });

  it('refuses to send the user elsewhere', async () => {
    const answer = await authentication.handle(post('/sign-in/email', { ...ADA, callbackURL: 'http://evil.example.test' }));
    expect(answer.status).toBe(403);
  });
});

/** Served by better-auth, and told nobody: they tell tokens of other sessions, or make keys past our counting. */
const HIDDEN = ['/list-sessions', '/revoke-session', '/api-key/create', '/api-key/list', '/api-key/get', '/api-key/verify'];

describe('what is refused', () => {
  const user = { name: 'Bob', email: 'bob@example.test', password: '0123456789' };
  it.each([
    ['a password of 9 characters', { ...user, password: '012345678' }],
    ['a password of 129 characters', { ...user, password: 'x'.repeat(129) }],
    ['an address that is none', { ...user, email: 'bob' }],
    ['no name', { email: user.email, password: user.password }],
    ['a name of 101 characters', { ...user, name: 'x'.repeat(101) }],
    ['a name with a NUL', { ...user, name: 'Bob\u0000' }],
    ['a name with half a character', { ...user, name: 'Bob\ud800' }],
    ['a picture without end', { ...user, image: 'x'.repeat(2_049) }],
    ['a name that is no text', { ...user, name: { $ne: 1 } }],
    ['a body that is a list', [user]],
    ['a body that is null', null],
  ])('%s', async (_, body) => {
    const answer = await authentication.handle(post('/sign-up/email', body));
    expect(answer.status).toBe(400);
    expect((await authentication.handle(post('/sign-in/email', user))).status).toBe(401);
  });

  it.each([
    ['a new', user.email],
    ['a known', ADA.email],
  ])('a malformed name is refused with %s address', async (_, email) => {
    expect((await authentication.handle(post('/sign-up/email', { ...user, email, name: '\u0000' }))).status).toBe(400);
  });

  it('takes passwords of 10 and of 128 characters', async () => {
    for (const length of [10, 128]) {
      const who = { email: `length${length}@example.test`, password: 'é'.repeat(length) };
      expect((await signUp(authentication, who)).status).toBe(200);
      expect((await signIn(authentication, who)).token).not.toBe('');
    }
  });

  it.each([
    '/sign-in/social',
    '/request-password-reset',
    '/delete-user',
    '/error',
    '/callback/github',
    '/nothing',
    '',
    ...HIDDEN,
  ])('serves nothing at %s', async (path) => {
    expect((await authentication.handle(post(path, {}))).status).toBe(404);
    expect((await authentication.handle(get(path))).status).toBe(404);
  });

  it('answers JSON that is none with 400', async () => {
    const request = new Request(`${ORIGIN}/v1/auth/sign-in/email`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"email":',
    });
    expect((await authentication.handle(request)).status).toBe(400);
  });
});

describe('the cookie', () => {
  it.each([
    { what: 'here', production: false, baseUrl: ORIGIN, name: 'pixpax.session_token', secure: false },
    { what: 'in production', production: true, baseUrl: ORIGIN, name: '__Host-pixpax.session_token', secure: true },
    { what: 'on https', production: false, baseUrl: 'https://a.example.test', name: '__Host-pixpax.session_token', secure: true },
  ])('is $name $what', async ({ production, baseUrl, name, secure }) => {
    const other = await openAuthentication(configFor(database.url, { production, baseUrl, trustedOrigins: [ORIGIN] }));
    try {
      const ada = await signIn(other);
      expect(ada.cookie).toMatch(new RegExp(`^${name}=`));
      expect(ada.setCookie.split('; ').slice(1).sort()).toEqual(
        ['HttpOnly', 'Max-Age=604800', 'Path=/', 'SameSite=Lax', ...(secure ? ['Secure'] : [])].sort(),
      );
      expect(await other.session(cookie(ada.cookie))).toMatchObject({ userId: ada.userId, via: 'cookie' });
    } finally {
      await other.close();
    }
  });
});

describe('every cookie that is set', () => {
  const attributes = (cookie: string): string =>
    cookie
      .split('; ')
      .slice(1)
      .filter((each) => !each.startsWith('Max-Age'))
      .sort()
      .join('; ');

  it('in production is pinned to this host, sent over TLS alone and kept from pages', async () => {
    const other = await openAuthentication(
      configFor(database.url, { production: true, baseUrl: 'https://a.example.test', trustedOrigins: [ORIGIN] }),
    );
    const origin = { origin: 'https://a.example.test' };
    try {
      const ada = await signIn(other);
      const carried = { cookie: ada.cookie, ...origin };
      const requests = [
        post('/sign-up/email', { name: 'New', email: 'cookies@example.test', password: '0123456789' }, origin),
        post('/sign-in/email', ADA, origin),
        post('/sign-in/email', { ...ADA, rememberMe: false }, origin),
        post('/sign-in/email', { ...ADA, password: 'wrong password' }, origin),
        get('/get-session', carried),
        post('/get-session', {}, carried),
        get('/passkey/generate-register-options', carried),
        get('/passkey/generate-authenticate-options', carried),
        post('/passkey/verify-registration', { response: { id: 'x' } }, carried),
        post('/passkey/verify-authentication', { response: { id: 'x' } }, carried),
        get('/passkey/list-user-passkeys', carried),
        post('/change-password', { currentPassword: ADA.password, newPassword: ADA.password }, carried),
        post('/sign-out', {}, carried),
      ];
      const set: string[] = [];
      for (const request of requests) set.push(...(await other.handle(request)).headers.getSetCookie());
      const names = [...new Set(set.map((each) => each.split('=')[0]))].sort();
      expect(names).toEqual(
        ['dont_remember', 'passkey_challenge', 'session_data', 'session_token'].map((name) => `__Host-pixpax.${name}`),
      );
      expect([...new Set(set.map(attributes))]).toEqual(['HttpOnly; Path=/; SameSite=Lax; Secure']);
    } finally {
      await other.close();
    }
  });
});

describe('rate limits', () => {
  const limited = { requests: { max: 50, windowMs: 60_000 }, passwords: { max: 3, windowMs: 60_000 } };

  it('let one address try a few passwords, across processes, whatever headers it makes up', async () => {
    const processes = [
      await openAuthentication(configFor(database.url, { rateLimits: limited })),
      await openAuthentication(configFor(database.url, { rateLimits: limited })),
    ] as const;
    const tryFrom = (address: string, turn: number): Promise<Response> => {
      const made = { 'x-forwarded-for': `10.9.8.${turn}`, 'x-pixpax-client-address': `10.9.8.${turn}` };
      return processes[turn % 2 === 0 ? 0 : 1].handle(post('/sign-in/email', { ...ADA, password: 'guess guess' }, made), address);
    };
    try {
      const statuses: number[] = [];
      for (let turn = 0; turn < 5; turn++) statuses.push((await tryFrom('192.0.2.1', turn)).status);
      expect(statuses).toEqual([401, 401, 401, 429, 429]);
      const last = await tryFrom('192.0.2.1', 5);
      expect(Number(last.headers.get('retry-after'))).toBeGreaterThan(50);
      expect(Number(last.headers.get('retry-after'))).toBeLessThanOrEqual(60);
      expect((await tryFrom('192.0.2.2', 0)).status).toBe(401);
    } finally {
      await Promise.all(processes.map((each) => each.close()));
    }
  });
});

describe('many at once', () => {
  it('signs up more users at once than there are connections', async () => {
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, n) => signUp(authentication, { email: `many${n}@example.test`, password: '0123456789' })),
    );
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
  });

  it('leaves no half of a user when the other half cannot be written', async () => {
    const half = { email: 'half@example.test', password: '0123456789' };
    const pool = openAuthPool(database.url, 'sign-in');
    await pool.query(`create function auth.refuse() returns trigger language plpgsql as 'begin raise exception ''no''; end'`);
    await pool.query('create trigger refuse before insert on auth.account execute function auth.refuse()');
    try {
      expect(await thrownBy(() => signUp(authentication, half))).toMatchObject({ code: 'postgres-unavailable' });
    } finally {
      await pool.query('drop function auth.refuse() cascade');
      await pool.end();
    }
    await signUp(authentication, half);
    expect((await signIn(authentication, half)).token).not.toBe('');
  });

  it('makes one user when one address signs up twice at once', async () => {
    const twin = { email: 'twin@example.test', password: '0123456789' };
    await Promise.all([signUp(authentication, twin), signUp(authentication, twin)]);
    expect((await signIn(authentication, twin)).token).not.toBe('');
  });
});

describe('a configuration that cannot be', () => {
  it.each([
    ['a short secret', { secret: 'canary-short' }, 'at least 32'],
    ['a base URL that is none', { baseUrl: 'canary-nonsense' }, 'base URL'],
    ['a base URL of another scheme', { baseUrl: 'ftp://canary.example.test' }, 'base URL'],
    ['a database URL that is none', { databaseUrl: 'canary nonsense' }, 'address of Postgres'],
  ])('%s is named, not quoted', async (_, changes, part) => {
    const error = await thrownBy(() => openAuthentication(configFor(database.url, changes)));
    expect(String(error)).toContain(part);
    expect(inspect(error)).not.toContain('canary');
  });

  it('refuses settings that would reach better-auth behind it', async () => {
    process.env.BETTER_AUTH_TRUSTED_ORIGINS = 'http://evil.example.test';
    try {
      expect(String(await thrownBy(() => openAuthentication(configFor(database.url))))).toContain('BETTER_AUTH_TRUSTED_ORIGINS');
    } finally {
      delete process.env.BETTER_AUTH_TRUSTED_ORIGINS;
    }
  });

  it('signs with its own secret even if the environment has another', async () => {
    process.env.BETTER_AUTH_SECRETS = `1:${'z'.repeat(40)}`;
    const other = await openAuthentication(configFor(database.url));
    try {
      const ada = await signIn(other);
      expect(await authentication.session(cookie(ada.cookie))).not.toBeNull();
    } finally {
      delete process.env.BETTER_AUTH_SECRETS;
      await other.close();
    }
  });
});

describe('starting', () => {
  it('forgets sessions that have expired', async () => {
    const ada = await signIn(authentication);
    const pool = openAuthPool(database.url, 'sign-in');
    await pool.query(`update auth.session set "expiresAt" = now() - interval '1 day' where token = $1`, [ada.bareToken]);
    await (await openAuthentication(configFor(database.url))).close();
    const left = await pool.query('select 1 from auth.session where token = $1', [ada.bareToken]);
    await pool.end();
    expect(left.rowCount).toBe(0);
  });

  it('forgets keys and challenges that have expired, and again while it runs, when it is due', async () => {
    const pool = openAuthPool(database.url, 'sign-in');
    const left = async (): Promise<number> => {
      const counts = 'select (select count(*) from auth.apikey) + (select count(*) from auth.verification) as n';
      return (await pool.query<{ n: number }>(counts)).rows[0]?.n ?? 0;
    };
    const leave = async (): Promise<void> => {
      await pool.query(
        `insert into auth.verification (id, identifier, value, "expiresAt") values ('v', 'i', 'v', now() - interval '1 s')`,
      );
      await pool.query(`insert into auth.apikey (id, "configId", key, "referenceId", "expiresAt", "createdAt", "updatedAt")
        values ('k', 'default', 'h', 'u', now() - interval '1 s', now(), now())`);
    };
    await pool.query('truncate auth.verification, auth.apikey');
    await leave();
    let now = Date.now();
    const other = await openAuthentication(configFor(database.url, { clock: { ...systemClock, now: () => now } }));
    expect(await left()).toBe(0);
    await leave();
    await other.handle(get('/ok'));
    expect(await left()).toBe(2);
    now += limits.expiredSweepMs;
    await other.handle(get('/ok'));
    await other.close();
    expect(await left()).toBe(0);
    await pool.end();
  });

  it('keeps the secret out of what it reports', () => {
    expect(inspect(reported)).not.toContain(SECRET);
  });
});
