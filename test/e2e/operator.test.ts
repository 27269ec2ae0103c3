import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Client, type Service, client, collectorWithBook, newcomer, startService } from './service.ts';

let tokens: readonly [string, string];
const METRICS_TOKEN = 'm'.repeat(32);

let folder: string;
let service: Service;
let operator: Client;
let operatorId: string;
let anna: Client;
let accountId: string;

/** The first start has no operators but the demo's: the second makes one of somebody who has signed up. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pixpax operator '));
  service = await startService(folder);
  await service.ready;
  const [one, other] = [await newcomer(service.api), await newcomer(service.api)];
  ({ accountId } = await collectorWithBook(other.api, other.userId));
  await service.stop();
  service = await startService(folder, { OPERATOR_USERS: one.userId, METRICS_TOKEN });
  await service.ready;
  tokens = [one.token, other.token];
  [operator, anna, operatorId] = [service.api.as(one.token), service.api.as(other.token), one.userId];
}, 120_000);
afterAll(async () => {
  await service.stop();
  await rm(folder, { recursive: true, force: true });
});

const start = (kind: string) => operator.post('/v1/admin/runs', { kind });
const ended = async (runId: unknown): Promise<Record<string, unknown>> => {
  const read = async () => (await operator.get(`/v1/admin/runs/${String(runId)}`)).body;
  await expect.poll(async () => (await read()).status, { timeout: 60_000, interval: 100 }).toMatch(/finished|failed/);
  return read();
};
const finished = async (kind: string): Promise<Record<string, unknown>> => {
  const started = await start(kind);
  expect(started).toMatchObject({ status: 202, body: { kind, userId: operatorId } });
  expect(started.headers.get('location')).toBe(`/v1/admin/runs/${String(started.body.runId)}`);
  return ended(started.body.runId);
};

describe('an operator, on the embedded parts', () => {
  it('has the projection compared, made anew, mended and the receipts verified, while the service goes on', async () => {
    const drift = await finished('drift');
    expect(drift).toMatchObject({ status: 'finished', exitCode: 0, reason: null, report: { drifted: false, live: 'whole' } });
    const rebuild = await start('rebuild');
    expect(await start('rebuild')).toMatchObject({ status: 409, body: { code: 'run-under-way' } });
    expect((await anna.get(`/v1/accounts/${accountId}`)).status).toBe(200);
    expect(await ended(rebuild.body.runId)).toMatchObject({ status: 'finished', exitCode: 0, report: { drifted: false } });
    expect(await finished('repair')).toMatchObject({ status: 'finished', exitCode: 0, report: { applied: 0 } });
    expect(await finished('verify')).toMatchObject({ status: 'finished', exitCode: 0, report: { verdict: 'valid' } });
    const runs = (await operator.get('/v1/admin/runs')).body.data as { kind: string }[];
    expect(runs.map(({ kind }) => kind)).toEqual(['verify', 'repair', 'rebuild', 'drift']);
  }, 120_000);

  it('suspends an account and lets it go on', async () => {
    const invites = () => anna.post(`/v1/accounts/${accountId}/invitations`, { role: 'viewer' });
    const path = `/v1/admin/accounts/${accountId}/commands`;
    expect((await operator.post(`${path}/suspend`, { reason: 'unpaid' })).status).toBe(201);
    expect(await invites()).toMatchObject({ status: 403, body: { code: 'account-suspended' } });
    expect((await operator.post(`${path}/resume`)).status).toBe(201);
    expect((await invites()).status).toBe(201);
  });

  it('sees the limits of an account and makes them whole', async () => {
    const path = `/v1/admin/accounts/${accountId}`;
    expect(await operator.get(`${path}/allowances`)).toMatchObject({ status: 200, body: { accountId, plan: 'free' } });
    expect(await operator.post(`${path}/commands/reset-allowances`)).toMatchObject({ status: 200, body: { plan: 'free' } });
  });

  it('reads who did what, also who was refused', async () => {
    const requestId = randomUUID();
    expect(await anna.post('/v1/admin/runs', { kind: 'rebuild' }, { 'x-request-id': requestId })).toMatchObject({ status: 403 });
    const trail = await operator.get('/v1/admin/audit-trail?operation=startRun');
    const entries = trail.body.data as Record<string, unknown>[];
    expect(entries.slice(0, 2)).toMatchObject([
      { status: 403, outcome: 'forbidden', requestId, askedId: entries[1]?.entryId },
      { status: null, outcome: 'asked', requestId },
    ]);
    const own = (await operator.get(`/v1/admin/audit-trail?userId=${operatorId}&operation=startRun`)).body.data as object[];
    expect(own.filter((entry) => 'status' in entry && entry.status === 202)).toHaveLength(4);
    expect(await anna.get('/v1/admin/audit-trail')).toMatchObject({ status: 403, body: { code: 'forbidden' } });
  });

  it('lets a scraper with the token read the metrics, and nobody else but itself', async () => {
    const asked = [service.api, anna, operator, client(service.url, METRICS_TOKEN)];
    expect(await Promise.all(asked.map(async (api) => (await api.get('/metrics')).status))).toEqual([401, 403, 200, 200]);
  });

  it('ends a run that was under way when the service stopped, and the usage of every month survives', async () => {
    const usage = async () => (await anna.get(`/v1/accounts/${accountId}/usage`)).body;
    const { body } = await start('verify');
    await service.stop();
    service = await startService(folder, { OPERATOR_USERS: operatorId, METRICS_TOKEN });
    await service.ready;
    [operator, anna] = [service.api.as(tokens[0]), service.api.as(tokens[1])];
    const run = await ended(body.runId);
    expect(['finished', 'failed']).toContain(run.status);
    if (run.status === 'failed') expect(['service-stopped', 'interrupted']).toContain(run.reason);
    expect(await usage()).toMatchObject({ accountId, plan: 'free', commands: expect.any(Number) });
    expect(Number((await usage()).commands)).toBeGreaterThanOrEqual(5);
  });
});
