import { limits } from '../../limits.ts';
import { type AccountId, type IdentityId, OPERATOR_ACCOUNT_ID, OPERATOR_IDENTITY_ID } from '../../receipt/ids.ts';
import { type Result, err, ok } from '../../result.ts';
import type { AccountCommand } from './command.ts';
import { decideInvitation } from './decide-invitation.ts';
import type { AccountEvent, Role } from './event.ts';
import type { AccountState, Identity } from './evolve.ts';
import type { AccountRefusal } from './refusal.ts';
import { roleFits, topRoleIn } from './role.ts';

type Decision = Result<AccountEvent, AccountRefusal>;

/** The event a command leads to, or why not. Pure: time, ids and keys are in the command. */
export const decideAccount = (accountId: AccountId, state: AccountState, command: AccountCommand): Decision => {
  if (command.type === 'create-account' || command.type === 'initialise-operator') return create(state, command);
  if (state.status === 'absent') return refuse('account-missing', 'there is no such account');
  if (state.status === 'closed') return refuse('account-closed', 'the account is closed; its history stays readable');
  if (command.type === 'suspend-account' || command.type === 'resume-account' || command.type === 'change-plan')
    return decideStanding(accountId, state, command);
  if (state.status === 'suspended') return refuse('account-suspended', 'the account is suspended; its history stays readable');
  switch (command.type) {
    case 'invite-member':
    case 'accept-invitation':
    case 'withdraw-invitation':
      return decideInvitation(accountId, state, command);
    case 'add-member':
    case 'change-member-role':
    case 'remove-member':
      return decideMember(accountId, state, command);
    case 'create-identity':
    case 'rotate-key':
    case 'revoke-identity':
      return decideIdentity(state, command);
    case 'close-account':
      return accountId === OPERATOR_ACCOUNT_ID
        ? refuse('role-not-allowed', 'the operator’s account cannot be closed')
        : ok({ type: 'ACCOUNT_CLOSED', payload: { by: command.by } });
  }
};

const create = (
  state: AccountState,
  command: Extract<AccountCommand, { type: 'create-account' | 'initialise-operator' }>,
): Decision => {
  if (state.status !== 'absent') return refuse('account-exists', 'the account exists already');
  if (command.type === 'create-account') return ok({ type: 'ACCOUNT_CREATED', payload: { owner: { userId: command.owner } } });
  const { identityId, publicKey } = command;
  return ok({ type: 'ACCOUNT_CREATED', payload: { operator: { identityId, publicKey, keyGeneration: 1 } } });
};

type MemberCommand = Extract<AccountCommand, { type: 'add-member' | 'change-member-role' | 'remove-member' }>;

const decideMember = (accountId: AccountId, state: AccountState, command: MemberCommand): Decision => {
  const { userId, by } = command;
  const current = state.members.get(userId);
  if (command.type === 'add-member') {
    if (current !== undefined) return refuse('member-exists', 'the user is a member already; change the role instead');
    if (state.members.size >= limits.membersPerAccount)
      return refuse('too-many-members', `an account has at most ${limits.membersPerAccount} members`);
  } else {
    if (current === undefined) return refuse('member-missing', 'the user is not a member of this account');
    const stays = command.type === 'change-member-role' && command.role === current;
    if (!stays && holdsAlone(state, current, accountId))
      return refuse('last-owner', 'the account would be left without an owner');
  }
  if (command.type === 'remove-member') return ok({ type: 'MEMBER_REMOVED', payload: { userId, by } });
  const { role } = command;
  if (!roleFits(accountId, role)) return refuse('role-not-allowed', `there is no role ${role} in this account`);
  return command.type === 'add-member'
    ? ok({ type: 'MEMBER_ADDED', payload: { userId, role, by } })
    : ok({ type: 'MEMBER_ROLE_CHANGED', payload: { userId, role, by } });
};

const holdsAlone = (state: AccountState, role: Role, accountId: AccountId): boolean =>
  role === topRoleIn(accountId) && [...state.members.values()].filter((other) => other === role).length === 1;

type StandingCommand = Extract<AccountCommand, { type: 'suspend-account' | 'resume-account' | 'change-plan' }>;

/** What operators say of an account. Of their own they say nothing: nobody could resume it. */
const decideStanding = (accountId: AccountId, { status, plan }: AccountState, command: StandingCommand): Decision => {
  const { by } = command;
  if (accountId === OPERATOR_ACCOUNT_ID)
    return refuse('role-not-allowed', 'the operator’s account has neither plan nor suspension');
  switch (command.type) {
    case 'suspend-account':
      return status === 'suspended'
        ? refuse('account-suspended', 'the account is suspended already')
        : ok({ type: 'ACCOUNT_SUSPENDED', payload: { reason: command.reason, by } });
    case 'resume-account':
      return status === 'suspended'
        ? ok({ type: 'ACCOUNT_RESUMED', payload: { by } })
        : refuse('account-not-suspended', 'the account is not suspended');
    case 'change-plan':
      return plan === command.plan
        ? refuse('plan-unchanged', `the account has the plan ${plan} already`)
        : ok({ type: 'ACCOUNT_PLAN_CHANGED', payload: { plan: command.plan, by } });
  }
};

type IdentityCommand = Extract<AccountCommand, { type: 'create-identity' | 'rotate-key' | 'revoke-identity' }>;

const decideIdentity = (state: AccountState, command: IdentityCommand): Decision => {
  const { identityId, by } = command;
  if (command.type === 'create-identity') {
    const { publicKey, controller } = command;
    if (state.identities.has(identityId)) return refuse('identity-exists', 'the identity exists already');
    if (state.identities.size >= limits.identitiesPerAccount)
      return refuse('too-many-identities', `an account has at most ${limits.identitiesPerAccount} identities`);
    if (!state.members.has(controller)) return refuse('member-missing', 'the controller is not a member of this account');
    return ok({ type: 'IDENTITY_CREATED', payload: { identityId, publicKey, keyGeneration: 1, controller, by } });
  }
  const identity = activeIdentity(state, identityId);
  if (!identity.ok) return identity;
  if (command.type === 'revoke-identity')
    return identityId === OPERATOR_IDENTITY_ID
      ? refuse('operator-identity-fixed', 'the operator’s identity cannot be revoked; rotate its key instead')
      : ok({ type: 'IDENTITY_REVOKED', payload: { identityId, keyGeneration: identity.value.keyGeneration, by } });
  const keyGeneration = identity.value.keyGeneration + 1;
  if (keyGeneration > limits.keyGenerationsPerIdentity)
    return refuse('too-many-keys', `an identity has at most ${limits.keyGenerationsPerIdentity} keys`);
  return ok({ type: 'IDENTITY_KEY_ROTATED', payload: { identityId, publicKey: command.publicKey, keyGeneration, by } });
};

/** The identity, if it may still sign. */
export const activeIdentity = (state: AccountState, identityId: IdentityId): Result<Identity, AccountRefusal> => {
  const identity = state.identities.get(identityId);
  if (identity === undefined) return refuse('identity-missing', 'there is no such identity in this account');
  if (identity.status === 'revoked') return refuse('identity-revoked', 'the identity is revoked; its history stays readable');
  return ok(identity);
};

const refuse = (code: AccountRefusal['code'], detail: string): Result<never, AccountRefusal> => err({ code, detail });
