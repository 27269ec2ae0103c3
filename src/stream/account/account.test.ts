import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { limits } from '../../limits.ts';
import {
  type AccountId,
  type IdentityId,
  type InvitationId,
  OPERATOR_ACCOUNT_ID,
  OPERATOR_IDENTITY_ID,
  type UserId,
  instantOf,
} from '../../receipt/ids.ts';
import type { AccountCommand } from './command.ts';
import { decideAccount } from './decide.ts';
import type { AccountEvent, Role } from './event.ts';
import { type AccountState, evolveAccount, noAccount } from './evolve.ts';

const account = 'acc_01JZ0000000000000000000000' as AccountId;
const [anna, ben, cleo] = ['usr_anna', 'usr_ben', 'usr_cleo'] as UserId[];
const [mia, tom] = ['idn_01JZ0000000000000000000000', 'idn_01JZ0000000000000000000001'] as IdentityId[];
if (!anna || !ben || !cleo || !mia || !tom) throw new Error('unreachable');

/** given … when … then: events so far, a command, the event or the refusal's code. */
const given = (...commands: readonly AccountCommand[]) => ({
  in: (accountId: AccountId) => ({ when: (command: AccountCommand) => outcome(accountId, state(accountId, commands), command) }),
  when: (command: AccountCommand) => outcome(account, state(account, commands), command),
});
const outcome = (accountId: AccountId, before: AccountState, command: AccountCommand) => {
  const decided = decideAccount(accountId, before, command);
  return decided.ok ? decided.value : decided.error.code;
};
const state = (accountId: AccountId, commands: readonly AccountCommand[]): AccountState =>
  commands.reduce((before, command) => {
    const event = decideAccount(accountId, before, command);
    if (!event.ok) throw new Error(`${command.type}: ${event.error.code}`);
    const after = evolveAccount(before, event.value);
    if (!after.ok) throw new Error(after.error.detail);
    return after.value;
  }, noAccount);

const opened: AccountCommand = { type: 'create-account', owner: anna };
const add = (userId: UserId, role: 'owner' | 'member' | 'viewer' | 'issuer' | 'operator'): AccountCommand => ({
  type: 'add-member',
  userId,
  role,
  by: anna,
});
const makes = (identityId: IdentityId, controller: UserId = anna): AccountCommand => ({
  type: 'create-identity',
  identityId,
  publicKey: 'K1',
  controller,
  by: anna,
});
const rotates = (identityId: IdentityId): AccountCommand => ({ type: 'rotate-key', identityId, publicKey: 'K2', by: anna });
const revokes = (identityId: IdentityId): AccountCommand => ({ type: 'revoke-identity', identityId, by: anna });
const removes = (userId: UserId): AccountCommand => ({ type: 'remove-member', userId, by: anna });
const makesRole = (userId: UserId, role: 'owner' | 'viewer' | 'operator'): AccountCommand => ({
  type: 'change-member-role',
  userId,
  role,
  by: anna,
});
const closes: AccountCommand = { type: 'close-account', by: anna };

