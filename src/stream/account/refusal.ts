import type { Refusal } from '../refusal.ts';

/** Why a command is refused by the rules of an account. */
export type AccountRefusal = Refusal<
  | 'account-exists'
  | 'account-missing'
  | 'account-closed'
  | 'account-suspended'
  | 'account-not-suspended'
  | 'invitation-over'
  | 'invitation-exists'
  | 'too-many-invitations'
  | 'plan-unchanged'
  | 'member-exists'
  | 'member-missing'
  | 'last-owner'
  | 'role-not-allowed'
  | 'too-many-members'
  | 'identity-exists'
  | 'identity-missing'
  | 'identity-revoked'
  | 'too-many-identities'
  | 'too-many-keys'
  | 'operator-identity-fixed'
>;
