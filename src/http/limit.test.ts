import { describe, expect, it } from 'vitest';
import { simulatedClock } from '../../test/crash/clock.ts';
import { type LimitClass, permissionOf } from '../access/permission.ts';
import { memoryLimiter } from '../adapter/memory/limiter.ts';
import type { Allowance } from '../port/limiter.ts';
import { Outage } from '../port/outage.ts';
import { type AccountId, type UserId, parseAccountId } from '../receipt/ids.ts';
import { routes } from './app.ts';
import { ADA, EVE, OPERATOR, type World, furnish, honestAuthentication, keyOf, makeWorld, refusal } from './ledger.fixture.ts';
import { accountAllowances, addressAllowance, addressAllowances, userAllowance, userAllowances } from './limit.ts';
import type { HttpParts } from './parts.ts';

const MINUTE = 60_000;

/** A world that counts, behind a proxy; `from` is the field by which a request comes from an address. */
const countedWorld = async (override: (parts: HttpParts) => Partial<HttpParts> = () => ({})) => {
  const time = simulatedClock(Date.UTC(2026, 0, 2));
  const world = await makeWorld((parts) => ({
    limiter: memoryLimiter(time),
    config: { ...parts.config, trustedProxies: 1 },
    ...override(parts),
  }));
  const { limiter } = world.parts;
  const use = async (allowance: Allowance | null): Promise<void> => {
    while (allowance !== null && (await limiter.take([allowance])).allowed);
  };
  const left = async (allowances: readonly Allowance[]): Promise<Record<string, number>> =>
    Object.fromEntries((await limiter.look(allowances)).map(({ policy, remaining }) => [policy, remaining]));
  const accountIdOf = (text: string): AccountId => {
    const parsed = parseAccountId(text);
    if (!parsed.ok) throw new Error('no account');
    return parsed.value;
  };
  const account = async () => {
    const furniture = await furnish(world);
    const accountId = accountIdOf(furniture.accountId);
    await limiter.reset([...accountAllowances(accountId, 'free'), ...userAllowances(ADA as UserId), ...addressAllowances(null)]);
    return { ...furniture, accountId };
  };
  return { ...world, limiter, use, left, account, pass: time.advance };
};

const from = (address: string) => ({ headers: { 'X-Forwarded-For': address } });

/** The policies a request drew on, by its answer. */
const policiesOf = (answer: Response): readonly string[] =>
  [...(answer.headers.get('ratelimit-policy') ?? '').matchAll(/"([^"]+)"/g)].map(([, policy = '']) => policy);

