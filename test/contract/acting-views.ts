import { expect, it } from 'vitest';
import type { Actor, ReadModel } from '../../src/port/read-model.ts';
import { OPERATOR_ACCOUNT_ID, accountIdFor } from '../../src/receipt/ids.ts';
import { eventOf } from '../../src/stream/event.ts';
import { granted, userId } from '../ledger-fixture.ts';
import { liveBookIn } from '../ledger-state.ts';
import type { WholeStory } from '../whole-story.ts';
import { FRESH_KEY, streamsOf, viewOf } from './read-model-under-test.ts';

/** Views of whoever acts, of a read model to which the whole story is applied. */
export const describeActing = (of: () => { readonly model: ReadModel; readonly story: WholeStory }): void => {
  const annasIdentity = () => liveBookIn(of().story.ledger, of().story.annas).identityId;
  const revoked = () => {
    const found = of().story.ledger.receipts.find(({ receipt }) => receipt.type === 'IDENTITY_REVOKED')?.receipt;
    const event = found && granted(eventOf(found));
    if (found?.stream.type !== 'account' || event?.type !== 'IDENTITY_REVOKED') throw new RangeError('nobody was revoked');
    return { accountId: found.stream.accountId, identityId: event.payload.identityId };
  };
  const actors: readonly [string, string, () => Actor, object][] = [
    [
      'an issuer',
      'iris',
      () => ({ accountId: OPERATOR_ACCOUNT_ID, identityId: of().story.issuer }),
      { accountStatus: 'open', role: 'issuer', identity: { status: 'active', controller: 'iris', keyGeneration: 1 } },
    ],
    [
      'a partner, whose key was handed over',
      'anna',
      () => ({ accountId: of().story.annas.accountId, identityId: annasIdentity() }),
      { accountStatus: 'open', role: 'owner', identity: { status: 'active', keyGeneration: 2 } },
    ],
    [
      'an identity for which somebody else asks',
      'bert',
      () => ({ accountId: of().story.annas.accountId, identityId: annasIdentity() }),
      { accountStatus: 'open', role: null, identity: { controller: 'anna' } },
    ],
    [
      'a revoked identity of a closed account',
      'cleo',
      revoked,
      { accountStatus: 'closed', role: 'owner', identity: { status: 'revoked' } },
    ],
    [
      'an identity of another account than it says',
      'bert',
      () => ({ accountId: of().story.berts.accountId, identityId: annasIdentity() }),
      { accountStatus: 'open', role: 'owner', identity: null },
    ],
    [
      'an identity of an account that is not there',
      'anna',
      () => ({ accountId: accountIdFor(userId('nobody'), FRESH_KEY), identityId: annasIdentity() }),
      { accountStatus: 'absent', role: null, identity: null },
    ],
  ];

  it.each(actors)('show %s as its account’s stream does, whatever the stream', async (_, who, actorOf, shown) => {
    const actor = actorOf();
    for (const stream of streamsOf(of().story.ledger)) {
      const { acting } = await viewOf(of().model, stream, { actor, userId: userId(who) });
      expect(acting).toMatchObject(shown);
      if (acting?.identity) expect(acting.identity).toMatchObject(actor);
    }
  });

  it('show nobody where nobody was asked for, and no role to the service itself', async () => {
    const actor = { accountId: OPERATOR_ACCOUNT_ID, identityId: of().story.issuer };
    for (const stream of streamsOf(of().story.ledger)) {
      expect((await viewOf(of().model, stream, { userId: userId('iris') })).acting).toBeNull();
      expect((await viewOf(of().model, stream, { userId: userId('iris'), actor: null })).acting).toBeNull();
      expect((await viewOf(of().model, stream, { actor })).acting).toMatchObject({ role: null, identity: actor });
    }
  });

  it('show the stream’s own role and identity beside the actor’s', async () => {
    const actor = { accountId: OPERATOR_ACCOUNT_ID, identityId: of().story.issuer };
    const view = await viewOf(of().model, of().story.annas, { userId: userId('anna'), actor });
    expect(view).toMatchObject({ role: 'owner', identity: { identityId: annasIdentity() }, acting: { role: null } });
  });
};
