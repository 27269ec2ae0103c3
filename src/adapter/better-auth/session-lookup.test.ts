import { createHmac } from 'node:crypto';
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestDatabase, freshDatabase } from '../../../test/postgres.ts';
import { limits } from '../../limits.ts';
import type { Authentication } from '../../port/authentication.ts';
import { systemClock } from '../../port/clock.ts';
import { openAuthPool } from './auth-database.ts';
import { openAuthentication } from './authentication.ts';
import { sessionLookup } from './session-lookup.ts';
import type { Carried } from './session-token.ts';
import { ADA, SECRET, type SignedIn, bearer, configFor, cookie, get, post, signIn, signUp } from './sign-in.fixture.ts';

let database: TestDatabase;
let authentication: Authentication;
let pool: pg.Pool;
let ada: SignedIn;
let bob: SignedIn;
let expired: SignedIn;
let revoked: SignedIn;
const BOB = { email: 'bob@example.test', password: 'another good password' };

beforeAll(async () => {
  database = await freshDatabase({ empty: true });
  authentication = await openAuthentication(configFor(database.url));
  pool = openAuthPool(database.url, 'look-up');
  await signUp(authentication);
  await signUp(authentication, BOB);
  ada = await signIn(authentication);
  bob = await signIn(authentication, BOB);
  expired = await signIn(authentication);
  revoked = await signIn(authentication);
  await pool.query(`update auth.session set "expiresAt" = now() - interval '1 second' where token = $1`, [expired.bareToken]);
  await authentication.handle(post('/sign-out', {}, { authorization: `Bearer ${revoked.token}` }));
});
afterAll(async () => {
  await authentication.close();
  await pool.end();
  await database.drop();
});

const NAME = 'pixpax.session_token';
const signature = (token: string, secret: string): string => createHmac('sha256', secret).update(token).digest('base64');
const signed = (token: string, secret = SECRET): string => `${token}.${signature(token, secret)}`;
const cookieOf = (value: string, name = NAME): string => `${name}=${encodeURIComponent(value)}`;
/** The last digit before the padding carries two bits that no byte uses. */
const lastDigit = (text: string, by: number): string => {
  const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
  const digit = digits[digits.indexOf(text.at(-2) ?? '') ^ by] ?? '';
  return `${text.slice(0, -2)}${digit}=`;
};
const urlSafe = (text: string): string => text.replaceAll('+', '-').replaceAll('/', '_');

const sessionOf = ({ bareToken }: Pick<SignedIn, 'bareToken'>): Carried => ({ kind: 'session', token: bareToken, via: 'bearer' });

type Carrying = { readonly authorization?: string; readonly cookie?: string };

