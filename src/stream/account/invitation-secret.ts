import { type KeyObject, createHmac, createSecretKey, timingSafeEqual } from 'node:crypto';
import { type AccountId, type InvitationId, crockford } from '../../receipt/ids.ts';

/** The key of invitations. A key object: printed or made JSON of, it shows nothing. */
export type InvitationKey = { readonly invitations: KeyObject };

/** The key of invitations, from the service's secret of codes (at least 32 random bytes): HMAC-SHA256(secret, label). With another secret no open invitation can be accepted. */
export const invitationKeyOf = (secretBytes: Uint8Array): InvitationKey => ({
  invitations: createSecretKey(createHmac('sha256', secretBytes).update('pixpax/invitation-key/v1').digest()),
});

/**
 * What whoever is invited must show: 26 Crockford characters, the first 16 bytes of HMAC-SHA256(key, 'pixpax/invitation/v1' NUL accountId NUL
 * invitationId). It can be made again at any time, so that nothing has to be stored; it must never be logged, nor be in a receipt or a table.
 */
export const invitationSecretOf = (key: InvitationKey, accountId: AccountId, invitationId: InvitationId): string => {
  const mac = createHmac('sha256', key.invitations).update(`pixpax/invitation/v1\0${accountId}\0${invitationId}`);
  return crockford(mac.digest().subarray(0, 16), 26);
};

/** Both of the above over one key. */
export const invitationSecrets = (key: InvitationKey) => ({
  secretOf: (accountId: AccountId, invitationId: InvitationId): string => invitationSecretOf(key, accountId, invitationId),
  isSecret: (accountId: AccountId, invitationId: InvitationId, text: string): boolean =>
    isInvitationSecret(key, accountId, invitationId, text),
});

/** Whether a text is the invitation's secret, in a time that does not tell how nearly. */
export const isInvitationSecret = (
  key: InvitationKey,
  accountId: AccountId,
  invitationId: InvitationId,
  text: string,
): boolean => {
  const expected = Buffer.from(invitationSecretOf(key, accountId, invitationId));
  const given = Buffer.from(text);
  return given.length === expected.length && timingSafeEqual(given, expected);
};
