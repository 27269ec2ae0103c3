import type { Selectable } from 'kysely';
import type {
  AccountResource,
  IdentityResource,
  InvitationResource,
  KeyResource,
  MemberResource,
  PixbookResource,
} from '../../port/ledger-queries.ts';
import type { DB } from '../../projection/tables.generated.ts';
import type { Head } from '../../receipt/chain.ts';
import {
  type Instant,
  parseAccountId,
  parseBookId,
  parseCollectionId,
  parseEventId,
  parseIdentityId,
  parseInstant,
  parseInvitationId,
  parsePublicKeyId,
  parseReceiptHash,
  parseUserId,
} from '../../receipt/ids.ts';
import { type JsonObject, isJsonObject } from '../../receipt/json.ts';
import { type Result, err, ok } from '../../result.ts';
import { plans, roles } from '../../stream/account/event.ts';
import { accountStatuses } from '../../stream/account/evolve.ts';
import { stored, storedCount, storedInstant, storedOrNull, storedWord } from '../stored-column.ts';

/** Rows → resources of the port: the edge at which they are parsed. All throw `MalformedRow`. */

/** The head's columns beside those of the thing itself, which has a `created_at` of its own. */
export type WithHead = {
  readonly position: number;
  readonly event_id: string;
  readonly hash: string;
  readonly head_created_at: Instant;
};

export const headIn = (row: WithHead): Head => ({
  position: storedCount('head position', row.position),
  eventId: stored('head event_id', parseEventId, row.event_id),
  hash: stored('head hash', parseReceiptHash, row.hash),
  createdAt: storedInstant('head created_at', row.head_created_at),
});

export const accountOf = (row: Selectable<DB['accounts']> & WithHead): AccountResource => ({
  accountId: stored('accounts.account_id', parseAccountId, row.account_id),
  status: storedWord('accounts.status', accountStatuses, row.status),
  plan: storedWord('accounts.plan', plans, row.plan),
  createdAt: storedInstant('accounts.created_at', row.created_at),
  closedAt: storedOrNull('accounts.closed_at', parseInstant, row.closed_at),
  suspendedAt: storedOrNull('accounts.suspended_at', parseInstant, row.suspended_at),
  suspensionReason: row.suspension_reason,
  head: headIn(row),
});

export const memberOf = (row: Selectable<DB['account_members']>): MemberResource => ({
  userId: stored('account_members.user_id', parseUserId, row.user_id),
  role: storedWord('account_members.role', roles, row.role),
  since: storedInstant('account_members.since', row.since),
});

export const invitationOf = (row: Selectable<DB['account_invitations']>): InvitationResource => ({
  invitationId: stored('account_invitations.invitation_id', parseInvitationId, row.invitation_id),
  role: storedWord('account_invitations.role', roles, row.role),
  invitedBy: stored('account_invitations.invited_by', parseUserId, row.invited_by),
  createdAt: storedInstant('account_invitations.created_at', row.created_at),
  expiresAt: storedInstant('account_invitations.expires_at', row.expires_at),
});

export const identityOf = (row: Selectable<DB['identities']>): IdentityResource => ({
  identityId: stored('identities.identity_id', parseIdentityId, row.identity_id),
  accountId: stored('identities.account_id', parseAccountId, row.account_id),
  status: storedWord('identities.status', ['active', 'revoked'], row.status),
  controller: storedOrNull('identities.controller', parseUserId, row.controller),
  publicKeyId: stored('identities.public_key_id', parsePublicKeyId, row.public_key_id),
  publicKey: row.public_key,
  keyGeneration: storedCount('identities.key_generation', row.key_generation),
  createdAt: storedInstant('identities.created_at', row.created_at),
  revokedAt: storedOrNull('identities.revoked_at', parseInstant, row.revoked_at),
});

export const keyOf = (row: Selectable<DB['identity_keys']>): KeyResource => ({
  publicKeyId: stored('identity_keys.public_key_id', parsePublicKeyId, row.public_key_id),
  publicKey: row.public_key,
  identityId: stored('identity_keys.identity_id', parseIdentityId, row.identity_id),
  accountId: stored('identity_keys.account_id', parseAccountId, row.account_id),
  keyGeneration: storedCount('identity_keys.key_generation', row.key_generation),
  validFrom: storedInstant('identity_keys.valid_from', row.valid_from),
  validUntil: storedOrNull('identity_keys.valid_until', parseInstant, row.valid_until),
});

export const pixbookOf = (row: Selectable<DB['pixbooks']> & WithHead): PixbookResource => ({
  bookId: stored('pixbooks.book_id', parseBookId, row.book_id),
  accountId: stored('pixbooks.account_id', parseAccountId, row.account_id),
  identityId: stored('pixbooks.identity_id', parseIdentityId, row.identity_id),
  collectionId: stored('pixbooks.collection_id', parseCollectionId, row.collection_id),
  generation: storedCount('pixbooks.generation', row.generation),
  status: storedWord('pixbooks.status', ['open', 'closed'], row.status),
  state: storedOrNull('pixbooks.state', parseState, row.state),
  stateEventId: storedOrNull('pixbooks.state_event_id', parseEventId, row.state_event_id),
  createdAt: storedInstant('pixbooks.created_at', row.created_at),
  savedAt: storedOrNull('pixbooks.saved_at', parseInstant, row.saved_at),
  closedAt: storedOrNull('pixbooks.closed_at', parseInstant, row.closed_at),
  head: headIn(row),
});

/** `state` is canonical JSON that `project` wrote: Postgres has checked that it is JSON at all. */
const parseState = (text: unknown): Result<JsonObject, 'not an object'> => {
  const value: unknown = typeof text === 'string' ? JSON.parse(text) : null;
  return isJsonObject(value) ? ok(value) : err('not an object');
};