describe('an account', () => {
  it('is created once, with its owner', () => {
    expect(given().when(opened)).toEqual({ type: 'ACCOUNT_CREATED', payload: { owner: { userId: anna } } });
    expect(given(opened).when(opened)).toBe('account-exists');
  });

  it.each([add(ben, 'member'), removes(ben), makes(mia), rotates(mia), closes])('refuses $type before it exists', (command) => {
    expect(given().when(command)).toBe('account-missing');
  });

  it.each([add(ben, 'member'), removes(anna), makes(mia), rotates(mia), closes])('refuses $type once it is closed', (command) => {
    expect(given(opened, closes).when(command)).toBe('account-closed');
  });

  it('adds, changes and removes members', () => {
    expect(given(opened).when(add(ben, 'viewer'))).toMatchObject({
      type: 'MEMBER_ADDED',
      payload: { userId: ben, role: 'viewer', by: anna },
    });
    expect(given(opened, add(ben, 'viewer')).when(makesRole(ben, 'owner'))).toMatchObject({ type: 'MEMBER_ROLE_CHANGED' });
    expect(given(opened, add(ben, 'viewer')).when(removes(ben))).toMatchObject({ type: 'MEMBER_REMOVED' });
    expect(given(opened, add(ben, 'viewer')).when(add(ben, 'member'))).toBe('member-exists');
    expect(given(opened).when(removes(ben))).toBe('member-missing');
    expect(given(opened).when(makesRole(ben, 'viewer'))).toBe('member-missing');
  });

  it('is never left without an owner', () => {
    expect(given(opened).when(removes(anna))).toBe('last-owner');
    expect(given(opened).when(makesRole(anna, 'viewer'))).toBe('last-owner');
    expect(given(opened, add(ben, 'owner')).when(removes(anna))).toMatchObject({ type: 'MEMBER_REMOVED' });
    expect(given(opened).when(makesRole(anna, 'owner'))).toMatchObject({ type: 'MEMBER_ROLE_CHANGED' });
  });

  it('knows only the roles of its kind', () => {
    expect(given(opened).when(add(ben, 'operator'))).toBe('role-not-allowed');
    expect(given(opened).when(add(ben, 'issuer'))).toBe('role-not-allowed');
    expect(given(genesis).in(OPERATOR_ACCOUNT_ID).when(add(ben, 'issuer'))).toMatchObject({ type: 'MEMBER_ADDED' });
    expect(given(genesis).in(OPERATOR_ACCOUNT_ID).when(add(ben, 'owner'))).toBe('role-not-allowed');
  });

  it('has a limit of members and of identities', () => {
    const crowd = Array.from({ length: limits.membersPerAccount - 1 }, (_, i) => add(`usr_${i}` as UserId, 'viewer'));
    expect(given(opened, ...crowd).when(add(cleo, 'viewer'))).toBe('too-many-members');
    const many = Array.from({ length: limits.identitiesPerAccount }, (_, i) =>
      makes(`idn_01JZ00000000000000000${String(i).padStart(5, '0')}` as IdentityId),
    );
    expect(given(opened, ...many).when(makes('idn_01JZ00000000000000000ZZZZZ' as IdentityId))).toBe('too-many-identities');
  });
});

const genesis: AccountCommand = { type: 'initialise-operator', identityId: OPERATOR_IDENTITY_ID, publicKey: 'K1' };

describe('an identity', () => {
  it('is created once, for a member', () => {
    expect(given(opened).when(makes(mia))).toMatchObject({
      type: 'IDENTITY_CREATED',
      payload: { keyGeneration: 1, controller: anna },
    });
    expect(given(opened, makes(mia)).when(makes(mia))).toBe('identity-exists');
    expect(given(opened).when(makes(mia, cleo))).toBe('member-missing');
  });

  it('gets its next key, and none after it is revoked', () => {
    expect(given(opened, makes(mia)).when(rotates(mia))).toMatchObject({ payload: { keyGeneration: 2, publicKey: 'K2' } });
    expect(given(opened, makes(mia), rotates(mia)).when(revokes(mia))).toMatchObject({ payload: { keyGeneration: 2 } });
    expect(given(opened, makes(mia), revokes(mia)).when(rotates(mia))).toBe('identity-revoked');
    expect(given(opened, makes(mia), revokes(mia)).when(revokes(mia))).toBe('identity-revoked');
    expect(given(opened, makes(mia)).when(rotates(tom))).toBe('identity-missing');
  });

  it('of the operator can be given another key, but not be revoked', () => {
    expect(given(genesis).in(OPERATOR_ACCOUNT_ID).when(rotates(OPERATOR_IDENTITY_ID))).toMatchObject({
      type: 'IDENTITY_KEY_ROTATED',
    });
    expect(given(genesis).in(OPERATOR_ACCOUNT_ID).when(revokes(OPERATOR_IDENTITY_ID))).toBe('operator-identity-fixed');
    expect(given(genesis).in(OPERATOR_ACCOUNT_ID).when(closes)).toBe('role-not-allowed');
  });
});

