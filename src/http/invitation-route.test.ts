import { beforeEach, describe, expect, it } from 'vitest';
import { ADA, EVE, type World, furnish, makeWorld, refusal, said } from './ledger.fixture.ts';

const ANYONE = 'usr_zoe';

describe('an invitation', () => {
  let world: World;
  let accountId: string;
  beforeEach(async () => {
    world = await makeWorld();
    ({ accountId } = await furnish(world));
  });
  const invitations = () => `/v1/accounts/${accountId}/invitations`;
  const invite = async (role = 'viewer', key = 'invite-1') =>
    said(await world.ask('POST', invitations(), { key, body: { role } })) as Promise<{ invitationId: string; secret: string }>;
  const accept = (invitationId: string, secret: string, as = EVE, key = 'accept-1') =>
    world.ask('POST', `${invitations()}/${invitationId}/commands/accept`, { as, key, body: { secret } });
  const reads = async (as: string) => (await world.ask('GET', `/v1/accounts/${accountId}`, { as })).status;

  it('makes whoever shows its secret a member, at once and in its role', async () => {
    const { invitationId, secret } = await invite();
    expect(await reads(EVE)).toBe(404);
    expect((await accept(invitationId, secret)).status).toBe(201);
    expect(await reads(EVE)).toBe(200);
    const { data } = await said(await world.ask('GET', `/v1/accounts/${accountId}/members`));
    expect(data).toContainEqual(expect.objectContaining({ userId: EVE, role: 'viewer' }));
    expect(await said(await world.ask('GET', invitations()))).toMatchObject({ data: [] });
  });

  it('is listed without its secret, for those who keep the account alone', async () => {
    const { invitationId, secret } = await invite();
    const answer = await world.ask('GET', invitations());
    const text = await answer.text();
    expect(JSON.parse(text)).toMatchObject({ data: [{ invitationId, role: 'viewer', invitedBy: ADA }] });
    expect(text).not.toContain(secret);
    expect(await refusal(await world.ask('GET', invitations(), { as: EVE }))).toEqual([404, 'not-found']);
    await accept(invitationId, secret);
    expect(await refusal(await world.ask('GET', invitations(), { as: EVE }))).toEqual([403, 'forbidden']);
  });

  it('shows its secret again to who repeats the request, and keeps it nowhere', async () => {
    const first = await invite();
    expect(await invite()).toEqual(first);
    const stored = [...world.objects.values()].map((bytes) => Buffer.from(bytes).toString());
    expect(stored.filter((text) => text.includes(first.invitationId))).toHaveLength(1);
    expect(stored.filter((text) => text.includes(first.secret))).toEqual([]);
    expect(JSON.stringify(world.lines)).not.toContain(first.secret);
  });

  it('is for one user, who may repeat it', async () => {
    const { invitationId, secret } = await invite();
    await accept(invitationId, secret);
    const again = await accept(invitationId, secret);
    expect([again.status, again.headers.get('idempotency-replayed')]).toEqual([201, 'true']);
    expect(await refusal(await accept(invitationId, secret, ANYONE, 'accept-2'))).toEqual([410, 'invitation-over']);
  });

  it('that was withdrawn is over', async () => {
    const { invitationId, secret } = await invite();
    const path = `${invitations()}/${invitationId}/commands/withdraw`;
    expect(await refusal(await world.ask('POST', path, { as: EVE, key: 'w' }))).toEqual([404, 'not-found']);
    expect((await world.ask('POST', path, { key: 'w' })).status).toBe(201);
    expect(await refusal(await accept(invitationId, secret))).toEqual([410, 'invitation-over']);
  });

  it('looks the same to whoever does not know its secret as one that does not exist', async () => {
    const { invitationId, secret } = await invite();
    const missing = 'inv_01JZ0000000000000000000000';
    const cases = [accept(invitationId, 'wrong'), accept(invitationId, secret.toLowerCase()), accept(missing, secret)];
    const masked = async (answer: Response) => {
      const { requestId: _r, traceId: _t, instance: _i, ...body } = await said(answer);
      return [answer.status, body];
    };
    const [first, ...others] = await Promise.all(cases.map(async (asked) => masked(await asked)));
    expect(first?.[0]).toBe(404);
    for (const other of others) expect(other).toEqual(first);
  });
});

describe('a member', () => {
  it('leaves by itself, takes out nobody else, and is out at once', async () => {
    const world = await makeWorld();
    const { accountId } = await furnish(world);
    const members = `/v1/accounts/${accountId}/members`;
    await world.ask('POST', members, { key: 'add', body: { userId: EVE, role: 'viewer' } });
    const remove = (userId: string, key: string) => world.ask('POST', `${members}/${userId}/commands/remove`, { as: EVE, key });
    expect(await refusal(await remove(ADA, 'r1'))).toEqual([403, 'forbidden']);
    expect((await remove(EVE, 'r2')).status).toBe(201);
    expect(await refusal(await world.ask('GET', members, { as: EVE }))).toEqual([404, 'not-found']);
    expect(await refusal(await remove(EVE, 'r2'))).toEqual([404, 'not-found']);
  });
});
