import { generateKeyPairSync } from 'node:crypto';
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestDatabase, freshDatabase } from '../../../test/postgres.ts';
import { limits } from '../../limits.ts';
import type { Authentication } from '../../port/authentication.ts';
import { openAuthPool } from './auth-database.ts';
import { openAuthentication } from './authentication.ts';
import { type Authenticator, type Saying, newAuthenticator } from './authenticator.fixture.ts';
import { ADA, ORIGIN, type SignedIn, bearer, configFor, cookie, get, post, signIn, signUp } from './sign-in.fixture.ts';

let database: TestDatabase;
let authentication: Authentication;
let pool: pg.Pool;
let ada: SignedIn;
let eve: SignedIn;
const EVE = { email: 'eve@example.test', password: 'another good password' };

beforeAll(async () => {
  database = await freshDatabase({ empty: true });
  authentication = await openAuthentication(configFor(database.url));
  pool = openAuthPool(database.url, 'sign-in');
  await signUp(authentication);
  await signUp(authentication, EVE);
  ada = await signIn(authentication);
  eve = await signIn(authentication, EVE);
});
afterAll(async () => {
  await authentication.close();
  await pool.end();
  await database.drop();
});

type Said = Record<string, unknown>;
const said = async (answer: Response): Promise<Said> => (await answer.json()) as Said;
const cookieOf = (answer: Response): string =>
  answer.headers
    .getSetCookie()
    .map((each) => each.split(';')[0])
    .join('; ');

/** Options, and the cookie of their challenge. */
const optionsOf = async (path: string, carried = ''): Promise<{ options: Said; challenge: string }> => {
  const answer = await authentication.handle(get(path, carried === '' ? {} : { cookie: carried }));
  expect(answer.status).toBe(200);
  return { options: await said(answer), challenge: cookieOf(answer) };
};
const registerOptions = (who: SignedIn) => optionsOf('/passkey/generate-register-options', who.cookie);
const signInOptions = () => optionsOf('/passkey/generate-authenticate-options');

const register = async (who: SignedIn, device: Authenticator, says: Saying = {}, more: object = {}): Promise<Response> => {
  const { options, challenge } = await registerOptions(who);
  const body = { response: device.register(options, says), ...more };
  return authentication.handle(post('/passkey/verify-registration', body, { cookie: `${who.cookie}; ${challenge}` }));
};
const verify = (response: object, challenge: string): Promise<Response> =>
  authentication.handle(post('/passkey/verify-authentication', { response }, challenge === '' ? {} : { cookie: challenge }));
const signInWith = async (device: Authenticator, says: Saying = {}): Promise<Response> => {
  const { options, challenge } = await signInOptions();
  return verify(device.assert(options, says), challenge);
};
const passkeysOf = async (who: SignedIn): Promise<Said[]> =>
  (await (await authentication.handle(get('/passkey/list-user-passkeys', { cookie: who.cookie }))).json()) as Said[];
const count = async (table: string): Promise<number> =>
  (await pool.query<{ n: number }>(`select count(*) as n from auth.${table}`)).rows[0]?.n ?? 0;

describe('a passkey', () => {
  it('is registered by who is signed in, and then signs in by itself', async () => {
    const device = newAuthenticator();
    const { options } = await registerOptions(ada);
    expect(options).toMatchObject({
      rp: { id: new URL(ORIGIN).hostname, name: 'PixPax' },
      authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
      attestation: 'none',
    });
    const registered = await register(ada, device, {}, { name: 'My phone' });
    expect(registered.status).toBe(200);
    expect(await said(registered)).toMatchObject({ name: 'My phone', credentialID: device.id, userId: ada.userId });

    const answer = await signInWith(device);
    expect(answer.status).toBe(200);
    const body = await said(answer);
    expect(body).toMatchObject({ user: { id: ada.userId }, session: { userId: ada.userId } });
    expect(body.session).not.toHaveProperty('token');
    const who = { userId: ada.userId, sessionId: (body.session as Said).id, scopes: null };
    expect(await authentication.session(bearer(String(body.token)))).toEqual({ ...who, via: 'bearer' });
    expect(await authentication.session(cookie(cookieOf(answer)))).toEqual({ ...who, via: 'cookie' });
  });

  it('is listed, renamed and deleted by its user alone', async () => {
    const device = newAuthenticator();
    const { id } = await said(await register(ada, device));
    const renamed = { id, name: 'Work' };
    const as = (who: SignedIn, path: string, body: object) => authentication.handle(post(path, body, { cookie: who.cookie }));
    expect((await as(eve, '/passkey/update-passkey', renamed)).status).toBe(401);
    expect((await as(eve, '/passkey/delete-passkey', { id })).status).toBe(401);
    expect(await passkeysOf(eve)).toEqual([]);
    expect((await as(ada, '/passkey/update-passkey', renamed)).status).toBe(200);
    expect(await passkeysOf(ada)).toContainEqual(expect.objectContaining(renamed));
    expect((await as(ada, '/passkey/delete-passkey', { id })).status).toBe(200);
    expect((await as(ada, '/passkey/delete-passkey', { id })).status).toBe(404);
    expect((await signInWith(device)).status).toBe(401);
  });

  it('counts its uses, so that a copy of it is found out', async () => {
    const device = newAuthenticator();
    await register(ada, device);
    const { options, challenge } = await signInOptions();
    const old = device.assert(options);
    expect((await signInWith(device)).status).toBe(200);
    expect((await verify(old, challenge)).status).toBe(400);
  });
});

