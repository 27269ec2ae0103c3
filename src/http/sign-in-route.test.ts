import { describe, expect, it } from 'vitest';
import { limits } from '../limits.ts';
import { Outage } from '../port/outage.ts';
import { honestAuthentication, makeWorld, refusal, said } from './ledger.fixture.ts';

/** A service whose sign-in answers as told, and what sign-in was asked. */
const worldWith = async (answer: (request: Request) => Response | Promise<Response>, trustedProxies = 0) => {
  const asked: { method: string; url: string; body: string; address: string | null | undefined }[] = [];
  const world = await makeWorld(({ config }) => ({
    config: { ...config, trustedProxies },
    authentication: {
      ...honestAuthentication,
      handle: async (request, address) => {
        const body = request.method === 'GET' ? '' : await request.clone().text();
        asked.push({ method: request.method, url: request.url, body, address });
        return answer(request);
      },
    },
  }));
  return { ...world, asked };
};

describe('sign-in', () => {
  it('gets requests as they are, and its answers and cookies pass', async () => {
    const { ask, asked } = await worldWith(() => {
      const headers = new Headers({ 'Content-Type': 'application/json', 'set-auth-token': 't' });
      headers.append('Set-Cookie', 'a=1; Path=/');
      headers.append('Set-Cookie', 'b=2; Path=/');
      return new Response('{"token":"t"}', { headers });
    });
    const answer = await ask('POST', '/v1/auth/sign-in/email?x=1', { as: null, body: { email: 'e', password: 'p' } });
    expect(asked).toEqual([
      { method: 'POST', url: 'http://localhost/v1/auth/sign-in/email?x=1', body: '{"email":"e","password":"p"}', address: null },
    ]);
    expect(answer.status).toBe(200);
    expect(answer.headers.getSetCookie()).toEqual(['a=1; Path=/', 'b=2; Path=/']);
    expect(answer.headers.get('set-auth-token')).toBe('t');
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(await answer.text()).toBe('{"token":"t"}');
  });

  it.each([
    [400, { code: 'PASSWORD_TOO_SHORT', message: 'Password too short' }, 400, 'invalid-request'],
    [401, { code: 'INVALID_EMAIL_OR_PASSWORD', message: 'Invalid email or password' }, 401, 'sign-in-refused'],
    [403, { message: 'Invalid origin' }, 403, 'origin-not-trusted'],
    [409, {}, 400, 'invalid-request'],
    [415, {}, 415, 'unsupported-media-type'],
    [422, { code: 'USER_ALREADY_EXISTS', message: 'User already exists' }, 422, 'sign-up-refused'],
    [500, { message: 'oh' }, 500, 'internal-error'],
  ])('refusing with %i %j is a problem like every other', async (status, body, expected, code) => {
    const { ask } = await worldWith(() => Response.json(body, { status }));
    const answer = await ask('POST', '/v1/auth/sign-in/email', { as: null, body: {} });
    const problem = await said(answer);
    expect(problem).toMatchObject({
      status: expected,
      code,
      ...('message' in body ? { message: body.message, detail: body.message } : {}),
    });
    expect(problem.reason).toBe('code' in body ? body.code : undefined);
  });

  it('that has had enough says how long to wait', async () => {
    const { ask } = await worldWith(() =>
      Response.json({ message: 'slow down' }, { status: 429, headers: { 'Retry-After': '37' } }),
    );
    const answer = await ask('POST', '/v1/auth/sign-in/email', { as: null, body: {} });
    expect(answer.headers.get('retry-after')).toBe('37');
    expect(await refusal(answer)).toEqual([429, 'rate-limited']);
  });

  it.each([
    [new Response(null, { status: 404 }), 404, 'not-found'],
    [new Response('{"broken', { status: 400, headers: { 'Content-Type': 'application/json' } }), 400, 'invalid-request'],
    [new Response('<h1>', { status: 502 }), 500, 'internal-error'],
  ])('that answers without words is a problem too', async (response, status, code) => {
    const { ask } = await worldWith(() => response);
    expect(await refusal(await ask('GET', '/v1/auth/nothing', { as: null }))).toEqual([status, code]);
  });

  it('reads no more of a body than every other route', async () => {
    const { ask, asked } = await worldWith(() => new Response('{}'));
    const body = JSON.stringify({ email: 'x'.repeat(limits.requestBodyBytes) });
    expect(await refusal(await ask('POST', '/v1/auth/sign-in/email', { as: null, body }))).toEqual([413, 'body-too-large']);
    expect(asked).toEqual([]);
  });

  it('without Postgres is a 503 that names it', async () => {
    const { ask } = await worldWith(() => Promise.reject(new Outage('postgres', 'postgres-unavailable', 'gone')));
    expect(await refusal(await ask('GET', '/v1/auth/get-session'))).toEqual([503, 'postgres-unavailable']);
  });

  it.each([
    [0, '203.0.113.9', null],
    [1, '203.0.113.9', '203.0.113.9'],
    [1, '10.9.9.9, 203.0.113.9', '203.0.113.9'],
    [2, '203.0.113.9, 10.0.0.1', '203.0.113.9'],
    [1, 'not an address', null],
    [3, '203.0.113.9', null],
  ])('is told the client’s address as %i proxies of ours saw it in %j', async (proxies, forwarded, address) => {
    const { ask, asked } = await worldWith(() => new Response('{}'), proxies);
    await ask('GET', '/v1/auth/get-session', { as: null, headers: { 'X-Forwarded-For': forwarded } });
    expect(asked).toMatchObject([{ address }]);
  });
});
