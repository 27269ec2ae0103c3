import { beforeEach, describe, expect, it } from 'vitest';
import { type Process, type World, asks, newGround, worldOn } from '../../test/crash/world.ts';
import { granted } from '../../test/ledger-fixture.ts';
import { OPERATOR_ACCOUNT_ID, type UserId } from '../receipt/ids.ts';
import { ok } from '../result.ts';
import { ensureOperator } from './ensure-operator.ts';

const ada = 'usr_ada' as UserId;
const bea = 'usr_bea' as UserId;

let world: World;
let process: Process;
beforeEach(async () => {
  world = worldOn(await newGround());
  process = world.start();
});
const receiptsOf = ({ objects }: World): number =>
  [...objects.keys()].filter((key) => key.includes('/acc_operator/events/')).length;

describe('an operator that the configuration names', () => {
  it('is made one at the first start, and at no other', async () => {
    expect(await ensureOperator(process.ports, ada)).toEqual(ok('added'));
    expect(await ensureOperator(process.ports, ada)).toEqual(ok('member'));
    expect(await ensureOperator(world.start().ports, ada)).toEqual(ok('member'));
    expect(receiptsOf(world)).toBe(2);
    granted(await process.commands.addMember(asks('issuer', ada), OPERATOR_ACCOUNT_ID, { userId: bea, role: 'issuer' }));
    expect(await world.audit([world.primary])).toEqual([]);
  });

  it('is made one by many processes that start at once, on Postgreses of their own too', async () => {
    const starts = [process, world.start(), world.start({ readModel: world.secondary })];
    const answers = (await Promise.all(starts.map(({ ports }) => ensureOperator(ports, ada)))).map(granted);
    expect(answers.filter((answer) => answer === 'added')).toHaveLength(1);
    expect(receiptsOf(world)).toBe(2);
  });

  it('stays what the operators made of them: another role, or nobody', async () => {
    for (const userId of [ada, bea]) granted(await ensureOperator(process.ports, userId));
    const bySelf = (key: string) => asks(key, ada);
    granted(await process.commands.changeMemberRole(bySelf('role'), OPERATOR_ACCOUNT_ID, { userId: bea, role: 'issuer' }));
    expect(await ensureOperator(process.ports, bea)).toEqual(ok('member'));
    granted(await process.commands.removeMember(bySelf('remove'), OPERATOR_ACCOUNT_ID, bea));
    const before = receiptsOf(world);
    expect(await ensureOperator(process.ports, bea)).toEqual(ok('removed'));
    expect(receiptsOf(world)).toBe(before);
    granted(await process.commands.addMember(bySelf('again'), OPERATOR_ACCOUNT_ID, { userId: bea, role: 'operator' }));
    expect(await ensureOperator(process.ports, bea)).toEqual(ok('member'));
  });
});
