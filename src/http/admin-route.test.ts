import { beforeEach, describe, expect, it } from 'vitest';
import { memoryLimiter } from '../adapter/memory/limiter.ts';
import { Outage } from '../port/outage.ts';
import { auditedOperations } from './admin-schema.ts';
import { routes } from './app.ts';
import { ADA, EVE, type Furniture, OPERATOR, type World, furnish, keyOf, makeWorld, refusal, said } from './ledger.fixture.ts';
import { accountAllowance } from './limit.ts';

let world: World;
let there: Furniture;
beforeEach(async () => {
  world = await makeWorld(({ clock }) => ({ limiter: memoryLimiter(clock) }));
  there = await furnish(world);
});

const asOperator = { as: OPERATOR };
const adminRoutes = routes.filter(({ path }) => path.startsWith('/v1/admin'));
const filled = (path: string, accountId: string): string =>
  path.replace(':accountId', accountId).replace(':runId', 'run_01JZ0000000000000000000000');
const entries = async (query = ''): Promise<Record<string, unknown>[]> =>
  (await said(await world.ask('GET', `/v1/admin/audit-trail${query}`, asOperator))).data as Record<string, unknown>[];

describe('the operations of operators', () => {
  it('are those whose use is kept, and no others', () => {
    const audited = routes.filter(({ need }) => need.isAudited === true).map(({ operation }) => operation.id);
    expect(audited.sort()).toEqual(adminRoutes.map(({ operation }) => operation.id).sort());
    expect(audited).toEqual([...auditedOperations].sort());
  });

  it.each(adminRoutes.map(({ method, path }) => [method, path] as const))(
    '%s %s: everyone else is told the same, whatever they name',
    async (method, path) => {
      const body = method === 'GET' ? undefined : { reason: 'a reason', kind: 'drift', plan: 'pro' };
      const bodyOf = path.endsWith('suspend')
        ? { reason: 'x' }
        : path.endsWith('plan')
          ? { plan: 'pro' }
          : path.endsWith('runs')
            ? { kind: 'drift' }
            : {};
      const sent = body === undefined ? {} : { body: bodyOf };
      const answers: unknown[] = [];
      for (const accountId of [there.accountId, 'acc_01JZ0000000000000000000000', 'nonsense', 'acc_operator'])
        for (const as of [ADA, EVE]) {
          const answer = await world.ask(method, filled(path, accountId), { as, key: 'k', ...sent });
          const { requestId: _r, traceId: _t, instance: _i, ...problem } = await said(answer);
          answers.push(problem);
        }
      expect(new Set(answers.map((each) => JSON.stringify(each))).size).toBe(1);
      expect(answers[0]).toMatchObject({ status: 403, code: 'forbidden' });
      expect(await refusal(await world.ask(method, filled(path, 'nonsense'), { as: null, ...sent }))).toEqual([
        401,
        'unauthenticated',
      ]);
    },
  );

  it('are refused to an API key of an operator that lacks the scope', async () => {
    const reads = keyOf(OPERATOR, 'admin:read');
    expect((await world.ask('GET', '/v1/admin/runs', { as: reads })).status).toBe(200);
    expect(await refusal(await world.ask('POST', '/v1/admin/runs', { as: reads, body: { kind: 'drift' } }))).toEqual([
      403,
      'scope-missing',
    ]);
  });

  it('are refused to issuers', async () => {
    const member = { userId: EVE, role: 'issuer' };
    await world.ask('POST', '/v1/accounts/acc_operator/members', { ...asOperator, key: 'issuer', body: member });
    expect(await refusal(await world.ask('GET', '/v1/admin/runs', { as: EVE }))).toEqual([403, 'forbidden']);
  });
});