const requests = (): readonly (readonly [what: string, headers: Carrying, who: SignedIn | null])[] => {
  const good = ada.token;
  const goodCookie = cookieOf(good);
  const swapped = `${ada.bareToken}.${signature(bob.bareToken, SECRET)}`;
  const both = (authorization: string): Carrying => ({ authorization, cookie: cookieOf(bob.token) });
  return [
    ['nothing', {}, null],
    ['a cookie', { cookie: goodCookie }, ada],
    ['a cookie among others', { cookie: `a=b; ${goodCookie}; c=d` }, ada],
    ['a cookie in quotes', { cookie: `${NAME}="${encodeURIComponent(good)}"` }, ada],
    ['a cookie that is not escaped', { cookie: `${NAME}=${good}` }, ada],
    ['a cookie without the space', { cookie: `a=b;${goodCookie}` }, ada],
    ['two cookies of one name', { cookie: `${goodCookie}; ${cookieOf(bob.token)}` }, ada],
    ['two cookies of one name, the first of them bad', { cookie: `${NAME}=x; ${goodCookie}` }, null],
    ['a cookie of another name', { cookie: cookieOf(good, 'better-auth.session_token') }, null],
    ['a cookie with a host prefix', { cookie: cookieOf(good, `__Host-${NAME}`) }, null],
    ['a cookie without a signature', { cookie: cookieOf(ada.bareToken) }, null],
    ['a cookie with an empty signature', { cookie: cookieOf(`${ada.bareToken}.`) }, null],
    ['a cookie signed with another secret', { cookie: cookieOf(signed(ada.bareToken, 'x'.repeat(40))) }, null],
    ["a cookie with another session's signature", { cookie: cookieOf(swapped) }, null],
    ['a cookie with one bit changed', { cookie: cookieOf(lastDigit(good, 4)) }, null],
    ['a cookie with an unused bit changed', { cookie: cookieOf(lastDigit(good, 1)) }, ada],
    ['a cookie cut short', { cookie: cookieOf(good.slice(0, -1)) }, null],
    ['a cookie with more behind', { cookie: cookieOf(`${good}=`) }, null],
    ['a cookie that signs a signed token', { cookie: cookieOf(signed(good)) }, null],
    ['an empty cookie', { cookie: `${NAME}=` }, null],
    ['a cookie that is no escape', { cookie: `${NAME}=%E0%A4%A` }, null],
    ['a cookie of an expired session', { cookie: cookieOf(expired.token) }, null],
    ['a cookie of a revoked session', { cookie: cookieOf(revoked.token) }, null],
    ['a bare token', { authorization: `Bearer ${ada.bareToken}` }, null],
    ['a bare token of nobody', { authorization: `Bearer ${'x'.repeat(32)}` }, null],
    ['a bare token and an empty signature', { authorization: `Bearer ${ada.bareToken}.` }, null],
    ['a bare token with an escape', { authorization: `Bearer %41${ada.bareToken.slice(1)}` }, null],
    ['a token of strange letters', { authorization: `Bearer ${'é;"=,'.repeat(8)}` }, null],
    ['a bearer of nothing', { authorization: 'Bearer ' }, null],
    ['another scheme', { authorization: `Basic ${good}` }, null],
    ['no scheme', { authorization: good }, null],
    ['a signed token', { authorization: `Bearer ${good}` }, ada],
    ['a signed token, scheme in small letters', { authorization: `bearer ${good}` }, ada],
    ['a signed token with spaces around', { authorization: `Bearer   ${good} ` }, ada],
    ['a signed token of an expired session', { authorization: `Bearer ${expired.token}` }, null],
    ['a signed token of a revoked session', { authorization: `Bearer ${revoked.token}` }, null],
    ['a signed token of nobody', { authorization: `Bearer ${signed('x'.repeat(32))}` }, null],
    ['a signed token, escaped', { authorization: `Bearer ${encodeURIComponent(good)}` }, ada],
    ['a signed token of another secret', { authorization: `Bearer ${signed(ada.bareToken, 'y'.repeat(40))}` }, null],
    ['a signed token with one bit changed', { authorization: `Bearer ${lastDigit(good, 4)}` }, null],
    ['a signed token in the other alphabet', { authorization: `Bearer ${urlSafe(good)}` }, /[+/]/.test(good) ? null : ada],
    ['a signed token without padding', { authorization: `Bearer ${good.slice(0, -1)}` }, null],
    ['a signed token with more behind', { authorization: `Bearer ${good}.more` }, null],
    ['a dot', { authorization: 'Bearer .' }, null],
    ['a bare token and a cookie', both(`Bearer ${ada.bareToken}`), bob],
    ['an API key of nobody', { authorization: `Bearer pixpax_${'x'.repeat(48)}` }, null],
    ['an API key of nobody and a cookie', both(`Bearer pixpax_${'x'.repeat(48)}`), null],
    ['what is no API key and a cookie', both('Bearer pixpax_'), null],
    ['an API key, signed, and a cookie', both(`bearer ${signed(`pixpax_${'x'.repeat(48)}`)}`), null],
    ['a signed token and a cookie', both(`Bearer ${good}`), ada],
    ['a signed token of nobody and a cookie', both(`Bearer ${signed('x'.repeat(32))}`), null],
    ['a revoked token and a cookie', both(`Bearer ${revoked.token}`), null],
    ['a token with a wrong signature and a cookie', both(`Bearer ${swapped}`), bob],
    ['a token without padding and a cookie', both(`Bearer ${good.slice(0, -1)}`), null],
    ['a token that is no base64 and a cookie', both(`Bearer ${ada.bareToken}.!!`), bob],
    ['another scheme and a cookie', both(`Basic ${good}`), bob],
    ['an empty bearer and a cookie', both('Bearer '), bob],
  ];
};

const byBetterAuth = async (headers: Carrying): Promise<unknown> => {
  const body: unknown = await (await authentication.handle(get('/get-session', headers))).json();
  if (body === null) return null;
  if (typeof body !== 'object' || !('session' in body)) throw new Error('no answer of get-session');
  return body.session;
};

