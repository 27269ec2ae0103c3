import { describe, expect, it } from 'vitest';
import { createApp, routes } from './app.ts';
import { METRICS_TOKEN, makeWorld, refusal, said } from './ledger.fixture.ts';
import type { Route } from './route.ts';

const concrete = (path: string): string => path.replaceAll(/:[A-Za-z]+/g, 'x').replace('*', 'nothing');
const anonymous = { as: null };

describe('the table of routes', () => {
  it.each(routes.map((route) => [route.method, route.path, route.need.name] as const))(
    '%s %s needs: %s',
    async (method, path, need) => {
      const { ask } = await makeWorld();
      const body = method === 'PUT' ? new Uint8Array() : undefined;
      const answer = await ask(method, concrete(path), { ...anonymous, key: 'k', body });
      if (need === 'anyone') expect(answer.status).not.toBe(401);
      else {
        expect(answer.headers.get('www-authenticate')).toBe('Bearer');
        expect(await refusal(answer)).toEqual([401, 'unauthenticated']);
      }
    },
  );

  it('leaves nothing public but health, pages, art, keys, the trust anchor and sign-in', () => {
    const open = routes.filter(({ need }) => need.name === 'anyone').map(({ path }) => path);
    expect([...new Set(open)].sort()).toEqual([
      '/',
      '/.well-known/pixpax-ledger.json',
      '/docs',
      '/docs/reference.js',
      '/health',
      '/health/ready',
      '/openapi.json',
      '/openapi.yaml',
      '/problems',
      '/problems/:code',
      '/sign-in',
      '/sign-in/:script',
      '/v1/art/:artHash',
      '/v1/auth/*',
      '/v1/keys/:publicKeyId',
    ]);
  });

  it('does not start with a route that does not say what it needs, or needs what nobody knows', async () => {
    const { parts } = await makeWorld();
    const [first] = routes;
    if (first === undefined) throw new Error('no routes');
    const { need, ...undeclared } = first;
    expect(() => createApp(parts, [undeclared as Route])).toThrow(TypeError);
    const unknown = { ...first, need: { ...need } };
    expect(() => createApp(parts, [unknown])).toThrow('POST /v1/accounts does not say what it needs');
  });

  it('demands an idempotency key of every command, and of nothing else', () => {
    const withoutReceipt = ['anyone', 'person', 'operator'];
    for (const { method, need, path } of routes)
      expect([path, need.isCommand]).toEqual([path, method === 'POST' && !withoutReceipt.includes(need.name)]);
  });
});

describe('a request that no route takes', () => {
  it.each([
    '/nothing',
    '/v1',
    '/v1/',
    '/v1/accounts/',
    '/v1//accounts',
    '/V1/accounts',
    '/health/',
    '/v1/pixbooks/x/commands/open',
    '/favicon.ico',
  ])('to %s is told that there is no such resource', async (path) => {
    const { ask } = await makeWorld();
    expect(await refusal(await ask('GET', path))).toEqual([404, 'not-found']);
  });

  it.each([
    ['DELETE', '/v1/accounts', 'POST, GET, HEAD, OPTIONS'],
    ['PUT', '/v1/pixbooks/bk_1', 'GET, HEAD, OPTIONS'],
    ['GET', '/v1/pixbooks/bk_1/commands/save', 'POST, OPTIONS'],
    ['POST', '/health', 'GET, HEAD, OPTIONS'],
    ['PATCH', '/v1/auth/session', 'POST, GET, HEAD, OPTIONS'],
  ])('%s %s is told which methods there are', async (method, path, allow) => {
    const { ask } = await makeWorld();
    const answer = await ask(method, path);
    expect(answer.headers.get('allow')).toBe(allow);
    expect(await refusal(answer)).toEqual([405, 'method-not-allowed']);
    const options = await ask('OPTIONS', path);
    expect([options.status, options.headers.get('allow')]).toEqual([204, allow]);
  });

  it('OPTIONS of nothing is nothing', async () => {
    const { ask } = await makeWorld();
    expect(await refusal(await ask('OPTIONS', '/nothing'))).toEqual([404, 'not-found']);
  });

  it('HEAD answers as GET, without the body', async () => {
    const { ask } = await makeWorld();
    const [head, get] = [
      await ask('HEAD', '/.well-known/pixpax-ledger.json'),
      await ask('GET', '/.well-known/pixpax-ledger.json'),
    ];
    expect([head.status, await head.text(), head.headers.get('etag')]).toEqual([200, '', get.headers.get('etag')]);
    expect((await ask('HEAD', '/nothing')).status).toBe(404);
  });
});

describe('content negotiation', () => {
  it.each([
    ['text/html', 406],
    ['application/xml, text/*', 406],
    ['application/json;q=0', 406],
    ['*/*', 200],
    ['application/*', 200],
    ['text/html, application/json;q=0.1', 200],
    ['text/html;q=0.9, */*;q=0.1', 200],
  ])('Accept: %s is answered with %i', async (accept, status) => {
    const { ask } = await makeWorld();
    expect((await ask('GET', '/v1/accounts', { headers: { Accept: accept } })).status).toBe(status);
  });

  it('is settled before a command does anything', async () => {
    const { ask, objects } = await makeWorld();
    const before = objects.size;
    const answer = await ask('POST', '/v1/accounts', { key: 'k', headers: { Accept: 'text/html' } });
    expect(await refusal(answer)).toEqual([406, 'not-acceptable']);
    expect(objects.size).toBe(before);
  });
});