it('counts as far as an authenticator can', async () => {
  const device = newAuthenticator(undefined, 2 ** 32 - 3);
  expect((await register(ada, device)).status).toBe(200);
  expect((await signInWith(device)).status).toBe(200);
});

describe('a registration is refused', () => {
  it.each<[string, Saying, number]>([
    ['of another origin', { origin: 'http://evil.example.test' }, 400],
    ['of another port', { origin: 'http://ledger.example.test:9999' }, 400],
    ['for another relying party', { rpId: 'evil.example.test' }, 400],
    ['of another challenge', { challenge: 'Y2hhbGxlbmdl' }, 400],
    ['that did not ask who holds it', { userVerified: false }, 401],
  ])('%s', async (_, says, status) => {
    const before = await count('passkey');
    expect((await register(ada, newAuthenticator(), says)).status).toBe(status);
    expect(await count('passkey')).toBe(before);
  });

  it('without a session, without a challenge and with a spent one', async () => {
    expect((await authentication.handle(get('/passkey/generate-register-options'))).status).toBe(401);
    const { options, challenge } = await registerOptions(ada);
    const device = newAuthenticator();
    const send = (carried: string) => {
      const body = { response: device.register(options) };
      return authentication.handle(post('/passkey/verify-registration', body, { cookie: carried }));
    };
    expect((await send(challenge)).status).toBe(401);
    expect((await send(ada.cookie)).status).toBe(400);
    expect((await send(`${eve.cookie}; ${challenge}`)).status).toBe(401);
    expect((await send(`${ada.cookie}; ${challenge}`)).status).toBe(400);
  });

  it('under an id that somebody has: its owner could not sign in any more', async () => {
    const device = newAuthenticator();
    await register(ada, device);
    const answer = await register(eve, newAuthenticator(device.id));
    expect([answer.status, (await said(answer)).code]).toEqual([400, 'PASSKEY_KNOWN']);
    expect((await signInWith(device)).status).toBe(200);
    const insert = `insert into auth.passkey (id, "publicKey", "userId", "credentialID", counter, "deviceType", "backedUp")
      values ('psk_rival', 'x', $1, $2, 0, 'x', false)`;
    await expect(pool.query(insert, [eve.userId, device.id])).rejects.toMatchObject({ code: '23505' });
  });

  it('when the user has enough of them', async () => {
    const who = { email: 'many@example.test', password: '0123456789' };
    await signUp(authentication, who);
    const many = await signIn(authentication, who);
    for (let n = 0; n < limits.passkeysPerUser; n++) expect((await register(many, newAuthenticator())).status).toBe(200);
    const answer = await register(many, newAuthenticator());
    expect([answer.status, (await said(answer)).code]).toEqual([400, 'TOO_MANY_PASSKEYS']);
  });

  it('and a deletion too, when the session is no longer fresh', async () => {
    const { id } = await said(await register(ada, newAuthenticator()));
    const stale = await signIn(authentication);
    const old = new Date(Date.now() - limits.freshSessionMs);
    await pool.query('update auth.session set "createdAt" = $1 where token = $2', [old, stale.bareToken]);
    for (const carried of [{ cookie: stale.cookie }, { authorization: `Bearer ${stale.token}` }]) {
      const asked = await authentication.handle(get('/passkey/generate-register-options', carried));
      expect([asked.status, (await said(asked)).code]).toEqual([403, 'SESSION_NOT_FRESH']);
      const deleted = await authentication.handle(post('/passkey/delete-passkey', { id }, carried));
      expect([deleted.status, (await said(deleted)).code]).toEqual([403, 'SESSION_NOT_FRESH']);
    }
    expect(await passkeysOf(ada)).toContainEqual(expect.objectContaining({ id }));
  });
});

