import { z } from 'zod';
import { parseIdentityId, parseUserId } from '../../receipt/ids.ts';
import { branded } from '../branded.ts';

const userId = branded(parseUserId);
const identityId = branded(parseIdentityId);
const publicKey = z.string().min(1).max(200);
const keyGeneration = z.int().min(1);

/** `operator` and `issuer` exist in `acc_operator` only; the others everywhere else. */
export const roles = ['owner', 'member', 'viewer', 'operator', 'issuer'] as const;
export type Role = (typeof roles)[number];

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
  /** `publicKey` is the standard base64 of the SPKI DER; `controller` the member who may sign with this identity. */
  IDENTITY_CREATED: z.strictObject({ identityId, publicKey, keyGeneration, controller: userId, by: userId }),
  IDENTITY_KEY_ROTATED: z.strictObject({ identityId, publicKey, keyGeneration, by: userId }),
  /** `keyGeneration` is the key it ends. */
  IDENTITY_REVOKED: z.strictObject({ identityId, keyGeneration, by: userId }),
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
  IDENTITY_CREATED: ['publicKey', 'keyGeneration', 'by'],
  IDENTITY_KEY_ROTATED: ['publicKey', 'keyGeneration', 'by'],
  IDENTITY_REVOKED: ['keyGeneration', 'by'],
  ACCOUNT_CLOSED: ['by'],
};