describe('a page of another origin', () => {
  const cookie = { Cookie: 'session=usr_ada' };

  it.each([
    ['https://evil.example', 403],
    ['null', 403],
    ['https://app.example', 201],
    ['http://localhost', 201],
  ])('%s that commands with a cookie gets %i', async (origin, status) => {
    const { ask } = await makeWorld();
    const answer = await ask('POST', '/v1/accounts', { as: null, key: 'k', headers: { ...cookie, Origin: origin } });
    expect(answer.status).toBe(status);
    if (status === 403) expect(await said(answer)).toMatchObject({ code: 'origin-not-trusted' });
  });

  it('may command with a bearer token, which no page sends by accident', async () => {
    const { ask } = await makeWorld();
    expect((await ask('POST', '/v1/accounts', { key: 'k', headers: { Origin: 'https://evil.example' } })).status).toBe(201);
  });

  it('reads answers when it is trusted, and may ask before', async () => {
    const { ask } = await makeWorld();
    const trusted = await ask('GET', '/v1/accounts', { headers: { Origin: 'https://app.example' } });
    expect(trusted.headers.get('access-control-allow-origin')).toBe('https://app.example');
    expect(trusted.headers.get('access-control-expose-headers')).toContain('ETag');
    expect(trusted.headers.get('vary')).toContain('Origin');
    const other = await ask('GET', '/v1/accounts', { headers: { Origin: 'https://evil.example' } });
    expect([...other.headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([]);
    const preflight = await ask('OPTIONS', '/v1/accounts', { as: null, headers: { Origin: 'https://app.example' } });
    expect(preflight.headers.get('access-control-allow-methods')).toBe('POST, GET, HEAD, OPTIONS');
    expect(preflight.headers.get('access-control-allow-headers')).toContain('Idempotency-Key');
  });
});

describe('what is known of a request', () => {
  it('comes back under the client’s request id, in the trace it belongs to', async () => {
    const { ask, lines } = await makeWorld();
    const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
    const headers = { 'X-Request-Id': 'order-17', traceparent: `00-${traceId}-00f067aa0ba902b7-01` };
    const answer = await ask('GET', '/v1/pixbooks/bk_x', { headers });
    expect(answer.headers.get('x-request-id')).toBe('order-17');
    expect(await said(answer)).toMatchObject({ requestId: 'order-17', traceId, instance: '/v1/pixbooks/bk_x' });
    expect(lines.at(-1)).toMatchObject({ requestId: 'order-17', traceId });
  });

  it('is on every line that its work logs, however deep', async () => {
    const { ask, lines } = await makeWorld(({ queries, log }) => ({
      queries: {
        ...queries,
        memberships: async (userId) => {
          await new Promise(setImmediate);
          log.info('deep inside');
          return queries.memberships(userId);
        },
      },
    }));
    await Promise.all(['one', 'two'].map((requestId) => ask('GET', '/v1/accounts', { headers: { 'X-Request-Id': requestId } })));
    const deep = lines.filter(({ msg }) => msg === 'deep inside').map(({ requestId }) => requestId);
    expect(deep.sort()).toEqual(['one', 'two']);
  });

  it('is one access line of pattern, status and time: no ids, queries, bodies, cookies or tokens', async () => {
    const { ask, lines } = await makeWorld();
    await ask('GET', '/v1/pixbooks/bk_00000000000000000000000001?accountId=acc_00000000000000000000000001', { as: 'usr_secret' });
    await ask('POST', '/nothing/secret', {
      as: 'usr_secret',
      body: { password: 'secret' },
      headers: { Cookie: 'session=secret' },
    });
    const access = lines.filter(({ msg }) => msg === 'request');
    expect(access).toMatchObject([
      { method: 'GET', route: '/v1/pixbooks/:bookId', status: 404, ms: expect.any(Number) },
      { method: 'POST', route: 'unknown', status: 404 },
    ]);
    expect(JSON.stringify(lines)).not.toMatch(/secret|bk_0|acc_0/);
  });

  it('is counted by pattern, method and class of status', async () => {
    const { ask, parts } = await makeWorld();
    await ask('POST', '/v1/accounts', { key: 'k' });
    await ask('POST', '/v1/accounts', { key: 'k' });
    await ask('GET', '/v1/accounts/acc_x');
    const metrics = await (await ask('GET', '/metrics', { as: METRICS_TOKEN })).text();
    expect(metrics).toContain('http_request_duration_seconds_count{route="/v1/accounts",method="POST",status="2xx"} 2');
    expect(metrics).toContain('http_request_duration_seconds_count{route="/v1/accounts/:accountId",method="GET",status="4xx"} 1');
    expect(metrics).toContain('pixpax_commands_total{operation="createAccount",outcome="written"} 1');
    expect(metrics).toContain('pixpax_commands_total{operation="createAccount",outcome="replayed"} 1');
    expect(await parts.metrics.getSingleMetricAsString('http_requests_in_flight')).toContain('http_requests_in_flight 0');
  });
});
