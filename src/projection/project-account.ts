import { publicKeyIdOf } from '../receipt/hash.ts';
import type { AccountId, IdentityId, Instant } from '../receipt/ids.ts';
import type { StreamOf } from '../receipt/stream.ts';
import type { AccountEvent } from '../stream/account/event.ts';
import type { RowChange } from './row-change.ts';

/** What a receipt of an account changes. `position` and `at` are the receipt's: they bound the time its keys are good for. */
export const accountChanges = (
  { accountId: account_id }: StreamOf<'account'>,
  event: AccountEvent,
  position: number,
  at: Instant,
): readonly RowChange[] => {
  switch (event.type) {
    case 'ACCOUNT_CREATED':
      return newAccount(account_id, event, position, at);
    case 'ACCOUNT_CLOSED':
      return [{ op: 'update', table: 'accounts', key: { account_id }, set: { status: 'closed', closed_at: at } }];
    case 'ACCOUNT_SUSPENDED':
    case 'ACCOUNT_RESUMED':
    case 'ACCOUNT_PLAN_CHANGED':
      return standingChanges(account_id, event, at);
    case 'MEMBER_INVITED':
    case 'INVITATION_ACCEPTED':
    case 'INVITATION_WITHDRAWN':
      return invitationChanges(account_id, event, at);
    case 'MEMBER_ADDED':
      return [memberRow(account_id, event.payload.userId, event.payload.role, at)];
    case 'MEMBER_ROLE_CHANGED': {
      const { userId: user_id, role } = event.payload;
      return [{ op: 'update', table: 'account_members', key: { account_id, user_id }, set: { role } }];
    }
    case 'MEMBER_REMOVED':
      return [{ op: 'delete', table: 'account_members', key: { account_id, user_id: event.payload.userId } }];
    case 'IDENTITY_CREATED':
      return newIdentity(account_id, event.payload, position, at);
    case 'IDENTITY_KEY_ROTATED': {
      const { identityId: identity_id, publicKey: public_key, keyGeneration: key_generation } = event.payload;
      const set = { public_key, public_key_id: publicKeyIdOfText(public_key), key_generation };
      return [
        { op: 'update', table: 'identities', key: { identity_id }, set },
        endedKey(event.payload.identityId, key_generation - 1, position, at),
        keyRow(account_id, event.payload, position, at),
      ];
    }
    case 'IDENTITY_REVOKED': {
      const { identityId: identity_id, keyGeneration } = event.payload;
      return [
        { op: 'update', table: 'identities', key: { identity_id }, set: { status: 'revoked', revoked_at: at } },
        endedKey(event.payload.identityId, keyGeneration, position, at),
      ];
    }
  }
};

const newAccount = (
  account_id: AccountId,
  { payload }: Extract<AccountEvent, { type: 'ACCOUNT_CREATED' }>,
  position: number,
  at: Instant,
): readonly RowChange[] => {
  const standing = { status: 'open', plan: 'free', closed_at: null, suspended_at: null, suspension_reason: null };
  const account: RowChange = { op: 'insert', table: 'accounts', row: { account_id, created_at: at, ...standing } };
  return 'owner' in payload
    ? [account, memberRow(account_id, payload.owner.userId, 'owner', at)]
    : [account, ...newIdentity(account_id, { ...payload.operator, controller: null }, position, at)];
};

type StandingEvent = Extract<AccountEvent, { type: 'ACCOUNT_SUSPENDED' | 'ACCOUNT_RESUMED' | 'ACCOUNT_PLAN_CHANGED' }>;

const standingChanges = (account_id: AccountId, event: StandingEvent, at: Instant): readonly RowChange[] => {
  switch (event.type) {
    case 'ACCOUNT_SUSPENDED': {
      const set = { status: 'suspended', suspended_at: at, suspension_reason: event.payload.reason };
      return [{ op: 'update', table: 'accounts', key: { account_id }, set }];
    }
    case 'ACCOUNT_RESUMED': {
      const set = { status: 'open', suspended_at: null, suspension_reason: null };
      return [{ op: 'update', table: 'accounts', key: { account_id }, set }];
    }
    case 'ACCOUNT_PLAN_CHANGED':
      return [{ op: 'update', table: 'accounts', key: { account_id }, set: { plan: event.payload.plan } }];
  }
};

type InvitationEvent = Extract<AccountEvent, { type: 'MEMBER_INVITED' | `INVITATION_${string}` }>;

const invitationChanges = (account_id: AccountId, event: InvitationEvent, at: Instant): readonly RowChange[] => {
  switch (event.type) {
    case 'MEMBER_INVITED': {
      const { invitationId: invitation_id, role, expiresAt: expires_at, by: invited_by } = event.payload;
      const row = { invitation_id, account_id, role, invited_by, created_at: at, expires_at };
      return [{ op: 'insert', table: 'account_invitations', row }];
    }
    case 'INVITATION_ACCEPTED':
      return [
        { op: 'delete', table: 'account_invitations', key: { invitation_id: event.payload.invitationId } },
        memberRow(account_id, event.payload.userId, event.payload.role, at),
      ];
    case 'INVITATION_WITHDRAWN':
      return [{ op: 'delete', table: 'account_invitations', key: { invitation_id: event.payload.invitationId } }];
  }
};

type NewKey = { readonly identityId: IdentityId; readonly publicKey: string; readonly keyGeneration: number };

const memberRow = (account_id: AccountId, user_id: string, role: string, since: Instant): RowChange => ({
  op: 'insert',
  table: 'account_members',
  row: { account_id, user_id, role, since },
});

const newIdentity = (
  account_id: AccountId,
  identity: NewKey & { readonly controller: string | null },
  position: number,
  at: Instant,
): readonly RowChange[] => [
  {
    op: 'insert',
    table: 'identities',
    row: {
      identity_id: identity.identityId,
      account_id,
      status: 'active',
      controller: identity.controller,
      public_key_id: publicKeyIdOfText(identity.publicKey),
      public_key: identity.publicKey,
      key_generation: identity.keyGeneration,
      created_at: at,
      revoked_at: null,
    },
  },
  keyRow(account_id, identity, position, at),
];

const keyRow = (account_id: AccountId, key: NewKey, position: number, at: Instant): RowChange => ({
  op: 'insert',
  table: 'identity_keys',
  row: {
    identity_id: key.identityId,
    key_generation: key.keyGeneration,
    account_id,
    public_key_id: publicKeyIdOfText(key.publicKey),
    public_key: key.publicKey,
    from_position: position,
    valid_from: at,
    until_position: null,
    valid_until: null,
  },
});

const endedKey = (identity_id: IdentityId, key_generation: number, position: number, at: Instant): RowChange => ({
  op: 'update',
  table: 'identity_keys',
  key: { identity_id, key_generation },
  set: { until_position: position, valid_until: at },
});

const publicKeyIdOfText = (publicKey: string): string => publicKeyIdOf(Buffer.from(publicKey, 'base64'));
