import { z } from 'zod';
import { limits } from '../../limits.ts';
import { parseIdentityId, parseInstant, parseInvitationId, parseUserId } from '../../receipt/ids.ts';
import { branded } from '../branded.ts';

const userId = branded(parseUserId);
const identityId = branded(parseIdentityId);
const invitationId = branded(parseInvitationId);
const instant = branded(parseInstant);
const publicKey = z.string().min(1).max(200);
const keyGeneration = z.int().min(1);

/** `operator` and `issuer` exist in `acc_operator` only; the others everywhere else. */
export const roles = ['owner', 'member', 'viewer', 'operator', 'issuer'] as const;
export type Role = (typeof roles)[number];

/** What an account pays for, and how much it may ask of the service. `acc_operator` has none and is not limited. */
export const plans = ['free', 'pro'] as const;
export type Plan = (typeof plans)[number];

/** Payloads of the account stream: ids and facts, never e-mail addresses, names or secrets. */
export const accountPayloads = {
  /** A tenant's account and its first owner; for `acc_operator`, the operator's own key. */
  ACCOUNT_CREATED: z.union([
    z.strictObject({ owner: z.strictObject({ userId }) }),
    z.strictObject({ operator: z.strictObject({ identityId, publicKey, keyGeneration }) }),
  ]),
  MEMBER_ADDED: z.strictObject({ userId, role: z.enum(roles), by: userId }),
  MEMBER_ROLE_CHANGED: z.strictObject({ userId, role: z.enum(roles), by: userId }),
  MEMBER_REMOVED: z.strictObject({ userId, by: userId }),
  /** Whoever shows the invitation's secret before `expiresAt` becomes a member in this role. The secret is in no receipt. */
  MEMBER_INVITED: z.strictObject({ invitationId, role: z.enum(roles), expiresAt: instant, by: userId }),
  INVITATION_ACCEPTED: z.strictObject({ invitationId, userId, role: z.enum(roles) }),
  INVITATION_WITHDRAWN: z.strictObject({ invitationId, by: userId }),
  /** `publicKey` is the standard base64 of the SPKI DER; `controller` the member who may sign with this identity. */
  IDENTITY_CREATED: z.strictObject({ identityId, publicKey, keyGeneration, controller: userId, by: userId }),
  IDENTITY_KEY_ROTATED: z.strictObject({ identityId, publicKey, keyGeneration, by: userId }),
  /** `keyGeneration` is the key it ends. */
  IDENTITY_REVOKED: z.strictObject({ identityId, keyGeneration, by: userId }),
  /** The word of an operator: while it lasts the account takes no commands. `by` is a member of `acc_operator`, as for the next two. */
  ACCOUNT_SUSPENDED: z.strictObject({ reason: z.string().min(1).max(limits.reasonChars), by: userId }),
  ACCOUNT_RESUMED: z.strictObject({ by: userId }),
  ACCOUNT_PLAN_CHANGED: z.strictObject({ plan: z.enum(plans), by: userId }),
  ACCOUNT_CLOSED: z.strictObject({ by: userId }),
} as const;

export type AccountEventType = keyof typeof accountPayloads;
export type AccountPayload<T extends AccountEventType> = z.infer<(typeof accountPayloads)[T]>;

/** An event of an account stream. */
export type AccountEvent = {
  [T in AccountEventType]: { readonly type: T; readonly payload: AccountPayload<T> };
}[AccountEventType];

/** Members of a payload that the server decides; what is left is what the client asked for and makes the fingerprint. */
export const accountDecidedMembers: { readonly [T in AccountEventType]: readonly string[] } = {
  ACCOUNT_CREATED: [],
  MEMBER_ADDED: ['by'],
  MEMBER_ROLE_CHANGED: ['by'],
  MEMBER_REMOVED: ['by'],
  MEMBER_INVITED: ['expiresAt', 'by'],
  INVITATION_ACCEPTED: ['role'],
  INVITATION_WITHDRAWN: ['by'],
  IDENTITY_CREATED: ['publicKey', 'keyGeneration', 'by'],
  IDENTITY_KEY_ROTATED: ['publicKey', 'keyGeneration', 'by'],
  IDENTITY_REVOKED: ['keyGeneration', 'by'],
  ACCOUNT_SUSPENDED: ['by'],
  ACCOUNT_RESUMED: ['by'],
  ACCOUNT_PLAN_CHANGED: ['by'],
  ACCOUNT_CLOSED: ['by'],
};