describe('a sign-in is refused', () => {
  const stranger = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;

  it.each<[string, Saying, number]>([
    ['of another origin', { origin: 'http://evil.example.test' }, 400],
    ['for another relying party', { rpId: 'evil.example.test' }, 400],
    ['of another challenge', { challenge: 'Y2hhbGxlbmdl' }, 400],
    ['signed by another key', { signedBy: stranger }, 401],
    ['that did not ask who holds it', { userVerified: false }, 401],
  ])('%s', async (_, says, status) => {
    const device = newAuthenticator();
    await register(ada, device);
    const before = await count('session');
    const answer = await signInWith(device, says);
    expect(answer.status).toBe(status);
    expect(answer.headers.get('set-auth-token')).toBeNull();
    expect(answer.headers.getSetCookie()).toEqual([]);
    expect(await count('session')).toBe(before);
    expect((await signInWith(device)).status).toBe(200);
  });

  it('with a credential that nobody registered', async () => {
    expect((await signInWith(newAuthenticator())).status).toBe(401);
  });

  it('with a challenge a second time, one of a registration, or none', async () => {
    const device = newAuthenticator();
    await register(ada, device);
    const { options, challenge } = await signInOptions();
    expect((await verify(device.assert(options), challenge)).status).toBe(200);
    expect((await verify(device.assert(options), challenge)).status).toBe(400);
    const registration = await registerOptions(ada);
    expect((await verify(device.assert(registration.options), registration.challenge)).status).toBe(400);
    expect((await verify(device.assert((await signInOptions()).options), '')).status).toBe(400);
  });

  it('after its time', async () => {
    const device = newAuthenticator();
    await register(ada, device);
    const { options, challenge } = await signInOptions();
    await pool.query(`update auth.verification set "expiresAt" = now() - interval '1 second'`);
    expect((await verify(device.assert(options), challenge)).status).toBe(400);
  });

  it('with a cookie from a page of another origin', async () => {
    const device = newAuthenticator();
    await register(ada, device);
    for (const origin of ['http://evil.example.test', 'null', '']) {
      const { options, challenge } = await signInOptions();
      const body = { response: device.assert(options) };
      const answer = await authentication.handle(post('/passkey/verify-authentication', body, { cookie: challenge, origin }));
      expect(answer.status).toBe(403);
    }
  });
});

describe('what is malformed', () => {
  const long = 'x'.repeat(limits.userNameChars + 1);
  it.each([
    ['/passkey/verify-registration', { response: { id: 'x' }, name: long }],
    ['/passkey/verify-registration', { response: { id: 'x' }, name: 'a\u0000b' }],
    ['/passkey/verify-registration', { response: null }],
    ['/passkey/verify-registration', { response: { id: 'a\u0000' } }],
    ['/passkey/update-passkey', { id: 'psk_1', name: long }],
    ['/passkey/update-passkey', { id: 'a\u0000', name: 'n' }],
    ['/passkey/update-passkey', { id: { $ne: '' }, name: 'n' }],
    ['/passkey/delete-passkey', { id: '\ud800' }],
    ['/passkey/delete-passkey', {}],
    ['/passkey/verify-authentication', { response: { id: ['a'] } }],
    ['/passkey/verify-authentication', { response: {} }],
    ['/passkey/verify-authentication', { response: { id: 'x'.repeat(limits.credentialIdChars + 1) } }],
    ['/passkey/verify-authentication', []],
  ])('at %s (case %#) is the client’s fault', async (path, body) => {
    expect((await authentication.handle(post(path, body, { cookie: ada.cookie }))).status).toBe(400);
  });

  it('and a name in a query', async () => {
    const path = `/passkey/generate-register-options?name=${long}`;
    expect((await authentication.handle(get(path, { cookie: ada.cookie }))).status).toBe(400);
  });
});

it('takes no write with a cookie from a page of another origin', async () => {
  const headers = { cookie: ada.cookie, origin: 'http://evil.example.test' };
  for (const path of ['verify-registration', 'update-passkey', 'delete-passkey'])
    expect(
      (await authentication.handle(post(`/passkey/${path}`, { id: 'x', name: 'n', response: { id: 'x' } }, headers))).status,
    ).toBe(403);
});

describe('telling nobody who is there', () => {
  it('asks for no address at sign-in, and names no passkey', async () => {
    const { options } = await signInOptions();
    expect(Object.keys(options).sort()).toEqual(['challenge', 'rpId', 'timeout', 'userVerification']);
    expect(options.userVerification).toBe('required');
    const asked = await optionsOf(`/passkey/generate-authenticate-options?email=${encodeURIComponent(ADA.email)}`);
    expect(Object.keys(asked.options).sort()).toEqual(Object.keys(options).sort());
  });

  it('keeps challenges in the database as hashes of what their cookies say', async () => {
    const { challenge } = await signInOptions();
    const identifier = decodeURIComponent(challenge.split('=')[1] ?? '').split('.')[0] ?? '';
    expect(identifier).toMatch(/^[\w-]{32}$/);
    const { rows } = await pool.query<{ t: string }>('select t::text as t from auth.verification t');
    expect(rows.length).toBeGreaterThan(0);
    expect(rows.filter(({ t }) => t.includes(identifier))).toEqual([]);
  });
});
