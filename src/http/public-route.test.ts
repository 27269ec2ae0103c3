import { describe, expect, it } from 'vitest';
import { furnish, makeWorld, refusal, said } from './ledger.fixture.ts';
import type { Health } from './parts.ts';
import { problemCodes } from './problem-code.ts';

const anonymous = { as: null };
const ok = { status: 'ok' } as const;
const down = (reason: string) => ({ status: 'down', reason }) as const;

describe('health', () => {
  it('says that the process lives, whatever it stands on', async () => {
    const { ask } = await makeWorld(() => ({ health: () => Promise.reject(new Error('must not be asked')) }));
    expect(await said(await ask('GET', '/health', anonymous))).toEqual({ status: 'ok' });
  });

  it.each<[string, Health, number, object]>([
    ['all is there', { postgres: ok, store: ok, signer: ok }, 200, { status: 'ok' }],
    ['the signer is gone, for reads go on', { postgres: ok, store: ok, signer: down('sealed') }, 200, { status: 'degraded' }],
    ['Postgres is gone', { postgres: down('refused'), store: ok, signer: ok }, 503, { code: 'not-ready' }],
    ['the store is gone', { postgres: ok, store: down('timeout'), signer: ok }, 503, { code: 'not-ready' }],
  ])('is named for each dependency when %s', async (_what, health, status, expected) => {
    const { ask } = await makeWorld(() => ({ health: () => Promise.resolve(health) }));
    const answer = await ask('GET', '/health/ready', anonymous);
    expect(answer.status).toBe(status);
    expect(answer.headers.get('retry-after') !== null).toBe(status === 503);
    expect(await said(answer)).toMatchObject({ ...expected, dependencies: health });
  });

  it('asks the dependencies once for all who ask at about the same time', async () => {
    let asked = 0;
    const health: Health = { postgres: ok, store: ok, signer: ok };
    const { ask } = await makeWorld(() => ({ health: () => Promise.resolve({ ...health, asked: ++asked }) }));
    await Promise.all(Array.from({ length: 20 }, () => ask('GET', '/health', anonymous)));
    await Promise.all(Array.from({ length: 20 }, () => ask('HEAD', '/health/ready', anonymous)));
    expect(asked).toBe(1);
  });
});

describe('trust', () => {
  it('is anchored in a document that anyone may read', async () => {
    const { ask, parts, objects } = await makeWorld();
    const body = await said(await ask('GET', '/.well-known/pixpax-ledger.json', anonymous));
    expect(body).toMatchObject({ fingerprint: parts.ledger.fingerprint, operator: { accountId: 'acc_operator' } });
    const { genesis } = body.operator as { genesis: string };
    expect([...objects.keys()]).toContain(genesis);
  });

  it('shows a key and its times to anyone, and 404 for others', async () => {
    const world = await makeWorld();
    const { accountId, identityId } = await furnish(world);
    const { publicKeyId } = await said(await world.ask('GET', `/v1/accounts/${accountId}/identities/${identityId}`));
    const key = await world.ask('GET', `/v1/keys/${String(publicKeyId)}`, anonymous);
    expect(await said(key)).toMatchObject({ publicKeyId, identityId, keyGeneration: 1, validUntil: null });
    for (const other of [`sha256:${'0'.repeat(64)}`, 'x'])
      expect(await refusal(await world.ask('GET', `/v1/keys/${other}`, anonymous))).toEqual([404, 'not-found']);
  });
});

describe('a page for people', () => {
  it.each(['/', '/sign-in', '/docs', '/problems', '/problems/stale-base'])(
    '%s asks nobody else for anything and runs nothing of others',
    async (path) => {
      const { ask } = await makeWorld();
      const answer = await ask('GET', path, anonymous);
      const html = await answer.text();
      expect(answer.headers.get('content-type')).toBe('text/html; charset=utf-8');
      const policy = answer.headers.get('content-security-policy') ?? '';
      expect(policy).toContain("default-src 'none'");
      expect(policy).toContain("frame-ancestors 'none'");
      expect(policy).not.toMatch(/https?:|\*|unsafe-eval|script-src[^;]*unsafe-inline/);
      expect(html).not.toMatch(/(?:src|href)="(?:https?:)?\/\/(?!www\.rfc-editor\.org)/);
    },
  );

  it('explains every code, and links each from its problems', async () => {
    const { ask } = await makeWorld();
    const table = await (await ask('GET', '/problems', anonymous)).text();
    for (const code of problemCodes) expect(table).toContain(`href="/problems/${code}"`);
    const { type } = await said(await ask('GET', '/nothing', anonymous));
    expect((await ask('GET', String(type), anonymous)).status).toBe(200);
    for (const code of ['nothing', '__proto__', 'toString'])
      expect(await refusal(await ask('GET', `/problems/${code}`, anonymous))).toEqual([404, 'not-found']);
  });

  it('at the root shows where it is reached and what to pin, escaped', async () => {
    const { ask, parts } = await makeWorld(({ config }) => ({
      config: { ...config, publicUrl: 'https://ledger.example/?a=<b>' },
    }));
    const html = await (await ask('GET', '/', anonymous)).text();
    expect(html).toContain('URL=https://ledger.example/?a=&lt;b&gt;');
    expect(html).toContain(parts.ledger.fingerprint);
  });
});
