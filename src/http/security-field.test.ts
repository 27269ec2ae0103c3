import { beforeAll, describe, expect, it } from 'vitest';
import { type Crowd, MEMBER, OWNER, makeCrowd } from './crowded.fixture.ts';
import { OPERATOR, type World, makeWorld } from './ledger.fixture.ts';
import { isSignInSystem, operationsOf, pathOf, plausible, rowOf } from './plausible.fixture.ts';
import { securityFields } from './security-field.ts';
import { signedUp } from './signed-up.fixture.ts';
import { createStartingApp } from './starting-app.ts';

const operations = await operationsOf();

/** What every answer says. `Content-Security-Policy` and `Cross-Origin-Resource-Policy` may be an answer's own. */
const expectSecured = (answer: Response): void => {
  const { headers } = answer;
  const common = securityFields('');
  for (const [name, value] of Object.entries(common))
    if (name !== 'Content-Security-Policy' && name !== 'Cross-Origin-Resource-Policy')
      expect([name, headers.get(name)]).toEqual([name, value]);
  const policy = headers.get('content-security-policy') ?? '';
  expect(policy).toMatch(/^default-src 'none'/);
  expect(policy).not.toMatch(/unsafe-eval|script-src[^;]*(unsafe-inline|\*|https?:|data:)/);
  // No banner: which software this is, and of what version, is nobody's business.
  for (const name of ['server', 'x-powered-by', 'x-aspnet-version', 'via'])
    expect([name, headers.get(name)]).toEqual([name, null]);
};

describe('every answer tells browsers what not to do with it', () => {
  let crowd: Crowd;
  let world: World;
  beforeAll(async () => {
    crowd = await makeCrowd(signedUp);
    world = await crowd.world.copy();
  });

  it.each(operations.map((operation) => [operation.id, operation] as const))('%s, done and refused', async (_id, operation) => {
    const path = pathOf(crowd, operation);
    for (const as of [null, MEMBER, OWNER, OPERATOR]) {
      const options = plausible(crowd, operation);
      const answer = await world.ask(operation.method, path, { ...options, as });
      expectSecured(answer);
      const isOwn = rowOf(operation)?.who !== 'anyone' || isSignInSystem(operation);
      if (isOwn || answer.status >= 400) expect(answer.headers.get('cache-control')).toBe('no-store');
      const shared = operation.id === 'readArt' && answer.status < 400 ? 'cross-origin' : 'same-origin';
      expect(answer.headers.get('cross-origin-resource-policy')).toBe(shared);
    }
  });

  it.each([
    ['GET', '/nothing'],
    ['GET', '/v1/../nothing'],
    ['DELETE', '/v1/accounts'],
    ['OPTIONS', '/v1/accounts'],
    ['HEAD', '/'],
    ['HEAD', '/v1/accounts'],
    ['GET', `/v1/accounts?${'x'.repeat(5_000)}`],
  ])('%s %s', async (method, path) => {
    expectSecured(await world.ask(method, path));
  });

  it('also while the service is starting', async () => {
    const down = { status: 'down', reason: 'starting' } as const;
    const app = createStartingApp(() => Promise.resolve({ postgres: down, store: down, signer: down }), 'https://ledger.example');
    for (const path of ['/health', '/health/ready', '/', '/v1/accounts']) {
      const answer = await app.request(path);
      expectSecured(answer);
      expect(answer.headers.get('strict-transport-security')).toBe('max-age=31536000');
    }
  });

  it('and over https never to come without it again, which over http it does not say', async () => {
    const secure = await makeWorld(({ config }) => ({ config: { ...config, publicUrl: 'https://ledger.example' } }));
    for (const path of ['/', '/v1/accounts', '/nothing']) {
      const [over, plain] = [await secure.ask('GET', path), await world.ask('GET', path)];
      expect(over.headers.get('strict-transport-security')).toBe('max-age=31536000');
      expect(plain.headers.has('strict-transport-security')).toBe(false);
    }
  });
});

describe('what pages of which origins may read', () => {
  const accessFields = ({ headers }: Response): readonly string[] =>
    [...headers.keys()].filter((name) => name.startsWith('access-control-'));
  let world: World;
  beforeAll(async () => {
    world = await makeWorld();
  });

  it.each(['https://app.example', 'http://localhost'])('those of %s read everything, with credentials', async (origin) => {
    for (const path of ['/v1/accounts', '/nothing', '/health']) {
      const answer = await world.ask('GET', path, { headers: { Origin: origin } });
      expect(answer.headers.get('access-control-allow-origin')).toBe(origin);
      expect(answer.headers.get('access-control-allow-credentials')).toBe('true');
    }
    const before = await world.ask('OPTIONS', '/v1/accounts', {
      headers: { Origin: origin, 'Access-Control-Request-Method': 'POST', 'Access-Control-Request-Headers': 'idempotency-key' },
    });
    expect(before.headers.get('access-control-allow-methods')).toBe('POST, GET, HEAD, OPTIONS');
    expect(before.headers.get('access-control-allow-headers')).toContain('Idempotency-Key');
  });

  it.each([
    ['an origin without a name, as of a sandboxed frame or a file', 'null'],
    ['a name that begins like a trusted one', 'https://app.example.evil.example'],
    ['a name that ends like a trusted one', 'https://evilapp.example'],
    ['a name below a trusted one', 'https://sub.app.example'],
    ['the trusted name without its encryption', 'http://app.example'],
    ['the trusted name at another port', 'https://app.example:8443'],
    ['the trusted name with a name in front', 'https://app.example@evil.example'],
    ['the trusted name in capitals, which no browser sends', 'HTTPS://APP.EXAMPLE'],
    ['the trusted name and a dot', 'https://app.example.'],
    ['the trusted name with a path', 'https://app.example/'],
    ['two origins', 'https://app.example https://evil.example'],
    ['two origins with a comma', 'https://app.example, https://evil.example'],
    ['a pattern', '*'],
    ['our own name at another port', 'http://localhost:3000'],
    ['nothing', ''],
  ])('%s reads nothing, is asked for nothing, and commands nothing with a cookie', async (_, origin) => {
    const headers = { Origin: origin, Cookie: 'session=usr_ada' };
    for (const [method, path] of [
      ['GET', '/v1/accounts'],
      ['GET', '/.well-known/pixpax-ledger.json'],
      ['OPTIONS', '/v1/accounts'],
      ['GET', '/nothing'],
    ] as const) {
      const answer = await world.ask(method, path, { as: null, headers });
      expect(accessFields(answer)).toEqual([]);
    }
    const objects = world.objects.size;
    const command = await world.ask('POST', '/v1/accounts', { as: null, key: 'k', headers });
    expect([command.status, world.objects.size]).toEqual([403, objects]);
  });

  it('an answer that depends on who asks from where says so to caches', async () => {
    for (const origin of ['https://app.example', 'https://evil.example']) {
      const answer = await world.ask('GET', '/.well-known/pixpax-ledger.json', { headers: { Origin: origin } });
      expect(answer.headers.get('vary')).toContain('Origin');
    }
    // A cache must not hand what it got without an origin to a page that has one.
    expect((await world.ask('GET', '/.well-known/pixpax-ledger.json')).headers.get('vary')).toContain('Origin');
  });
});