describe('the direct look-up', () => {
  it('agrees with better-auth about every way to carry a session', async () => {
    for (const [what, headers, who] of requests()) {
      const session = await authentication.session(new Headers({ ...headers }));
      const theirs = await byBetterAuth(headers);
      expect([what, session?.userId ?? null], what).toEqual([what, who?.userId ?? null]);
      expect(theirs, what).toEqual(
        session === null ? null : expect.objectContaining({ id: session.sessionId, userId: session.userId }),
      );
    }
  });

  it('says by what it was carried', async () => {
    const headers = new Headers({ cookie: cookieOf(bob.token), authorization: `Bearer ${ada.bareToken}.${'A'.repeat(43)}=` });
    expect((await authentication.session(headers))?.via).toBe('cookie');
    expect((await authentication.session(bearer(ada.token)))?.via).toBe('bearer');
  });

  it('takes no token for a pattern', async () => {
    for (const token of ['%'.repeat(32), '_'.repeat(32), `{${'a'.repeat(31)}`, `${'a'.repeat(31)},`, `"${'a'.repeat(31)}`]) {
      expect(await authentication.session(bearer(signed(token)))).toBeNull();
      expect(await authentication.session(cookie(cookieOf(signed(token))))).toBeNull();
    }
  });

  it('ends a session to the millisecond', async () => {
    const { rows } = await pool.query<{ expiresAt: Date }>('select "expiresAt" from auth.session where token = $1', [
      ada.bareToken,
    ]);
    const end = rows[0]?.expiresAt.getTime() ?? 0;
    const at = (now: number) => sessionLookup(pool, { ...systemClock, now: () => now })(sessionOf(ada));
    expect(await at(end)).not.toBeNull();
    expect(await at(end + 1)).toBeNull();
  });

  it('sees no session of a user whose id is no id of ours', async () => {
    await pool.query(
      `insert into auth."user" (id, name, email, "emailVerified") values ('not an id!', 'x', 'x@example.test', false)`,
    );
    await pool.query(
      `insert into auth.session (id, token, "userId", "expiresAt", "updatedAt") values ('s', $1, 'not an id!', now() + interval '1 day', now())`,
      ['S'.repeat(32)],
    );
    expect(await authentication.session(bearer(signed('S'.repeat(32))))).toBeNull();
  });
});

describe('many look-ups at once', () => {
  /** The look-up on a pool that counts statements, and holds each answer back for as long as `delivering` takes. */
  const counting = (delivering: () => Promise<void> = () => Promise.resolve()) => {
    const batches: number[] = [];
    const query = async (statement: { text: string; values: string[][] }): Promise<pg.QueryResult> => {
      batches.push(statement.values[0]?.length ?? 0);
      const answer = await pool.query(statement);
      await delivering();
      return answer;
    };
    const counted = Object.create(pool, { query: { value: query } }) as pg.Pool;
    return { batches, lookUp: sessionLookup(counted, systemClock) };
  };

  it('share one statement, and each gets its own answer', async () => {
    const { batches, lookUp } = counting();
    const asked = [ada, bob, ada, revoked, { bareToken: 'x'.repeat(32) }, expired].map(sessionOf);
    const found = await Promise.all(asked.map(lookUp));
    expect(found.map((each) => each?.userId ?? null)).toEqual([ada.userId, bob.userId, ada.userId, null, null, null]);
    expect(batches).toEqual([5]);
  });

  it('fill several statements when they are very many', async () => {
    const { batches, lookUp } = counting();
    const nobody = Array.from({ length: limits.sessionLookupTokens * 2 }, (_, n) =>
      sessionOf({ bareToken: `nobody${n}`.padEnd(32, 'x') }),
    );
    const found = await Promise.all([...nobody, sessionOf(ada)].map(lookUp));
    expect(found.at(-1)?.userId).toBe(ada.userId);
    expect(batches).toEqual([limits.sessionLookupTokens, limits.sessionLookupTokens, 1]);
  });

  it('never answer from a statement that was sent before the question', async () => {
    const answered = Promise.withResolvers<void>();
    const delivered = Promise.withResolvers<void>();
    const { batches, lookUp } = counting(async () => {
      answered.resolve();
      await delivered.promise;
    });
    const once = await signIn(authentication, BOB);
    const before = lookUp(sessionOf(once));
    await answered.promise;
    await pool.query('delete from auth.session where token = $1', [once.bareToken]);
    const after = lookUp(sessionOf(once));
    delivered.resolve();
    expect(await before).toMatchObject({ userId: bob.userId });
    expect(await after).toBeNull();
    expect(batches).toEqual([1, 1]);
  });

  it('use the index on the token', async () => {
    const { rows } = await pool.query<{ 'QUERY PLAN': string }>(
      `explain select s.id from auth.session s join auth."user" u on u.id = s."userId" where s.token = any(array['a', 'b'])`,
    );
    const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
    expect(plan).toContain('session_token_key');
    expect(plan).toContain('user_pkey');
    expect(plan).not.toContain('Seq Scan');
  });

  it('survive a signed-out neighbour', async () => {
    const gone = await signIn(authentication, ADA);
    await authentication.handle(post('/sign-out', {}, { cookie: gone.cookie }));
    const [one, two] = await Promise.all([
      authentication.session(cookie(gone.cookie)),
      authentication.session(cookie(ada.cookie)),
    ]);
    expect([one, two?.userId]).toEqual([null, ada.userId]);
  });
});