describe('the standing of an account', () => {
  const standing = (command: string, key: string, body?: unknown) =>
    world.ask('POST', `/v1/admin/accounts/${there.accountId}/commands/${command}`, { ...asOperator, key, body });
  const account = async () => said(await world.ask('GET', `/v1/accounts/${there.accountId}`));

  it('is changed by operators with a receipt, once a key', async () => {
    const suspended = await standing('suspend', 'k1', { reason: 'unpaid' });
    expect([suspended.status, suspended.headers.get('location')]).toEqual([201, `/v1/accounts/${there.accountId}`]);
    expect(await account()).toMatchObject({ status: 'suspended', suspensionReason: 'unpaid' });
    const again = await standing('suspend', 'k1', { reason: 'unpaid' });
    expect([again.status, again.headers.get('idempotency-replayed')]).toEqual([201, 'true']);
    expect((await standing('resume', 'k2')).status).toBe(201);
    expect(await account()).toMatchObject({ status: 'open', suspendedAt: null });
    expect((await standing('change-plan', 'k3', { plan: 'pro' })).status).toBe(201);
    expect(await account()).toMatchObject({ plan: 'pro' });
    expect(await refusal(await standing('change-plan', 'k4', { plan: 'pro' }))).toEqual([409, 'plan-unchanged']);
    expect(await refusal(await standing('resume', 'k5'))).toEqual([409, 'account-not-suspended']);
  });

  it.each([
    ['suspend', {}],
    ['suspend', { reason: '' }],
    ['suspend', { reason: 'x'.repeat(201) }],
    ['change-plan', { plan: 'gold' }],
    ['resume', { reason: 'x' }],
  ])('is not changed by %s of %j', async (command, body) => {
    expect(await refusal(await standing(command, 'k', body))).toEqual([400, 'invalid-request']);
  });

  it('needs an idempotency key, and an account that is there', async () => {
    const resume = (id: string, key?: string) =>
      world.ask('POST', `/v1/admin/accounts/${id}/commands/resume`, { ...asOperator, ...(key === undefined ? {} : { key }) });
    expect(await refusal(await resume(there.accountId))).toEqual([400, 'idempotency-key-missing']);
    expect(await refusal(await resume('acc_01JZ0000000000000000000000', 'k'))).toEqual([404, 'not-found']);
    expect(await refusal(await resume('nonsense', 'k'))).toEqual([404, 'not-found']);
    expect(await refusal(await resume('acc_operator', 'k'))).toEqual([422, 'role-not-allowed']);
  });
});

describe('the limits of an account', () => {
  const path = () => `/v1/admin/accounts/${there.accountId}`;

  it('are shown as they stand, and are made whole again', async () => {
    const allowance = accountAllowance('read', there.accountId as never, 'free');
    const used = async () => {
      const { allowances } = await said(await world.ask('GET', `${path()}/allowances`, asOperator));
      const list = allowances as { policy: string; points: number; remaining: number }[];
      return list.find(({ policy }) => policy === allowance?.policy);
    };
    expect(await used()).toMatchObject({ points: allowance?.points, remaining: allowance?.points });
    for (let i = 0; i < 3; i++) await world.ask('GET', `/v1/accounts/${there.accountId}`);
    expect((await used())?.remaining).toBe((allowance?.points ?? 0) - 3);
    const reset = await world.ask('POST', `${path()}/commands/reset-allowances`, asOperator);
    expect(await said(reset)).toMatchObject({ accountId: there.accountId, plan: 'free', shared: true });
    expect((await used())?.remaining).toBe(allowance?.points);
  });

  it('are those of accounts that are there', async () => {
    const missing = '/v1/admin/accounts/acc_01JZ0000000000000000000000';
    expect(await refusal(await world.ask('GET', `${missing}/allowances`, asOperator))).toEqual([404, 'not-found']);
    expect(await refusal(await world.ask('POST', `${missing}/commands/reset-allowances`, asOperator))).toEqual([
      404,
      'not-found',
    ]);
  });
});