describe('replaying an account', () => {
  const events: readonly AccountEvent[] = [
    { type: 'ACCOUNT_CREATED', payload: { owner: { userId: anna } } },
    { type: 'MEMBER_ADDED', payload: { userId: ben, role: 'member', by: anna } },
    { type: 'MEMBER_REMOVED', payload: { userId: ben, by: anna } },
    { type: 'IDENTITY_CREATED', payload: { identityId: mia, publicKey: 'K1', keyGeneration: 1, controller: anna, by: anna } },
    { type: 'IDENTITY_KEY_ROTATED', payload: { identityId: mia, publicKey: 'K2', keyGeneration: 2, by: anna } },
    { type: 'IDENTITY_REVOKED', payload: { identityId: mia, keyGeneration: 2, by: anna } },
    { type: 'ACCOUNT_CLOSED', payload: { by: anna } },
  ];
  const replay = (sequence: readonly AccountEvent[]): number => {
    let before = noAccount;
    for (const [index, event] of sequence.entries()) {
      const after = evolveAccount(before, event);
      if (!after.ok) return index;
      before = after.value;
    }
    return sequence.length;
  };

  it('takes the events in the order in which they were decided', () => {
    expect(replay(events)).toBe(events.length);
  });

  it('stops at an event that could not have been decided there', () => {
    for (const [index, event] of events.entries()) {
      expect(replay([...events.slice(0, index + 1), event])).toBe(index + 1);
      if (index > 0) expect(replay([event])).toBe(0);
    }
  });

  it('accepts exactly what decide produces', () => {
    const command = fc.constantFrom(
      opened,
      closes,
      ...[ben, cleo].flatMap((userId) => [
        add(userId, 'member'),
        add(userId, 'owner'),
        removes(userId),
        makesRole(userId, 'viewer'),
      ]),
      ...[mia, tom].flatMap((identityId) => [makes(identityId), rotates(identityId), revokes(identityId)]),
    );
    fc.assert(
      fc.property(fc.array(command, { maxLength: 30 }), (commands) => {
        let before = noAccount;
        for (const each of commands) {
          const decided = decideAccount(account, before, each);
          if (!decided.ok) continue;
          const after = evolveAccount(before, decided.value);
          if (!after.ok) return false;
          before = after.value;
        }
        return true;
      }),
    );
  });
});

