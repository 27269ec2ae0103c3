import type { BookRef, IdentityRow, Seen } from '../port/read-model.ts';
import type { Head } from '../receipt/chain.ts';
import {
  type IdentityId,
  type InvitationId,
  type UserId,
  parseAccountId,
  parseBookId,
  parseCollectionId,
  parseEventId,
  parseIdentityId,
  parseInvitationId,
  parsePublicKeyId,
  parseReceiptHash,
  parseUserId,
} from '../receipt/ids.ts';
import type { KeyRecord } from '../receipt/key-history.ts';
import { parsePublicKeyText } from '../receipt/signature.ts';
import { type Plan, type Role, plans, roles } from '../stream/account/event.ts';
import { type AccountState, type Identity, type Invitation, accountStatuses } from '../stream/account/evolve.ts';
import type { LivePixbook } from '../stream/pixbook/state.ts';
import { type BookSlice, noSlice } from './pixbook-row.ts';
import {
  MalformedRow,
  type RawRow,
  stored,
  storedCount,
  storedDigest,
  storedInstant,
  storedOrNull,
  storedText,
  storedWord,
} from './stored-column.ts';

/**
 * Rows of the projection → values of the ports: the edge at which they are parsed. Columns are named as in schema.sql, behind `prefix`
 * where a select list holds several rows. All throw `MalformedRow`.
 */

/** From position, event_id, hash and created_at; null where an outer join found no row. */
export const headOfRow = (row: RawRow): Head | null => {
  if (row.position === null || row.position === undefined) return null;
  return {
    position: storedCount('head position', row.position),
    eventId: stored('head event_id', parseEventId, row.event_id),
    hash: stored('head hash', parseReceiptHash, row.hash),
    createdAt: storedInstant('head created_at', row.created_at),
  };
};

/** From a row of `receipts`; null where an outer join found none. */
export const seenOfRow = (row: RawRow, prefix = ''): Seen | null => {
  if (row[`${prefix}event_id`] === null) return null;
  return {
    eventId: stored('receipts.event_id', parseEventId, row[`${prefix}event_id`]),
    hash: stored('receipts.hash', parseReceiptHash, row[`${prefix}hash`]),
    position: storedCount('receipts.position', row[`${prefix}position`]),
    fingerprint: storedDigest('receipts.fingerprint', row[`${prefix}fingerprint`]),
  };
};

/** From a row of `identities`; null where an outer join found none. */
export const identityOfRow = (row: RawRow, prefix = ''): IdentityRow | null => {
  if (row[`${prefix}identity_id`] === null) return null;
  return {
    identityId: stored('identities.identity_id', parseIdentityId, row[`${prefix}identity_id`]),
    accountId: stored('identities.account_id', parseAccountId, row[`${prefix}account_id`]),
    status: storedWord('identities.status', ['active', 'revoked'], row[`${prefix}status`]),
    controller: storedOrNull('identities.controller', parseUserId, row[`${prefix}controller`]),
    publicKeyId: stored('identities.public_key_id', parsePublicKeyId, row[`${prefix}public_key_id`]),
    publicKey: storedText('identities.public_key', row[`${prefix}public_key`]),
    keyGeneration: storedCount('identities.key_generation', row[`${prefix}key_generation`]),
  };
};

/** From rows of `identities` of one account. */
export const stateIdentityOfRow = (row: RawRow): [IdentityId, Identity] => [
  stored('identities.identity_id', parseIdentityId, row.identity_id),
  {
    status: storedWord('identities.status', ['active', 'revoked'], row.status),
    publicKey: storedText('identities.public_key', row.public_key),
    keyGeneration: storedCount('identities.key_generation', row.key_generation),
    controller: storedOrNull('identities.controller', parseUserId, row.controller),
  },
];

/** From rows of `account_members` of one account. */
export const memberOfRow = (row: RawRow): [UserId, Role] => [
  stored('account_members.user_id', parseUserId, row.user_id),
  storedWord('account_members.role', roles, row.role),
];

/** From rows of `account_invitations` of one account. */
export const invitationOfRow = (row: RawRow): [InvitationId, Invitation] => [
  stored('account_invitations.invitation_id', parseInvitationId, row.invitation_id),
  {
    role: storedWord('account_invitations.role', roles, row.role),
    expiresAt: storedInstant('account_invitations.expires_at', row.expires_at),
  },
];

/** From a row of `accounts`. */
export const planOfRow = (plan: unknown): Plan => storedWord('accounts.plan', plans, plan);

/** From a row of `accounts`, or null. */
export const accountStatusOfRow = (status: unknown): AccountState['status'] =>
  status === null ? 'absent' : storedWord('accounts.status', accountStatuses, status);

/** From a row of `pixbooks` whose head is known, and what of the book was asked for. */
export const pixbookOfRow = (row: RawRow, head: Head, slice: BookSlice = noSlice): LivePixbook => ({
  status: storedWord('pixbooks.status', ['open', 'closed'], row.status),
  identityId: stored('pixbooks.identity_id', parseIdentityId, row.identity_id),
  collectionId: stored('pixbooks.collection_id', parseCollectionId, row.collection_id),
  generation: storedCount('pixbooks.generation', row.generation),
  head: head.eventId,
  ...slice,
});

/** From a row of `pixbooks`. */
export const bookRefOfRow = (row: RawRow): BookRef => ({
  accountId: stored('pixbooks.account_id', parseAccountId, row.account_id),
  bookId: stored('pixbooks.book_id', parseBookId, row.book_id),
  identityId: stored('pixbooks.identity_id', parseIdentityId, row.identity_id),
  collectionId: stored('pixbooks.collection_id', parseCollectionId, row.collection_id),
  generation: storedCount('pixbooks.generation', row.generation),
  status: storedWord('pixbooks.status', ['open', 'closed'], row.status),
});

/** From a row of `identity_keys`. */
export const keyRecordOfRow = (row: RawRow): KeyRecord => {
  if ((row.until_position === null) !== (row.valid_until === null)) throw new MalformedRow('identity_keys.until_position');
  const publicKey = storedText('identity_keys.public_key', row.public_key);
  return {
    publicKeyId: stored('identity_keys.public_key_id', parsePublicKeyId, row.public_key_id),
    identityId: stored('identity_keys.identity_id', parseIdentityId, row.identity_id),
    accountId: stored('identity_keys.account_id', parseAccountId, row.account_id),
    key: stored('identity_keys.public_key', () => parsePublicKeyText(publicKey), publicKey).key,
    publicKey,
    from: {
      position: storedCount('identity_keys.from_position', row.from_position),
      at: storedInstant('identity_keys.valid_from', row.valid_from),
    },
    until:
      row.until_position === null
        ? null
        : {
            position: storedCount('identity_keys.until_position', row.until_position),
            at: storedInstant('identity_keys.valid_until', row.valid_until),
          },
  };
};
