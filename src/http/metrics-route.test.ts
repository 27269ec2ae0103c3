import { describe, expect, it } from 'vitest';
import { Outage } from '../port/outage.ts';
import { ADA, METRICS_TOKEN, OPERATOR, honestAuthentication, keyOf, makeWorld, refusal, said } from './ledger.fixture.ts';

describe('/metrics', () => {
  it.each([
    ['the scraper that shows the token', METRICS_TOKEN, 200],
    ['an operator', OPERATOR, 200],
    ['an operator’s API key for it', keyOf(OPERATOR, 'operations:read'), 200],
    ['an operator’s API key for something else', keyOf(OPERATOR, 'admin:read'), 403],
    ['anybody else who is signed in', ADA, 403],
    ['anybody’s API key', keyOf(ADA, 'operations:read'), 403],
    ['nobody', null, 401],
  ] as const)('is answered to %s: %s %i', async (_who, as, status) => {
    const { ask } = await makeWorld();
    expect((await ask('GET', '/metrics', { as })).status).toBe(status);
  });

  it.each([`${METRICS_TOKEN}x`, METRICS_TOKEN.slice(1), METRICS_TOKEN.toUpperCase()])(
    'does not take %s for the token',
    async (near) => {
      const { ask } = await makeWorld(() => ({ authentication: { ...honestAuthentication, session: async () => null } }));
      expect(await refusal(await ask('GET', '/metrics', { as: near }))).toEqual([401, 'unauthenticated']);
    },
  );

  it('takes no token when none was configured', async () => {
    const { ask } = await makeWorld(({ config }) => ({
      config: { ...config, metricsToken: null },
      authentication: { ...honestAuthentication, session: async () => null },
    }));
    for (const as of ['null', '', METRICS_TOKEN]) expect((await ask('GET', '/metrics', { as })).status).toBe(401);
  });

  it('is answered to the scraper while Postgres is away, and nobody can be signed in', async () => {
    const away = () => Promise.reject(new Outage('postgres', 'postgres-unavailable', 'away'));
    const { ask } = await makeWorld(({ queries }) => ({
      queries: { ...queries, membership: away },
      authentication: { ...honestAuthentication, session: away },
    }));
    expect((await ask('GET', '/metrics', { as: METRICS_TOKEN })).status).toBe(200);
    expect((await ask('GET', '/metrics', { as: OPERATOR })).status).toBe(503);
  });
});

describe('what strangers are told of the health', () => {
  it('is up or down for each dependency, and a code', async () => {
    const down = { status: 'down', reason: 'postgres-unavailable' } as const;
    const { ask } = await makeWorld(() => ({
      health: () => Promise.resolve({ postgres: down, store: { status: 'ok' }, signer: { status: 'ok' } }),
    }));
    expect(await said(await ask('GET', '/health', { as: null }))).toEqual({ status: 'ok' });
    const { dependencies } = await said(await ask('GET', '/health/ready', { as: null }));
    expect(dependencies).toEqual({ postgres: down, store: { status: 'ok' }, signer: { status: 'ok' } });
  });
});
