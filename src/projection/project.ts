import { canonicalText } from '../receipt/canonical.ts';
import { digestOf } from '../receipt/hash.ts';
import type { AccountId, IdempotencyKey } from '../receipt/ids.ts';
import type { JsonObject } from '../receipt/json.ts';
import { prefixOf } from '../receipt/key-path.ts';
import type { Receipt, StoredReceipt } from '../receipt/receipt.ts';
import type { Stream } from '../receipt/stream.ts';
import { type Result, ok } from '../result.ts';
import type { AccountEvent } from '../stream/account/event.ts';
import type { CodeEvent } from '../stream/code/event.ts';
import type { CollectionEvent } from '../stream/collection/event.ts';
import { type EventFault, type LedgerEvent, eventOf, requestedPart } from '../stream/event.ts';
import type { PixbookEvent } from '../stream/pixbook/event.ts';
import { accountChanges } from './project-account.ts';
import { codeChanges } from './project-code.ts';
import { collectionChanges } from './project-collection.ts';
import { pixbookChanges } from './project-pixbook.ts';
import { redoOf } from './redo.ts';
import type { Redo, RowChange } from './row-change.ts';

/** Everything one receipt does to the projection. Heads are moved by whoever applies it, from predecessor to this receipt. */
export type Projected = { readonly changes: readonly RowChange[]; readonly redo: readonly Redo[] };

/**
 * Receipt → rows: the one function for commands, catch-up, repair and rebuild (I4). Pure: nothing but the receipt goes in.
 * Errors: an event the ledger does not know, or a payload that is not that event's.
 */
export const project = (stored: StoredReceipt): Result<Projected, EventFault> => {
  const event = eventOf(stored.receipt);
  return event.ok ? ok(projectEvent(stored, event.value)) : event;
};

/** The same of a receipt whose event is known: `event` is what `eventOf` made of it. */
export const projectEvent = ({ receipt, position, bytes }: StoredReceipt, event: LedgerEvent): Projected => ({
  changes: [lookupRow(receipt, position, bytes.length), ...changesOf(receipt, event, position)],
  redo: redoOf(event),
});

/** `eventOf` answers only events that the receipt's stream has. */
const changesOf = (receipt: Receipt, event: LedgerEvent, position: number): readonly RowChange[] => {
  const { stream } = receipt;
  switch (stream.type) {
    case 'account':
      return accountChanges(stream, event as AccountEvent, position, receipt.createdAt);
    case 'pixbook':
      return pixbookChanges(stream, event as PixbookEvent, receipt);
    case 'collection':
      return collectionChanges(stream, event as CollectionEvent, receipt);
    case 'code':
      return codeChanges(stream, event as CodeEvent, receipt);
  }
};

/** The key of `receipts.idempotency_digest`: SHA-256 of prefix NUL key. */
export const idempotencyDigestOf = (stream: Stream, key: IdempotencyKey): Buffer => digestOf(prefixOf(stream), key);

/** SHA-256 of the type and of what the client asked for: two requests under one key must agree on it. */
export const fingerprintOf = (event: { readonly type: string; readonly payload: JsonObject }): Buffer =>
  digestOf(event.type, canonicalText(requestedPart(event)));

/** The tenant a stream belongs to, where it has one. */
export const tenantOf = (stream: Stream): AccountId | null => ('accountId' in stream ? stream.accountId : null);

const lookupRow = (receipt: Receipt, position: number, bytes: number): RowChange => ({
  op: 'insert',
  table: 'receipts',
  row: {
    event_id: receipt.eventId,
    stream: prefixOf(receipt.stream),
    account_id: tenantOf(receipt.stream),
    position,
    type: receipt.type,
    hash: receipt.hash,
    bytes,
    created_at: receipt.createdAt,
    idempotency_digest: idempotencyDigestOf(receipt.stream, receipt.idempotencyKey),
    fingerprint: fingerprintOf(receipt),
  },
});
