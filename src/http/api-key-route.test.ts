import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { scopes } from '../access/permission.ts';
import { limits } from '../limits.ts';
import { keyOf, makeWorld, refusal, said } from './ledger.fixture.ts';
import { PUBLIC_ORIGIN, type SignInWorld, makeSignInWorld } from './sign-in-world.fixture.ts';

let world: SignInWorld;
beforeAll(async () => {
  world = await makeSignInWorld();
});
afterAll(() => world.close());

const wanted = { name: 'Till', scopes: ['accounts:read'] };
type Key = { readonly apiKeyId: string; readonly key: string };
const make = async (as: string, body: object = wanted): Promise<Key> =>
  (await said(await world.ask('POST', '/v1/api-keys', { as, body }))) as Key;

describe('an API key', () => {
  it('is shown once, listed without itself, and gone when it is revoked', async () => {
    const { token } = await world.newcomer();
    const expiresAt = '2099-01-01T00:00:00.000Z';
    const answer = await world.ask('POST', '/v1/api-keys', { as: token, body: { ...wanted, expiresAt } });
    expect([answer.status, answer.headers.get('cache-control')]).toEqual([201, 'no-store']);
    const { key, ...shown } = await said(answer);
    expect(shown).toMatchObject({ ...wanted, expiresAt, lastUsedAt: null, start: String(key).slice(0, 12) });

    const listed = await world.ask('GET', '/v1/api-keys', { as: token });
    expect(listed.headers.get('cache-control')).toBe('no-store');
    expect(await said(listed)).toEqual({ data: [shown], meta: { cursor: null, hasMore: false } });
    expect((await world.ask('GET', '/v1/accounts', { as: String(key) })).status).toBe(200);

    const path = `/v1/api-keys/${String(shown.apiKeyId)}/commands/revoke`;
    const revoked = await world.ask('POST', path, { as: token });
    expect([revoked.status, await revoked.text()]).toEqual([204, '']);
    expect(await refusal(await world.ask('GET', '/v1/accounts', { as: String(key) }))).toEqual([401, 'unauthenticated']);
    expect(await refusal(await world.ask('POST', path, { as: token }))).toEqual([404, 'not-found']);
  });

  it('does what its scopes say, in its user’s name, and nothing else', async () => {
    const { token } = await world.newcomer();
    const { key: reads } = await make(token);
    const { key: writes } = await make(token, { name: 'Desk', scopes: ['accounts:write'] });
    const refused = await world.ask('POST', '/v1/accounts', { as: reads, key: 'one' });
    expect(await refusal(refused)).toEqual([403, 'scope-missing']);
    expect((await world.ask('POST', '/v1/accounts', { as: writes, key: 'one' })).status).toBe(201);
    expect(await refusal(await world.ask('GET', '/v1/accounts', { as: writes }))).toEqual([403, 'scope-missing']);
    const { data } = await said(await world.ask('GET', '/v1/accounts', { as: reads }));
    expect(data).toMatchObject([{ role: 'owner' }]);
  });

  it('makes, lists and ends neither keys nor sessions, whatever its scopes', async () => {
    const { ask } = await makeWorld();
    const all = keyOf('usr_ada', ...scopes);
    const revoke = '/v1/api-keys/key_01JZ0000000000000000000000/commands/revoke';
    for (const [method, path] of [
      ['GET', '/v1/api-keys'],
      ['POST', '/v1/api-keys'],
      ['POST', revoke],
    ] as const) {
      const body = path === '/v1/api-keys' && method === 'POST' ? { body: wanted } : {};
      expect(await refusal(await ask(method, path, { as: all, ...body }))).toEqual([403, 'person-required']);
      expect(await refusal(await ask(method, path, { as: null, ...body }))).toEqual([401, 'unauthenticated']);
    }
  });

  it('of somebody else is not there', async () => {
    const [ada, eve] = [await world.newcomer(), await world.newcomer()];
    const { key, apiKeyId } = await make(ada.token);
    for (const id of [apiKeyId, 'key_1', '%00', 'ses_01JZ0000000000000000000000'])
      expect(await refusal(await world.ask('POST', `/v1/api-keys/${id}/commands/revoke`, { as: eve.token }))).toEqual([
        404,
        'not-found',
      ]);
    expect((await said(await world.ask('GET', '/v1/api-keys', { as: eve.token }))).data).toEqual([]);
    expect((await world.ask('GET', '/v1/accounts', { as: key })).status).toBe(200);
  });

  it('is made with the cookie from a page of this origin alone', async () => {
    const { cookie } = await world.newcomer();
    const from = (origin: string) =>
      world.ask('POST', '/v1/api-keys', { as: null, body: wanted, headers: { Cookie: cookie, Origin: origin } });
    expect(await refusal(await from('https://evil.example'))).toEqual([403, 'origin-not-trusted']);
    expect((await from(PUBLIC_ORIGIN)).status).toBe(201);
  });

  it('is one of a limited number', async () => {
    const { token } = await world.newcomer();
    for (let n = 0; n < limits.apiKeysPerUser; n++) await make(token);
    const answer = await world.ask('POST', '/v1/api-keys', { as: token, body: wanted });
    expect(await refusal(answer)).toEqual([409, 'too-many-api-keys']);
  });

  it.each<[object, string]>([
    [{ scopes: wanted.scopes }, '/name'],
    [{ ...wanted, name: '' }, '/name'],
    [{ ...wanted, name: ' ' }, '/name'],
    [{ ...wanted, name: 'a\u0000b' }, '/name'],
    [{ ...wanted, name: 'x'.repeat(limits.apiKeyNameChars + 1) }, '/name'],
    [{ name: 'n' }, '/scopes'],
    [{ ...wanted, scopes: [] }, '/scopes'],
    [{ ...wanted, scopes: ['accounts:read', 'accounts:read'] }, '/scopes'],
    [{ ...wanted, scopes: ['accounts:own'] }, '/scopes/0'],
    [{ ...wanted, expiresAt: '2020-01-01T00:00:00.000Z' }, '/expiresAt'],
    [{ ...wanted, expiresAt: 'soon' }, '/expiresAt'],
    [{ ...wanted, userId: 'usr_eve' }, '/userId'],
  ])('asked for with %j is refused at %s', async (body, pointer) => {
    const { ask } = await makeWorld();
    const answer = await said(await ask('POST', '/v1/api-keys', { body }));
    expect(answer).toMatchObject({ status: 400, code: 'invalid-request', errors: [expect.objectContaining({ pointer })] });
  });
});