describe('what a request draws on', () => {
  const account = (kind: string): readonly string[] => [`account-${kind}`, `account-${kind}-burst`];
  type Filled = { accountId: string; bookId: string; eventId: string };
  it.each<[string, (filled: Filled) => string, object, readonly string[]]>([
    ['GET', () => '/v1/keys/sha256:0', { as: null }, ['address-public']],
    ['GET', () => '/', { as: null }, ['address-public']],
    ['POST', () => '/v1/auth/sign-in/email', { as: null, body: {} }, ['address-sign-in']],
    ['GET', () => '/v1/auth/get-session', { as: null }, ['address-public']],
    ['GET', () => '/v1/accounts', { as: null }, ['address']],
    ['GET', () => '/v1/accounts', {}, ['address', 'user-read']],
    ['GET', () => '/v1/accounts', { as: keyOf(ADA, 'accounts:read') }, ['address', 'user-read']],
    ['GET', () => '/v1/accounts', { as: keyOf(ADA) }, ['address', 'user-read']],
    ['POST', () => '/v1/accounts', { key: 'k' }, ['address', 'user-command']],
    ['GET', ({ accountId }) => `/v1/accounts/${accountId}`, {}, ['address', 'user-read', ...account('read')]],
    ['GET', ({ accountId }) => `/v1/accounts/${accountId}`, { as: EVE }, ['address', 'user-read']],
    ['GET', ({ bookId }) => `/v1/pixbooks/${bookId}`, {}, ['address', 'user-read', ...account('read')]],
    ['GET', ({ eventId }) => `/v1/receipts/${eventId}`, {}, ['address', 'user-read', ...account('read')]],
    [
      'POST',
      ({ accountId }) => `/v1/accounts/${accountId}/commands/close`,
      { key: 'k' },
      ['address', 'user-command', ...account('command')],
    ],
    ['POST', ({ accountId }) => `/v1/accounts/${accountId}/commands/close`, { key: 'k', as: EVE }, ['address', 'user-command']],
    ['GET', () => '/v1/admin/runs', { as: OPERATOR }, ['address', 'user-admin']],
    ['GET', () => '/health', { as: null }, []],
    ['GET', () => '/health/ready', { as: null }, []],
    ['GET', () => '/metrics', { as: null }, []],
    ['GET', () => '/nowhere', { as: null }, []],
  ])('%s %s', async (method, path, options, policies) => {
    const world = await countedWorld();
    expect(policiesOf(await world.ask(method, path(await world.account()), options))).toEqual(policies);
  });

  it('by its body, where the path does not name the account', async () => {
    const { ask, account } = await countedWorld();
    const { accountId, identityId, collectionId, bookId } = await account();
    const ordinary = ['address', 'user-command', 'account-command', 'account-command-burst'];
    const claim = { code: 'ABCD-EF12-3456', bookId };
    const claimed = await ask('POST', '/v1/codes/commands/claim', { key: '1', body: claim });
    expect(policiesOf(claimed)).toEqual(['address-claim', 'user-claim', 'account-command', 'account-command-burst']);
    const strange = await ask('POST', '/v1/codes/commands/claim', { key: '1', body: claim, as: EVE });
    expect(policiesOf(strange)).toEqual(['address-claim', 'user-claim']);
    const book = await ask('POST', '/v1/pixbooks', { key: '2', body: { accountId, identityId, collectionId } });
    expect(policiesOf(book)).toEqual(ordinary);
    const expiresAt = '2026-01-03T00:00:00.000Z';
    const offer = { bookId, to: { bookId }, give: ['ci_01HF7YAT00ZY2HFVSMAQJQ9NN0'], expiresAt };
    expect(policiesOf(await ask('POST', '/v1/trades', { key: '3', body: offer })).slice(0, 2)).toEqual([
      'address',
      'user-command',
    ]);
  });

  it('is said of every operation, and every need knows whose account it is about', () => {
    const classes = new Set(routes.map(({ operation }) => permissionOf(operation.id)?.limit));
    const counted: readonly LimitClass[] = ['public', 'sign-in', 'read', 'command', 'claim', 'admin'];
    expect([...classes].sort()).toEqual([...counted, 'probe'].sort());
    for (const each of counted) expect(addressAllowance(each, null)).not.toBeNull();
    for (const each of ['read', 'command', 'claim', 'admin'] as const) expect(userAllowance(each, ADA as UserId)).not.toBeNull();
    const silent = routes
      .filter(({ path }) => /:(accountId|bookId|tradeId|eventId)/.test(path) && !path.startsWith('/v1/admin/'))
      .filter(({ need }) => !('accountsOf' in need))
      .map(({ method, path }) => `${method} ${path}`);
    expect(silent).toEqual([]);
  });
});

describe('an answer', () => {
  it('tells how the allowances stand, good or bad', async () => {
    const { ask, account } = await countedWorld();
    const { accountId } = await account();
    const good = await ask('GET', `/v1/accounts/${accountId}`);
    expect(good.status).toBe(200);
    expect(good.headers.get('ratelimit-policy')).toBe(
      '"address";q=1200;w=60, "user-read";q=900;w=60, "account-read";q=60;w=60, "account-read-burst";q=30;w=300',
    );
    expect(good.headers.get('ratelimit')).toBe(
      '"address";r=1199;t=60, "user-read";r=899;t=60, "account-read";r=59;t=60, "account-read-burst";r=30;t=300',
    );
    const bad = await ask('GET', '/v1/accounts/acc_nobody');
    expect([bad.status, bad.headers.get('ratelimit')]).toEqual([404, '"address";r=1198;t=60, "user-read";r=898;t=60']);
    const broken = await countedWorld(({ queries }) => ({
      queries: { ...queries, memberships: () => Promise.reject(new Outage('postgres', 'postgres-unavailable', 'gone')) },
    }));
    const outage = await broken.ask('GET', '/v1/accounts');
    expect([outage.status, policiesOf(outage)]).toEqual([503, ['address', 'user-read']]);
  });

  it('may be read by pages of trusted origins', async () => {
    const { ask } = await countedWorld();
    const answer = await ask('GET', '/v1/accounts', { headers: { Origin: 'https://app.example' } });
    const exposed = (answer.headers.get('access-control-expose-headers') ?? '').split(', ');
    expect(exposed).toEqual(expect.arrayContaining(['RateLimit', 'RateLimit-Policy', 'Retry-After']));
  });

  it('to one request too many says when to come back, and what was used up', async () => {
    const { ask, use, pass, parts } = await countedWorld();
    await use(userAllowance('read', ADA as UserId));
    pass(10_000);
    const answer = await ask('GET', '/v1/accounts');
    expect(answer.status).toBe(429);
    const { waitS } =
      /^"address";r=1199;t=60, "user-read";r=0;t=(?<waitS>\d+)$/.exec(answer.headers.get('ratelimit') ?? '')?.groups ?? {};
    expect(Number(waitS)).toBeGreaterThan(40); // the clock of this world goes on with each look
    expect(Number(waitS)).toBeLessThanOrEqual(50);
    expect(answer.headers.get('retry-after')).toBe(waitS);
    expect(await answer.json()).toMatchObject({ code: 'rate-limited', detail: 'the allowance user-read is used up' });
    expect(await parts.metrics.metrics()).toContain('pixpax_rate_limited_total{policy="user-read"} 1');
    pass(Number(waitS) * 1_000);
    expect((await ask('GET', '/v1/accounts')).status).toBe(200);
  });
});

