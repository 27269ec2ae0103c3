import { describe, expect, it } from 'vitest';
import { ADA, EVE, furnish, makeWorld, refusal, said } from './ledger.fixture.ts';

describe('a command over HTTP', () => {
  it('answers 201 with the receipt, where the resource is, and the head to go on from', async () => {
    const { ask } = await makeWorld();
    const answer = await ask('POST', '/v1/accounts', { key: 'k1' });
    const body = await said(answer);
    expect(answer.status).toBe(201);
    expect(body).toMatchObject({ position: 0, projection: 'applied' });
    expect(Object.keys(body)).toEqual(['eventId', 'hash', 'position', 'projection', 'accountId']);
    expect(answer.headers.get('location')).toBe(`/v1/accounts/${String(body.accountId)}`);
    expect(answer.headers.get('etag')).toBe(`"${String(body.hash)}"`);
    expect(answer.headers.get('idempotency-replayed')).toBeNull();
    expect(answer.headers.get('cache-control')).toBe('no-store');
  });
  it('smoke', async () => {
    const world = await makeWorld();
    const made = await furnish(world);
    const { ask } = world;
    for (const path of [
      `/v1/accounts`,
      `/v1/accounts/${made.accountId}`,
      `/v1/accounts/${made.accountId}/members`,
      `/v1/accounts/${made.accountId}/identities`,
      `/v1/pixbooks`,
      `/v1/pixbooks/${made.bookId}`,
      `/v1/pixbooks/${made.bookId}/receipts`,
      `/v1/pixbooks/${made.bookId}/verify`,
      `/v1/receipts/${made.eventId}`,
      '/health',
      '/health/ready',
      '/',
      '/docs',
      '/problems',
      '/problems/stale-base',
      '/openapi.json',
      '/openapi.yaml',
      '/metrics',
      '/.well-known/pixpax-ledger.json',
    ]) {
      const answer = await ask('GET', path);
      console.log(path, answer.status, Object.fromEntries(answer.headers), (await answer.text()).slice(0, 300));
    }
    console.log(await refusal(await ask('GET', `/v1/pixbooks/${made.bookId}`, { as: EVE })), ADA);
    console.log(world.lines.slice(0, 3));
  });
});