describe('runs', () => {
  const start = (kind: string) => world.ask('POST', '/v1/admin/runs', { ...asOperator, body: { kind } });
  const started = async (kind: string): Promise<string> => String((await said(await start(kind))).runId);

  it('are taken, done in the background, and tell what they found', async () => {
    const answer = await start('drift');
    const run = await said(answer);
    const path = `/v1/admin/runs/${String(run.runId)}`;
    expect([answer.status, answer.headers.get('location')]).toEqual([202, path]);
    expect(run).toMatchObject({ kind: 'drift', userId: OPERATOR, status: 'queued', startedAt: null, report: null });
    const report = { drifted: true, rows: [1, 2] };
    await world.finishRun(String(run.runId), { exitCode: 1, reason: null, report, reportWhole: true });
    const read = await world.ask('GET', path, asOperator);
    expect(await said(read)).toMatchObject({ status: 'finished', exitCode: 1, reason: null, report, reportWhole: true });
    const etag = read.headers.get('etag') ?? '';
    expect((await world.ask('GET', path, { ...asOperator, headers: { 'If-None-Match': etag } })).status).toBe(304);
  });

  it('are one of a kind at a time, until it has ended', async () => {
    const runId = await started('verify');
    const second = await start('verify');
    expect(second.status).toBe(409);
    expect(await said(second)).toMatchObject({ code: 'run-under-way', detail: `${runId} is under way` });
    expect((await start('drift')).status).toBe(202);
    await world.finishRun(runId, { exitCode: 2, reason: 'not-done', report: null, reportWhole: true });
    expect((await start('verify')).status).toBe(202);
  });

  it('are listed newest first, page by page, without their reports', async () => {
    const ids = [await started('drift'), await started('verify'), await started('repair')].sort().reverse();
    const first = await said(await world.ask('GET', '/v1/admin/runs?limit=2', asOperator));
    const { cursor } = first.meta as { cursor: string };
    const rest = await said(await world.ask('GET', `/v1/admin/runs?limit=2&cursor=${cursor}`, asOperator));
    const listed = [...(first.data as { runId: string }[]), ...(rest.data as { runId: string }[])];
    expect(listed.map(({ runId }) => runId)).toEqual(ids);
    expect(listed[0]).not.toHaveProperty('report');
    expect(rest.meta).toEqual({ cursor: null, hasMore: false });
    expect(await refusal(await world.ask('GET', '/v1/admin/runs?cursor=x', asOperator))).toEqual([400, 'invalid-request']);
  });

  it('are of the four kinds there are', async () => {
    expect(await refusal(await start('serve'))).toEqual([400, 'invalid-request']);
    expect(await refusal(await world.ask('GET', '/v1/admin/runs/run_01JZ0000000000000000000000', asOperator))).toEqual([
      404,
      'not-found',
    ]);
  });
});