describe('a flood from an address', () => {
  it('is stopped before anybody is looked up', async () => {
    let lookUps = 0;
    const { ask, use } = await countedWorld(() => ({
      authentication: {
        ...honestAuthentication,
        session: (headers) => {
          lookUps += 1;
          return honestAuthentication.session(headers);
        },
      },
    }));
    await use(addressAllowance('read', '198.51.100.7'));
    for (const as of [null, ADA, 'not-a-token'])
      expect(await refusal(await ask('GET', '/v1/accounts', { as, ...from('198.51.100.7') }))).toEqual([429, 'rate-limited']);
    expect(lookUps).toBe(0);
  });

  it('is stopped whatever it says of where it comes from, and no other address is', async () => {
    const { ask, use } = await countedWorld();
    await use(addressAllowance('read', '198.51.100.7'));
    const statusFrom = async (forwarded: string, more: Record<string, string> = {}): Promise<number> =>
      (await ask('GET', '/v1/accounts', { headers: { 'X-Forwarded-For': forwarded, ...more } })).status;
    expect(await statusFrom('203.0.113.9, 198.51.100.7')).toBe(429);
    const lies = { Forwarded: 'for=203.0.113.9', 'X-Real-IP': '203.0.113.9', 'CF-Connecting-IP': '203.0.113.9' };
    expect(await statusFrom('198.51.100.7', lies)).toBe(429);
    expect(await statusFrom('198.51.100.8')).toBe(200);
  });

  it('of IPv6 is stopped for the whole /64', async () => {
    const { ask, use } = await countedWorld();
    await use(addressAllowance('read', '2001:db8:1:2::1'));
    const status = async (address: string): Promise<number> => (await ask('GET', '/v1/accounts', from(address))).status;
    expect([await status('2001:db8:1:2:aaaa::5'), await status('2001:db8:1:3::1')]).toEqual([429, 200]);
  });

  it('without our proxies is not helped by any field', async () => {
    const { ask, use } = await countedWorld(({ config }) => ({ config: { ...config, trustedProxies: 0 } }));
    await use(addressAllowance('read', null));
    for (const field of ['X-Forwarded-For', 'Forwarded', 'X-Real-IP', 'CF-Connecting-IP', 'True-Client-IP', 'X-Client-IP'])
      expect((await ask('GET', '/v1/accounts', { headers: { [field]: '203.0.113.9' } })).status).toBe(429);
  });

  it('stops neither probes nor what belongs to another allowance', async () => {
    const { ask, use } = await countedWorld();
    for (const allowance of addressAllowances(null)) if (allowance.policy !== 'address-public') await use(allowance);
    expect((await ask('GET', '/health', { as: null })).status).toBe(200);
    expect((await ask('GET', '/', { as: null })).status).toBe(200);
    expect((await ask('GET', '/v1/accounts')).status).toBe(429);
  });

  it.each([
    ['sign-in', '/v1/auth/sign-in/email', 20],
    ['claims', '/v1/codes/commands/claim', 30],
  ])('of %s is stopped after %i', async (_name, path, points) => {
    const { ask } = await countedWorld();
    const statuses: number[] = [];
    for (let n = 0; n <= points; n++) statuses.push((await ask('POST', path, { as: null, body: {} })).status);
    expect(statuses.indexOf(429)).toBe(points);
  });
});

describe('the allowance of a user', () => {
  it('is one, by session and by API key, and from every address', async () => {
    const { ask, use } = await countedWorld();
    await use(userAllowance('claim', ADA as UserId));
    const claim = { key: 'k', body: { code: 'ABCD-EF12-3456', bookId: 'bk_nobody' } };
    const statuses = [
      (await ask('POST', '/v1/codes/commands/claim', claim)).status,
      (await ask('POST', '/v1/codes/commands/claim', { ...claim, as: keyOf(ADA, 'pixbooks:write') })).status,
      (await ask('POST', '/v1/codes/commands/claim', { ...claim, ...from('203.0.113.9') })).status,
    ];
    expect(statuses).toEqual([429, 429, 429]);
    expect((await ask('POST', '/v1/codes/commands/claim', { ...claim, as: EVE })).status).not.toBe(429);
  });

  it('is looked at before the body is', async () => {
    const { ask, use } = await countedWorld();
    await use(userAllowance('command', ADA as UserId));
    expect((await ask('POST', '/v1/accounts', { key: 'k', body: '{"not json' })).status).toBe(429);
  });
});

