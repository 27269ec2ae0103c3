import type { IdentityId, Instant, InvitationId, UserId } from '../../receipt/ids.ts';
import { type Result, err, ok } from '../../result.ts';
import type { IllegalEvent } from '../refusal.ts';
import { transitionsOf } from '../transition.ts';
import type { AccountEvent, Plan, Role } from './event.ts';

/** An identity of the account. `keyGeneration` counts its keys from 1; `publicKey` is base64 of the current SPKI DER. */
export type Identity = {
  readonly status: 'active' | 'revoked';
  readonly publicKey: string;
  readonly keyGeneration: number;
  readonly controller: UserId | null;
};

/** An invitation that was neither accepted nor withdrawn. */
export type Invitation = { readonly role: Role; readonly expiresAt: Instant };

export const accountStatuses = ['open', 'suspended', 'closed'] as const;

/** What the rules of an account need to know of it. Members that were removed are not in `members`, nor ended invitations in theirs. */
export type AccountState = {
  readonly status: 'absent' | (typeof accountStatuses)[number];
  readonly plan: Plan;
  readonly invitations: ReadonlyMap<InvitationId, Invitation>;
  readonly members: ReadonlyMap<UserId, Role>;
  readonly identities: ReadonlyMap<IdentityId, Identity>;
};

export const noAccount: AccountState = {
  status: 'absent',
  plan: 'free',
  members: new Map(),
  identities: new Map(),
  invitations: new Map(),
};

const statusAfter = transitionsOf<AccountState['status'], AccountEvent['type']>({
  absent: { ACCOUNT_CREATED: 'open' },
  open: {
    MEMBER_ADDED: 'open',
    MEMBER_ROLE_CHANGED: 'open',
    MEMBER_REMOVED: 'open',
    MEMBER_INVITED: 'open',
    INVITATION_ACCEPTED: 'open',
    INVITATION_WITHDRAWN: 'open',
    IDENTITY_CREATED: 'open',
    IDENTITY_KEY_ROTATED: 'open',
    IDENTITY_REVOKED: 'open',
    ACCOUNT_SUSPENDED: 'suspended',
    ACCOUNT_PLAN_CHANGED: 'open',
    ACCOUNT_CLOSED: 'closed',
  },
  suspended: { ACCOUNT_RESUMED: 'open', ACCOUNT_PLAN_CHANGED: 'suspended' },
  closed: {},
});

/** The state after an event. Errors: `illegal-event` when no state of ours could have led to it. */
export const evolveAccount = (state: AccountState, event: AccountEvent): Result<AccountState, IllegalEvent> => {
  const status = statusAfter(state.status, event.type);
  if (status === null) return illegal(event, `the account is ${state.status}`);
  switch (event.type) {
    case 'ACCOUNT_CREATED':
      return ok(created(event));
    case 'MEMBER_ADDED':
      return state.members.has(event.payload.userId)
        ? illegal(event, 'the user is a member already')
        : ok({ ...state, members: replaced(state.members, event.payload.userId, event.payload.role) });
    case 'MEMBER_ROLE_CHANGED':
      return state.members.has(event.payload.userId)
        ? ok({ ...state, members: replaced(state.members, event.payload.userId, event.payload.role) })
        : illegal(event, 'the user is not a member');
    case 'MEMBER_REMOVED': {
      const members = new Map(state.members);
      return members.delete(event.payload.userId) ? ok({ ...state, members }) : illegal(event, 'the user is not a member');
    }
    case 'MEMBER_INVITED':
    case 'INVITATION_ACCEPTED':
    case 'INVITATION_WITHDRAWN':
      return evolveInvitation(state, event);
    case 'ACCOUNT_PLAN_CHANGED':
      return ok({ ...state, plan: event.payload.plan });
    case 'ACCOUNT_SUSPENDED':
    case 'ACCOUNT_RESUMED':
    case 'ACCOUNT_CLOSED':
      return ok({ ...state, status });
    default:
      return evolveIdentity(state, event);
  }
};

type InvitationEvent = Extract<AccountEvent, { type: 'MEMBER_INVITED' | `INVITATION_${string}` }>;

const evolveInvitation = (state: AccountState, event: InvitationEvent): Result<AccountState, IllegalEvent> => {
  const { invitationId } = event.payload;
  const invitation = state.invitations.get(invitationId);
  if (event.type === 'MEMBER_INVITED') {
    const { role, expiresAt } = event.payload;
    return invitation === undefined
      ? ok({ ...state, invitations: replaced(state.invitations, invitationId, { role, expiresAt }) })
      : illegal(event, 'the invitation exists');
  }
  if (invitation === undefined) return illegal(event, 'no such invitation');
  const invitations = new Map(state.invitations);
  invitations.delete(invitationId);
  if (event.type === 'INVITATION_WITHDRAWN') return ok({ ...state, invitations });
  const { userId, role } = event.payload;
  return role === invitation.role && !state.members.has(userId)
    ? ok({ ...state, invitations, members: replaced(state.members, userId, role) })
    : illegal(event, 'another role than the invitation’s, or a member already');
};

type IdentityEvent = Extract<AccountEvent, { type: `IDENTITY_${string}` }>;

const evolveIdentity = (state: AccountState, event: IdentityEvent): Result<AccountState, IllegalEvent> => {
  const { identityId } = event.payload;
  const identity = state.identities.get(identityId);
  const put = (next: Identity): Result<AccountState, IllegalEvent> =>
    ok({ ...state, identities: replaced(state.identities, identityId, next) });
  switch (event.type) {
    case 'IDENTITY_CREATED': {
      const { publicKey, keyGeneration, controller } = event.payload;
      return identity === undefined && keyGeneration === 1
        ? put({ status: 'active', publicKey, keyGeneration, controller })
        : illegal(event, 'the identity exists, or its first key is not generation 1');
    }
    case 'IDENTITY_KEY_ROTATED': {
      const { publicKey, keyGeneration } = event.payload;
      return identity?.status === 'active' && keyGeneration === identity.keyGeneration + 1
        ? put({ ...identity, publicKey, keyGeneration })
        : illegal(event, 'no active identity with the generation before');
    }
    case 'IDENTITY_REVOKED':
      return identity?.status === 'active' && event.payload.keyGeneration === identity.keyGeneration
        ? put({ ...identity, status: 'revoked' })
        : illegal(event, 'no active identity with this generation');
  }
};

const created = ({ payload }: Extract<AccountEvent, { type: 'ACCOUNT_CREATED' }>): AccountState => {
  if ('owner' in payload) return { ...noAccount, status: 'open', members: new Map([[payload.owner.userId, 'owner']]) };
  const { identityId, publicKey, keyGeneration } = payload.operator;
  const operator: Identity = { status: 'active', publicKey, keyGeneration, controller: null };
  return { ...noAccount, status: 'open', identities: new Map([[identityId, operator]]) };
};

const replaced = <K, V>(map: ReadonlyMap<K, V>, key: K, value: V): ReadonlyMap<K, V> => new Map(map).set(key, value);

const illegal = (event: AccountEvent, why: string): Result<never, IllegalEvent> =>
  err({ code: 'illegal-event', detail: `${event.type}: ${why}` });
