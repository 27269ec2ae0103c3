import { canonicalText } from '../receipt/canonical.ts';
import { digestOf, publicKeyIdOf } from '../receipt/hash.ts';
import type { AccountId, IdempotencyKey, IdentityId, Instant } from '../receipt/ids.ts';
import type { JsonObject } from '../receipt/json.ts';
import { prefixOf } from '../receipt/key-path.ts';
import type { Receipt, StoredReceipt } from '../receipt/receipt.ts';
import type { Stream, StreamOf } from '../receipt/stream.ts';
import { type Result, ok } from '../result.ts';
import type { AccountEvent } from '../stream/account/event.ts';
import { type EventFault, eventOf, requestedPart } from '../stream/event.ts';
import type { PixbookEvent } from '../stream/pixbook/event.ts';
import type { Redo, RowChange } from './row-change.ts';

/** Everything one receipt does to the projection. Heads are moved by whoever applies it, from predecessor to this receipt. */
export type Projected = { readonly changes: readonly RowChange[]; readonly redo: readonly Redo[] };

/**
 * Receipt → rows: the one function for commands, catch-up, repair and rebuild (I4). Pure: nothing but the receipt goes in.
 * Errors: an event the ledger does not know, or a payload that is not that event's.
 */
export const project = ({ receipt, position }: Pick<StoredReceipt, 'receipt' | 'position'>): Result<Projected, EventFault> => {
  const event = eventOf(receipt);
  if (!event.ok) return event;
  const { stream } = receipt;
  const changes: RowChange[] = [lookupRow(receipt, position)];
  if (stream.type === 'account')
    changes.push(...accountChanges(stream, event.value as AccountEvent, position, receipt.createdAt));
  if (stream.type === 'pixbook') changes.push(...pixbookChanges(stream, event.value as PixbookEvent, receipt));
  return ok({ changes, redo: [] });
};

/** The key of `receipts.idempotency_digest`: SHA-256 of prefix NUL key. */
export const idempotencyDigestOf = (stream: Stream, key: IdempotencyKey): Buffer => digestOf(prefixOf(stream), key);

/** SHA-256 of the type and of what the client asked for: two requests under one key must agree on it. */
export const fingerprintOf = (event: { readonly type: string; readonly payload: JsonObject }): Buffer =>
  digestOf(event.type, canonicalText(requestedPart(event)));

/** The tenant a stream belongs to, where it has one. */
export const tenantOf = (stream: Stream): AccountId | null => ('accountId' in stream ? stream.accountId : null);

const lookupRow = (receipt: Receipt, position: number): RowChange => ({
  op: 'insert',
  table: 'receipts',
  row: {
    event_id: receipt.eventId,
    stream: prefixOf(receipt.stream),
    account_id: tenantOf(receipt.stream),
    position,
    type: receipt.type,
    hash: receipt.hash,
    created_at: receipt.createdAt,
    idempotency_digest: idempotencyDigestOf(receipt.stream, receipt.idempotencyKey),
    fingerprint: fingerprintOf(receipt),
  },
});

const accountChanges = (
  { accountId: account_id }: StreamOf<'account'>,
  event: AccountEvent,
  position: number,
  at: Instant,
): readonly RowChange[] => {
  switch (event.type) {
    case 'ACCOUNT_CREATED': {
      const account: RowChange = {
        op: 'insert',
        table: 'accounts',
        row: { account_id, status: 'open', created_at: at, closed_at: null },
      };
      return 'owner' in event.payload
        ? [account, memberRow(account_id, event.payload.owner.userId, 'owner', at)]
        : [account, ...newIdentity(account_id, { ...event.payload.operator, controller: null }, position, at)];
    }
    case 'ACCOUNT_CLOSED':
      return [{ op: 'update', table: 'accounts', key: { account_id }, set: { status: 'closed', closed_at: at } }];
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

const pixbookChanges = (
  { accountId: account_id, bookId: book_id }: StreamOf<'pixbook'>,
  event: PixbookEvent,
  { createdAt: at, eventId }: Receipt,
): readonly RowChange[] => {
  switch (event.type) {
    case 'PIXBOOK_CREATED': {
      const { identityId: identity_id, collectionId: collection_id, generation } = event.payload;
      const empty = { state: null, state_event_id: null, saved_at: null, closed_at: null };
      const row = { book_id, account_id, identity_id, collection_id, generation, status: 'open', created_at: at, ...empty };
      return [{ op: 'insert', table: 'pixbooks', row }];
    }
    case 'PIXBOOK_SAVE': {
      const set = { state: canonicalText(event.payload.state), state_event_id: eventId, saved_at: at };
      return [{ op: 'update', table: 'pixbooks', key: { book_id }, set }];
    }
    case 'PIXBOOK_CLOSED':
      return [{ op: 'update', table: 'pixbooks', key: { book_id }, set: { status: 'closed', closed_at: at } }];
  }
};