describe('the audit trail', () => {
  it('has each use twice: before it was done, and with its outcome', async () => {
    const path = `/v1/admin/accounts/${there.accountId}/commands/suspend`;
    const body = { reason: 'a secret reason' };
    await world.ask('POST', path, { ...asOperator, key: 'secret-key', body, headers: { 'X-Request-Id': 'req-1' } });
    const [answered, asked, ...older] = await entries('?operation=suspendAccount');
    const use = { userId: OPERATOR, via: 'bearer', sessionId: 'ses_1', operation: 'suspendAccount', requestId: 'req-1' };
    expect(asked).toMatchObject({ ...use, target: there.accountId, askedId: null, status: null, outcome: 'asked' });
    expect(answered).toMatchObject({
      ...use,
      target: there.accountId,
      askedId: asked?.entryId,
      status: 201,
      outcome: 'answered',
    });
    expect(older).toEqual([]);
    expect(JSON.stringify(await entries())).not.toMatch(/secret/);
    expect(world.lines.filter(({ audit }) => audit === true)).toContainEqual(expect.objectContaining({ ...use, status: 201 }));
  });

  it('has what was refused, to whom, and names nothing that is no id', async () => {
    await world.ask('POST', '/v1/admin/runs', { as: EVE, body: { kind: 'rebuild' } });
    await world.ask('GET', '/v1/admin/accounts/my-password/allowances', { as: EVE });
    await world.ask('POST', '/v1/admin/runs', { as: EVE, body: { kind: 'nonsense' } });
    const seen = await entries(`?userId=${EVE}`);
    expect(seen.map(({ operation, status, outcome, target }) => [operation, status, outcome, target])).toEqual([
      ['startRun', 400, 'invalid-request', null],
      ['startRun', null, 'asked', null],
      ['readAllowances', 403, 'forbidden', null],
      ['readAllowances', null, 'asked', null],
      ['startRun', 403, 'forbidden', null],
      ['startRun', null, 'asked', null],
    ]);
  });

  it('names the run that came to be', async () => {
    const { runId } = await said(await world.ask('POST', '/v1/admin/runs', { ...asOperator, body: { kind: 'drift' } }));
    expect((await entries('?operation=startRun'))[0]).toMatchObject({ target: runId, status: 202 });
  });

  it('comes page by page, and knows its filters', async () => {
    for (let i = 0; i < 3; i++) await world.ask('GET', '/v1/admin/runs', asOperator);
    const first = await said(await world.ask('GET', '/v1/admin/audit-trail?operation=listRuns&limit=4', asOperator));
    const { cursor } = first.meta as { cursor: string };
    const rest = await said(
      await world.ask('GET', `/v1/admin/audit-trail?operation=listRuns&limit=4&cursor=${cursor}`, asOperator),
    );
    const ids = [...(first.data as { entryId: string }[]), ...(rest.data as { entryId: string }[])].map(({ entryId }) => entryId);
    expect(ids).toEqual([...new Set(ids)].sort().reverse());
    expect(ids).toHaveLength(6);
    expect((await world.ask('GET', '/v1/admin/audit-trail?operation=readAccount', asOperator)).status).toBe(400);
  });

  it('comes first: what cannot be written down is not done', async () => {
    const away = () => Promise.reject(new Outage('postgres', 'postgres-unavailable', 'away'));
    world = await makeWorld(({ auditTrail }) => ({ auditTrail: { ...auditTrail, add: away } }));
    there = await furnish(world);
    const path = `/v1/admin/accounts/${there.accountId}/commands/suspend`;
    const answer = await world.ask('POST', path, { ...asOperator, key: 'k', body: { reason: 'x' } });
    expect(await refusal(answer)).toEqual([503, 'postgres-unavailable']);
    expect(await said(await world.ask('GET', `/v1/accounts/${there.accountId}`))).toMatchObject({ status: 'open' });
  });

  it('may lack an outcome, which the log then has, and nothing is refused for it', async () => {
    let written = 0;
    world = await makeWorld(({ auditTrail }) => ({
      auditTrail: {
        ...auditTrail,
        add: async (entry) => {
          if (written++ > 0) throw new Outage('postgres', 'postgres-unavailable', 'away');
          await auditTrail.add(entry);
        },
      },
    }));
    expect((await world.ask('GET', '/v1/admin/runs', asOperator)).status).toBe(200);
    const lines = world.lines.filter(({ audit }) => audit === true);
    expect(lines).toMatchObject([{ status: 200, outcome: 'answered' }, { reason: 'postgres-unavailable' }]);
  });

  it('tells of an operation that an outage ended', async () => {
    const away = () => Promise.reject(new Outage('postgres', 'postgres-unavailable', 'away'));
    world = await makeWorld(({ runs }) => ({ runs: { ...runs, list: away } }));
    expect((await world.ask('GET', '/v1/admin/runs', asOperator)).status).toBe(503);
    expect((await entries('?operation=listRuns'))[0]).toMatchObject({ status: 503, outcome: 'postgres-unavailable' });
  });
});