describe('an invitation', () => {
  const at = instantOf(Date.UTC(2026, 0, 2));
  const later = (ms: number) => instantOf(Date.UTC(2026, 0, 2) + ms);
  const [first, second] = ['inv_01JZ0000000000000000000000', 'inv_01JZ0000000000000000000001'] as InvitationId[];
  if (!first || !second) throw new Error('unreachable');
  const invites = (invitationId = first, role: Role = 'member'): AccountCommand => ({
    type: 'invite-member',
    invitationId,
    role,
    at,
    by: anna,
  });
  const accepts = (userId = ben, invitationId = first, when = at): AccountCommand => ({
    type: 'accept-invitation',
    invitationId,
    userId,
    at: when,
  });
  const withdraws: AccountCommand = { type: 'withdraw-invitation', invitationId: first, by: anna };

  it('is good for a week, and makes whoever accepts it a member in its role', () => {
    const expiresAt = later(limits.invitationMs);
    expect(given(opened).when(invites())).toMatchObject({ type: 'MEMBER_INVITED', payload: { role: 'member', expiresAt } });
    expect(given(opened, invites()).when(accepts())).toEqual({
      type: 'INVITATION_ACCEPTED',
      payload: { invitationId: first, userId: ben, role: 'member' },
    });
    expect(state(account, [opened, invites(), accepts()]).members.get(ben)).toBe('member');
    expect(given(opened, invites()).when(accepts(ben, first, later(limits.invitationMs - 1)))).toMatchObject({
      type: 'INVITATION_ACCEPTED',
    });
  });

  it.each([
    ['was never made', [opened], accepts()],
    ['is another', [opened, invites(second)], accepts()],
    ['was accepted', [opened, invites(), accepts()], accepts(cleo)],
    ['was withdrawn', [opened, invites(), withdraws], accepts()],
    ['has had its time', [opened, invites()], accepts(ben, first, later(limits.invitationMs))],
    ['was withdrawn, and is withdrawn again', [opened, invites(), withdraws], withdraws],
  ] as const)('that %s is over', (_, before, command) => {
    expect(given(...before).when(command)).toBe('invitation-over');
  });

  it('is refused for a role of another kind of account, for a member, and twice', () => {
    expect(given(opened).when(invites(first, 'operator'))).toBe('role-not-allowed');
    expect(given(opened).in(OPERATOR_ACCOUNT_ID).when(invites(first, 'owner'))).toBe('role-not-allowed');
    expect(given(opened, invites()).when(accepts(anna))).toBe('member-exists');
    expect(given(opened, invites()).when(invites())).toBe('invitation-exists');
  });

  it('is one of a limited number, until one is withdrawn', () => {
    const many = Array.from({ length: limits.invitationsPerAccount }, (_, i) =>
      invites(`inv_01JZ00000000000000000000${String(i).padStart(2, '0')}` as InvitationId),
    );
    const one = 'inv_01JZ0000000000000000000ZZZ' as InvitationId;
    expect(given(opened, ...many).when(invites(one))).toBe('too-many-invitations');
    expect(given(opened, ...many, withdraws).when(invites(one))).toMatchObject({ type: 'MEMBER_INVITED' });
  });

  it.each([
    [
      'accepted that was never made',
      { type: 'INVITATION_ACCEPTED', payload: { invitationId: first, userId: ben, role: 'member' } },
    ],
    ['accepted in another role', { type: 'INVITATION_ACCEPTED', payload: { invitationId: second, userId: ben, role: 'owner' } }],
    ['accepted by a member', { type: 'INVITATION_ACCEPTED', payload: { invitationId: second, userId: anna, role: 'member' } }],
    ['withdrawn that was never made', { type: 'INVITATION_WITHDRAWN', payload: { invitationId: first, by: anna } }],
  ] as const)('%s is no event that can be', (_, event) => {
    expect(evolveAccount(state(account, [opened, invites(second)]), event as AccountEvent)).toMatchObject({ ok: false });
  });
});

describe('what operators say of an account', () => {
  const suspends: AccountCommand = { type: 'suspend-account', reason: 'a stolen card', by: cleo };
  const resumes: AccountCommand = { type: 'resume-account', by: cleo };
  const plan = (name: 'free' | 'pro'): AccountCommand => ({ type: 'change-plan', plan: name, by: cleo });

  it.each([add(ben, 'member'), removes(ben), makes(mia), rotates(mia), revokes(mia), closes])(
    'refuses $type while it is suspended',
    (command) => {
      expect(given(opened, suspends).when(command)).toBe('account-suspended');
    },
  );
  it('lets it go on when it is resumed, as it was', () => {
    expect(given(opened, suspends, resumes).when(add(ben, 'member'))).toMatchObject({ type: 'MEMBER_ADDED' });
    expect(given(opened, suspends).when(suspends)).toBe('account-suspended');
    expect(given(opened).when(resumes)).toBe('account-not-suspended');
    expect(given(opened, suspends, resumes).when(resumes)).toBe('account-not-suspended');
  });
  it('gives it another plan, suspended or not', () => {
    expect(noAccount.plan).toBe('free');
    expect(state(account, [opened, plan('pro')]).plan).toBe('pro');
    expect(state(account, [opened, suspends, plan('pro')])).toMatchObject({ plan: 'pro', status: 'suspended' });
    expect(given(opened).when(plan('free'))).toBe('plan-unchanged');
  });
  it.each([suspends, resumes, plan('pro')])('refuses $type for the operators’ own account, and for a closed one', (command) => {
    expect(given(opened).in(OPERATOR_ACCOUNT_ID).when(command)).toBe('role-not-allowed');
    expect(given(opened, closes).when(command)).toBe('account-closed');
    expect(given().when(command)).toBe('account-missing');
  });
});
