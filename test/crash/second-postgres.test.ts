import { describe, expect, it } from 'vitest';
import { limits } from '../../src/limits.ts';
import { type PackId, type UserId, tradeIdOf } from '../../src/receipt/ids.ts';
import { by } from '../domain/collector.ts';
import { granted } from '../ledger-fixture.ts';
import { makeCardWorld } from './card-world.ts';
import { makeWorld } from './collector-world.ts';
import { asks } from './world.ts';

describe('a process on a second Postgres', () => {
  it('hears within a minute that a key was rotated, and never signs with the old one after its grace', async () => {
    const world = await makeWorld();
    const { accountId, identityId, bookId, head } = world;
    const here = world.start();
    const there = world.start({ readModel: world.secondary });
    const first = await world.tell(
      asks('save-1'),
      there.commands.save(asks('save-1'), { accountId, bookId }, { state: {}, baseEventId: head }),
    );
    expect(first.ok).toBe(true);
    await world.tell(asks('rotate'), here.commands.rotateKey(asks('rotate'), accountId, identityId));
    there.clock.advance(limits.keyGraceMs * 2);
    if (!first.ok) return;
    const save = { state: {}, baseEventId: first.value.eventId };
    expect(await world.tell(asks('save-2'), there.commands.save(asks('save-2'), { accountId, bookId }, save))).toMatchObject({
      ok: true,
    });
    expect(await world.audit([])).toEqual([]);
  });

  it('hears within a minute that a member was removed', async () => {
    const world = await makeWorld();
    const { accountId, identityId } = world;
    const here = world.start();
    const there = world.start({ readModel: world.secondary });
    const member = { ...asks('x'), userId: 'usr_other' as UserId };
    await here.commands.addMember(asks('add'), accountId, { userId: member.userId, role: 'owner' });
    expect(
      await there.commands.rotateKey({ ...member, idempotencyKey: asks('r1').idempotencyKey }, accountId, identityId),
    ).toMatchObject({ ok: true });
    await here.commands.removeMember(asks('remove'), accountId, member.userId);
    there.clock.advance(limits.authorityTrustMs);
    const refused = await there.commands.rotateKey(
      { ...member, idempotencyKey: asks('r2').idempotencyKey },
      accountId,
      identityId,
    );
    expect(refused).toMatchObject({ ok: false, error: { code: 'not-found' } });
  });
});

it('a process on a second Postgres refuses nothing for want of looking: it accepts what was offered elsewhere a moment ago', async () => {
  const world = await makeCardWorld('offered');
  const { anna, bruno, annas, expiresAt } = world;
  const here = world.start();
  const there = world.start({ readModel: world.secondary });
  const taken = { packId: 'pck_00000000000000000000000000' as PackId };
  expect(await there.commands.openPack(by(anna, 'look'), anna, taken.packId)).toMatchObject({ error: { code: 'pack-missing' } });
  expect(await there.commands.openPack(by(bruno, 'look'), bruno, taken.packId)).toMatchObject({
    error: { code: 'pack-missing' },
  });
  const terms = { to: bruno, give: annas.slice(3, 4), want: { instanceIds: [], cardIds: [] }, expiresAt };
  const offered = granted(await here.commands.offerTrade(by(anna, 'gift-2'), anna, terms));
  const offer = { accountId: anna.accountId, bookId: anna.bookId, tradeId: tradeIdOf(offered.eventId) };
  const accepted = granted(await there.commands.acceptTrade(by(bruno, 'accept'), offer, { ...bruno, give: [] }));
  expect(await here.commands.acceptTrade(by(bruno, 'accept'), offer, { ...bruno, give: [] })).toMatchObject({
    ok: true,
    value: { eventId: accepted.eventId, replayed: true },
  });
});
