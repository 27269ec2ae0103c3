import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newAuthenticator } from '../adapter/better-auth/authenticator.fixture.ts';
import { keyOf, makeWorld, refusal, said } from './ledger.fixture.ts';
import { PASSWORD, PUBLIC_ORIGIN, type SignInWorld, anonymously, cookieOf, makeSignInWorld } from './sign-in-world.fixture.ts';

let world: SignInWorld;
beforeAll(async () => {
  world = await makeSignInWorld();
});
afterAll(() => world.close());

type Listed = { readonly sessionId: string; readonly current: boolean };
const sessionsOf = async (token: string): Promise<Listed[]> =>
  (await said(await world.ask('GET', '/v1/sessions', { as: token }))).data as Listed[];
const signInAgain = async (email: string): Promise<string> => {
  const answer = await world.ask('POST', '/v1/auth/sign-in/email', anonymously({ body: { email, password: PASSWORD } }));
  return String((await said(answer)).token);
};

describe('sessions', () => {
  it('are listed without their tokens, and one ends by its id', async () => {
    const { token, email } = await world.newcomer();
    const other = await signInAgain(email);
    const answer = await world.ask('GET', '/v1/sessions', { as: token });
    expect(answer.headers.get('cache-control')).toBe('no-store');
    const text = await answer.text();
    for (const each of [token, other]) expect(text).not.toContain(each.slice(0, 32));
    const [newest, first] = await sessionsOf(token);
    expect([newest?.current, first?.current]).toEqual([false, true]);

    const path = `/v1/sessions/${newest?.sessionId ?? ''}/commands/revoke`;
    const revoked = await world.ask('POST', path, { as: token });
    expect([revoked.status, await revoked.text()]).toEqual([204, '']);
    expect(await refusal(await world.ask('GET', '/v1/sessions', { as: other }))).toEqual([401, 'unauthenticated']);
    expect(await sessionsOf(token)).toHaveLength(1);
    expect(await refusal(await world.ask('POST', path, { as: token }))).toEqual([404, 'not-found']);
  });

  it('of somebody else, malformed and missing ones are all alike not there', async () => {
    const [ada, eve] = [await world.newcomer(), await world.newcomer()];
    const [hers] = await sessionsOf(ada.token);
    const foreign = hers?.sessionId ?? '';
    const answers = [];
    for (const id of [foreign, 'ses_01JZ0000000000000000000000', 'ses_1', '%00', 'key_01JZ0000000000000000000000']) {
      const answer = await world.ask('POST', `/v1/sessions/${id}/commands/revoke`, { as: eve.token });
      const { requestId: _1, traceId: _2, instance: _3, ...problem } = await said(answer);
      answers.push(problem);
    }
    expect(new Set(answers.map((each) => JSON.stringify(each))).size).toBe(1);
    expect(answers[0]).toMatchObject({ status: 404, code: 'not-found' });
    expect(await sessionsOf(ada.token)).toHaveLength(1);
  });

  it('end with the cookie from a page of this origin alone', async () => {
    const { cookie, token } = await world.newcomer();
    const [own] = await sessionsOf(token);
    const revoke = (origin: string) =>
      world.ask('POST', `/v1/sessions/${own?.sessionId ?? ''}/commands/revoke`, {
        as: null,
        headers: { Cookie: cookie, Origin: origin },
      });
    expect(await refusal(await revoke('https://evil.example'))).toEqual([403, 'origin-not-trusted']);
    expect(await sessionsOf(token)).toHaveLength(1);
    expect((await revoke(PUBLIC_ORIGIN)).status).toBe(204);
    const listed = await world.ask('GET', '/v1/sessions', { as: null, headers: { Cookie: cookie } });
    expect(await refusal(listed)).toEqual([401, 'unauthenticated']);
  });

  it('are for people: no key sees or ends one, and nobody nothing', async () => {
    const { ask } = await makeWorld();
    const anything = keyOf('usr_ada', 'accounts:write', 'admin:write');
    const id = 'ses_01JZ0000000000000000000000';
    for (const [method, path] of [['GET', '/v1/sessions'] as const, ['POST', `/v1/sessions/${id}/commands/revoke`] as const]) {
      expect(await refusal(await ask(method, path, { as: anything }))).toEqual([403, 'person-required']);
      expect(await refusal(await ask(method, path, { as: null }))).toEqual([401, 'unauthenticated']);
    }
  });

  it('all but this one end together, and a new password ends them too', async () => {
    const { token, email } = await world.newcomer();
    await signInAgain(email);
    await world.ask('POST', '/v1/auth/revoke-other-sessions', { as: token, body: {} });
    expect(await sessionsOf(token)).toHaveLength(1);
    const other = await signInAgain(email);
    const body = { currentPassword: PASSWORD, newPassword: 'another password' };
    const changed = await said(await world.ask('POST', '/v1/auth/change-password', { as: token, body }));
    expect((await world.ask('GET', '/v1/sessions', { as: other })).status).toBe(401);
    expect(await sessionsOf(String(changed.token))).toMatchObject([{ current: true }]);
  });
});

