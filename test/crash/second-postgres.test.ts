import { describe, expect, it } from 'vitest';
import { limits } from '../../src/limits.ts';
import type { UserId } from '../../src/receipt/ids.ts';
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
