import { beforeAll, describe, expect, it } from 'vitest';
import { type Crowd, GUEST, ISSUER, MEMBER, NEIGHBOUR, OWNER, PARTNER, VIEWER, makeCrowd } from './crowded.fixture.ts';
import { OPERATOR, type World, keyOf, refusal, said } from './ledger.fixture.ts';
import { type Described, operationsOf, pathOf, plausible, rowOf } from './plausible.fixture.ts';
import { signedUp } from './signed-up.fixture.ts';

/** An Idempotency-Key opens nothing: whoever shows somebody else's is told what they would be told with a new one. */

const commands = (await operationsOf()).filter(({ isCommand }) => isCommand);

const doerOf = (operation: Described): string => {
  const who = rowOf(operation)?.who ?? 'anyone';
  if (who === 'operator') return OPERATOR;
  if (who === 'issuer' || who === 'orderer') return ISSUER;
  if (who === 'invited') return 'usr_newcomer';
  return who === 'signer' || who === 'collector' ? MEMBER : OWNER;
};

const others = [
  ['nobody', null],
  ['a stranger', GUEST],
  ['a neighbour', NEIGHBOUR],
  ['the partner', PARTNER],
  ['a viewer', VIEWER],
  ['an API key without the scope', keyOf(OWNER)],
] as const;

/** What an answer says, but for what is of the request, and of the moment. */
const told = async (answer: Response) => {
  const { requestId: _r, traceId: _t, ...body } = await said(answer);
  const fields = [...answer.headers].filter(([name]) => !['x-request-id', 'content-length', 'etag', 'location'].includes(name));
  return { status: answer.status, fields, code: body.code, detail: body.detail };
};

describe('the Idempotency-Key of somebody else', () => {
  let crowd: Crowd;
  beforeAll(async () => {
    crowd = await makeCrowd(signedUp);
  });

  const KEY = 'the-key-of-the-first';

  it.each(commands.map((operation) => [operation.id, operation] as const))('reveals nothing of %s', async (_id, operation) => {
    const world = await crowd.world.copy();
    const isIssuer = [ISSUER, OPERATOR].includes(doerOf(operation));
    const { body } = plausible(crowd, operation, { isIssuer });
    const ask = (as: string | null, key: string, where: World = world, sent: unknown = body) =>
      where.ask(operation.method, pathOf(crowd, operation), { as, key, body: sent });
    const first = await ask(doerOf(operation), KEY);
    expect(first.status).toBeLessThan(300);
    const who = rowOf(operation)?.who;
    // Whoever has the secret of an invitation may use it: to the others it is not there.
    const asked = who === 'invited' ? { secret: '0'.repeat(26) } : body;
    // What some of the others may do themselves is asked twice in the same world: in copies of it.
    const there = who === 'user' ? () => world.copy() : () => Promise.resolve(world);
    const { eventId } = await said(first);
    for (const [name, as] of others) {
      const seen = await ask(as, KEY, await there(), asked);
      const fresh = await ask(as, 'a-fresh-key', await there(), asked);
      const text = await seen.clone().text();
      expect([name, seen.headers.get('idempotency-replayed')]).toEqual([name, null]);
      if (typeof eventId === 'string') expect([name, text]).toEqual([name, expect.not.stringContaining(eventId)]);
      expect([name, await told(seen)]).toEqual([name, await told(fresh)]);
    }
  });

  it('nor does one’s own, once one was removed', async () => {
    const world = await crowd.world.copy();
    const operation = commands.find(({ id }) => id === 'savePixbook');
    if (operation === undefined) throw new Error('no such operation');
    const save = (key: string) =>
      world.ask('POST', pathOf(crowd, operation), { as: MEMBER, key, body: plausible(crowd, operation).body });
    expect((await save('mine')).status).toBe(201);
    const again = await save('mine');
    expect([again.status, again.headers.get('idempotency-replayed')]).toEqual([201, 'true']);
    const remove = `/v1/accounts/${crowd.accountId}/members/${MEMBER}/commands/remove`;
    expect((await world.ask('POST', remove, { as: OWNER, key: 'out' })).status).toBe(201);
    const after = await save('mine');
    expect(after.headers.get('idempotency-replayed')).toBeNull();
    expect(await refusal(after)).toEqual([404, 'not-found']);
    expect(await refusal(await save('a-fresh-key'))).toEqual([404, 'not-found']);
  });
});
