import { type AccountId, type IdentityId, OPERATOR_ACCOUNT_ID, OPERATOR_IDENTITY_ID, bookIdFor } from '../receipt/ids.ts';
import type { Stream } from '../receipt/stream.ts';
import { type Result, err, ok } from '../result.ts';
import type { AccountEvent } from './account/event.ts';
import { type AccountState, evolveAccount, noAccount } from './account/evolve.ts';
import type { CodeEvent } from './code/event.ts';
import { evolveCode } from './code/evolve.ts';
import { type CodeState, noCode } from './code/state.ts';
import type { CollectionEvent } from './collection/event.ts';
import { evolveCollection } from './collection/evolve.ts';
import { type CollectionState, noCollection } from './collection/state.ts';
import type { LedgerEvent } from './event.ts';
import type { Place } from './here.ts';
import type { PixbookEvent } from './pixbook/event.ts';
import { evolvePixbook } from './pixbook/evolve.ts';
import { type PixbookState, noPixbook, offerIn } from './pixbook/state.ts';
import type { IllegalEvent } from './refusal.ts';

/** The state of a stream of any type. */
export type StreamState =
  | { readonly type: 'account'; readonly state: AccountState }
  | { readonly type: 'pixbook'; readonly state: PixbookState }
  | { readonly type: 'collection'; readonly state: CollectionState }
  | { readonly type: 'code'; readonly state: CodeState };

/** The state of a stream without receipts. */
export const emptyStream = (stream: Stream): StreamState => {
  switch (stream.type) {
    case 'account':
      return { type: 'account', state: noAccount };
    case 'pixbook':
      return { type: 'pixbook', state: noPixbook };
    case 'collection':
      return { type: 'collection', state: noCollection };
    case 'code':
      return { type: 'code', state: noCode };
  }
};

/** One step of a replay: the state after an event. Errors: `illegal-event`. */
export const evolveStream = (
  before: StreamState,
  stream: Stream,
  event: LedgerEvent,
  place: Place,
): Result<StreamState, IllegalEvent> => {
  const misplaced = misplacedIn(stream, event);
  if (misplaced !== null) return illegal(misplaced);
  if (before.type === 'account' && isAccountEvent(event)) return typed('account', evolveAccount(before.state, event));
  if (before.type === 'pixbook' && isPixbookEvent(event)) return typed('pixbook', evolvePixbook(before.state, event, place));
  if (before.type === 'collection' && isCollectionEvent(event))
    return typed('collection', evolveCollection(before.state, event, place));
  if (before.type === 'code' && isCodeEvent(event)) return typed('code', evolveCode(before.state, event, place));
  return illegal(`${event.type} in a ${stream.type} stream`);
};

const typed = <T extends StreamState['type'], S>(type: T, after: Result<S, IllegalEvent>) =>
  after.ok ? ok({ type, state: after.value }) : after;

/** What an event and the stream's own name must agree on. */
const misplacedIn = (stream: Stream, event: LedgerEvent): string | null => {
  if (event.type !== 'PIXBOOK_CREATED' || stream.type !== 'pixbook') return null;
  const { identityId, collectionId, generation } = event.payload;
  return bookIdFor(identityId, collectionId, generation) === stream.bookId
    ? null
    : 'bookId does not follow from identity, collection and generation';
};

const isAccountEvent = (event: LedgerEvent): event is AccountEvent => /^(?:ACCOUNT|MEMBER|INVITATION|IDENTITY)_/.test(event.type);
export const isPixbookEvent = (event: LedgerEvent): event is PixbookEvent => /^(?:PIXBOOK|PACK|CARD)_/.test(event.type);
export const isCollectionEvent = (event: LedgerEvent): event is CollectionEvent =>
  /^(?:COLLECTION|SERIES|DROP)_/.test(event.type);
const isCodeEvent = (event: LedgerEvent): event is CodeEvent => event.type.startsWith('CODE_');

/** An identity and the account that introduced it. */
export type IdentityRef = { readonly accountId: AccountId; readonly identityId: IdentityId };

/** Whose signature makes an event true: one identity, or (null) any identity of the account. */
export type Signatory = { readonly accountId: AccountId; readonly identityId: IdentityId | null };

const OPERATOR: Signatory = { accountId: OPERATOR_ACCOUNT_ID, identityId: OPERATOR_IDENTITY_ID };
/** Issuers and the operator are the identities of the operator's account. */
const ISSUER: Signatory = { accountId: OPERATOR_ACCOUNT_ID, identityId: null };

/**
 * Whose signature makes an event true, given the state before it: the append signs with it, `verify` demands it. Account streams are kept
 * by the operator, except that a key is handed over by the key it replaces; collections and codes by issuers, except that a code is claimed
 * by the book's identity; for a pixbook see `signatoryInPixbook`.
 */
export const requiredIssuer = (before: StreamState, stream: Stream, event: LedgerEvent): Result<Signatory, IllegalEvent> => {
  switch (stream.type) {
    case 'account':
      return event.type === 'IDENTITY_KEY_ROTATED'
        ? ok({ accountId: stream.accountId, identityId: event.payload.identityId })
        : ok(OPERATOR);
    case 'collection':
      return ok(ISSUER);
    case 'code':
      return event.type === 'CODE_CLAIMED'
        ? ok({ accountId: event.payload.accountId, identityId: event.payload.identityId })
        : ok(ISSUER);
    case 'pixbook': {
      const signatory = before.type === 'pixbook' ? signatoryInPixbook(before.state, stream.accountId, event) : null;
      return signatory === null ? illegal(`${event.type} cannot come here`) : ok(signatory);
    }
  }
};

/**
 * A pixbook is its identity's. What comes to it from outside is an issuer's word (packs, cards added and removed: a collector cannot mint), the
 * word of the partner a trade was offered to (accepted, declined), or the operator's, for what only follows from receipts there are
 * (settled, released) or from time (expired): that must go on when the identity is revoked.
 */
const signatoryInPixbook = (state: PixbookState, accountId: AccountId, event: LedgerEvent): Signatory | null => {
  if (event.type === 'PIXBOOK_CREATED') return { accountId, identityId: event.payload.identityId };
  if (state.status === 'absent') return null;
  switch (event.type) {
    case 'PACK_ISSUED':
    case 'CARD_ADDED':
    case 'CARD_REMOVED':
      return ISSUER;
    case 'CARD_TRADE_SETTLED':
    case 'CARD_TRADE_RELEASED':
    case 'CARD_TRADE_EXPIRED':
      return OPERATOR;
    case 'CARD_TRADE_ACCEPTED':
    case 'CARD_TRADE_DECLINED': {
      const offer = offerIn(state, event.payload.tradeId);
      return offer === null ? null : { accountId: offer.to.accountId, identityId: offer.to.identityId };
    }
    default:
      return { accountId, identityId: state.identityId };
  }
};

const illegal = (detail: string): Result<never, IllegalEvent> => err({ code: 'illegal-event', detail });