describe('a passkey over HTTP', () => {
  it('is added, signs in, is listed, renamed and removed as described', async () => {
    const { cookie, token, userId } = await world.newcomer();
    const device = newAuthenticator();
    const page = { origin: PUBLIC_ORIGIN, rpId: 'localhost' };
    const get = (path: string, carried: string) => world.ask('GET', path, { as: null, headers: { Cookie: carried } });
    const post = (path: string, body: object, carried: string) =>
      world.ask('POST', path, anonymously({ body, headers: { Cookie: carried } }));

    const creation = await get('/v1/auth/passkey/generate-register-options', cookie);
    const registration = { name: 'Phone', response: device.register(await said(creation), page) };
    const carried = `${cookie}; ${cookieOf(creation)}`;
    const added = await said(await post('/v1/auth/passkey/verify-registration', registration, carried));
    expect(added).toMatchObject({ name: 'Phone', userId });

    const request = await get('/v1/auth/passkey/generate-authenticate-options', '');
    const assertion = { response: device.assert(await said(request), page) };
    const answer = await post('/v1/auth/passkey/verify-authentication', assertion, cookieOf(request));
    const signedIn = await said(answer);
    expect(signedIn).toMatchObject({ user: { id: userId } });
    expect(answer.headers.get('set-auth-token')).toBe(signedIn.token);
    expect(await sessionsOf(String(signedIn.token))).toHaveLength(2);
    const again = await post('/v1/auth/passkey/verify-authentication', assertion, cookieOf(request));
    expect(await refusal(again)).toEqual([400, 'invalid-request']);

    const rename = await post('/v1/auth/passkey/update-passkey', { id: added.id, name: 'Old phone' }, cookie);
    expect(await said(rename)).toMatchObject({ passkey: { name: 'Old phone' } });
    const listed = await world.ask('GET', '/v1/auth/passkey/list-user-passkeys', { as: token });
    expect(await listed.json()).toMatchObject([{ id: added.id, name: 'Old phone' }]);
    expect((await post('/v1/auth/passkey/delete-passkey', { id: added.id }, cookie)).status).toBe(200);
    const request2 = await get('/v1/auth/passkey/generate-authenticate-options', '');
    const gone = { response: device.assert(await said(request2), page) };
    const refused = await post('/v1/auth/passkey/verify-authentication', gone, cookieOf(request2));
    expect(await refusal(refused)).toEqual([401, 'sign-in-refused']);
  });

  it('needs a session that is fresh', async () => {
    const stale = () => Response.json({ code: 'SESSION_NOT_FRESH', message: 'Session is not fresh' }, { status: 403 });
    const authentication = { ...world.authentication, handle: () => Promise.resolve(stale()) };
    const { ask } = await makeWorld(() => ({ authentication }));
    const answer = await ask('GET', '/v1/auth/passkey/generate-register-options', { as: null });
    expect(await refusal(answer)).toEqual([403, 'session-not-fresh']);
  });
});