describe('the allowance of an account', () => {
  it.each([
    ['free', 60 + 30],
    ['pro', 600 + 300],
  ] as const)('of the plan %s is %i in its best minute, and comes back', async (plan, points) => {
    const { ask, account, pass } = await countedWorld(({ queries }) => ({
      queries: {
        ...queries,
        account: async (accountId) => {
          const found = await queries.account(accountId);
          return found === null ? null : { ...found, plan };
        },
      },
    }));
    const { accountId } = await account();
    const admitted = async (): Promise<number> => {
      for (let n = 0; ; n++) if ((await ask('GET', `/v1/accounts/${accountId}`)).status === 429) return n;
    };
    expect(await admitted()).toBe(points);
    pass(MINUTE);
    expect(await admitted()).toBe((points / 3) * 2); // the burst takes five
    pass(4 * MINUTE);
    expect(await admitted()).toBe(points);
  });

  it('is not spent by strangers, who learn nothing of it either', async () => {
    const { ask, account, left, use } = await countedWorld();
    const { accountId, bookId } = await account();
    const asStranger = async () => [
      await refusal(await ask('GET', `/v1/accounts/${accountId}`, { as: EVE })),
      await refusal(await ask('GET', `/v1/pixbooks/${bookId}`, { as: EVE })),
      await refusal(await ask('POST', `/v1/accounts/${accountId}/commands/close`, { as: EVE, key: 'k' })),
      await refusal(await ask('POST', `/v1/pixbooks/${bookId}/commands/close`, { as: EVE, key: 'k' })),
    ];
    const before = await asStranger();
    expect(before.map(([status]) => status)).toEqual([404, 404, 404, 404]);
    const whole = { 'account-read': 60, 'account-read-burst': 30, 'account-command': 60, 'account-command-burst': 30 };
    expect(await left(accountAllowances(accountId, 'free'))).toEqual(whole);
    for (const allowance of accountAllowances(accountId, 'free')) await use(allowance);
    expect(await asStranger()).toEqual(before);
    expect((await ask('GET', `/v1/accounts/${accountId}`)).status).toBe(429);
  });

  it('once used up refuses commands, which then write nothing', async () => {
    const { ask, account, objects, use } = await countedWorld();
    const { accountId } = await account();
    for (const allowance of accountAllowances(accountId, 'free')) await use(allowance);
    const before = objects.size;
    const answer = await ask('POST', `/v1/accounts/${accountId}/commands/close`, { key: 'k' });
    expect(await refusal(answer)).toEqual([429, 'rate-limited']);
    expect(objects.size).toBe(before);
  });

  it('is drawn on by a repeated command as by a new one', async () => {
    const { ask, account, left } = await countedWorld();
    const { accountId } = await account();
    for (const status of [201, 201]) {
      const body = { controller: ADA };
      expect((await ask('POST', `/v1/accounts/${accountId}/identities`, { key: 'again', body })).status).toBe(status);
    }
    expect(await left(accountAllowances(accountId, 'free'))).toMatchObject({ 'account-command': 58, 'account-read': 60 });
  });

  it('is left alone while nobody can tell the plan', async () => {
    let gone = false;
    const { ask, account } = await countedWorld(({ queries }) => ({
      queries: {
        ...queries,
        account: (accountId) =>
          gone ? Promise.reject(new Outage('postgres', 'postgres-unavailable', 'gone')) : queries.account(accountId),
      },
    }));
    const { accountId } = await account();
    gone = true;
    const close = `/v1/accounts/${accountId}/commands/close`;
    const other = await ask('POST', `/v1/accounts/${accountId}/members`, {
      as: EVE,
      key: 'k',
      body: { userId: EVE, role: 'owner' },
    });
    expect(other.status).toBe(404);
    expect((await ask('POST', close, { key: 'k' })).status).toBe(201);
  });

  it('is not the operators’ own: what they do for the ledger is counted by user', async () => {
    const { ask } = await countedWorld();
    const answer = await ask('GET', '/v1/accounts/acc_operator', { as: OPERATOR });
    expect([answer.status, policiesOf(answer)]).toEqual([200, ['address', 'user-read']]);
  });
});

it('nobody is counted where there are no limits', async () => {
  const world: World = await makeWorld();
  const answer = await world.ask('GET', '/v1/accounts');
  expect([answer.status, answer.headers.has('ratelimit')]).toEqual([200, false]);
});
