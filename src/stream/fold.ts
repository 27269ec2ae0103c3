import type { EventId } from '../receipt/ids.ts';
import { type AccountId, type IdentityId, OPERATOR_ACCOUNT_ID, OPERATOR_IDENTITY_ID, bookIdFor } from '../receipt/ids.ts';
import type { Stream } from '../receipt/stream.ts';
import { type Result, err } from '../result.ts';
import { type AccountState, evolveAccount, noAccount } from './account/evolve.ts';
import type { LedgerEvent } from './event.ts';
import { type PixbookState, evolvePixbook, noPixbook } from './pixbook/evolve.ts';
import type { IllegalEvent } from './refusal.ts';

/** The state of a stream of any type. */
export type StreamState =
  | { readonly type: 'account'; readonly state: AccountState }
  | { readonly type: 'pixbook'; readonly state: PixbookState }
  | { readonly type: 'collection' | 'code' };

/** The state of a stream without receipts. */
export const emptyStream = (stream: Stream): StreamState => {
  switch (stream.type) {
    case 'account':
      return { type: 'account', state: noAccount };
    case 'pixbook':
      return { type: 'pixbook', state: noPixbook };
    default:
      return { type: stream.type };
  }
};

/** One step of a replay: the state after an event. Errors: `illegal-event`. */
export const evolveStream = (
  before: StreamState,
  stream: Stream,
  event: LedgerEvent,
  eventId: EventId,
): Result<StreamState, IllegalEvent> => {
  if (before.type === 'account' && isAccountEvent(event)) {
    const after = evolveAccount(before.state, event);
    return after.ok ? { ok: true, value: { type: 'account', state: after.value } } : after;
  }
  if (before.type === 'pixbook' && !isAccountEvent(event)) {
    if (event.type === 'PIXBOOK_CREATED' && stream.type === 'pixbook') {
      const { identityId, collectionId, generation } = event.payload;
      if (bookIdFor(identityId, collectionId, generation) !== stream.bookId)
        return err({ code: 'illegal-event', detail: 'bookId does not follow from identity, collection and generation' });
    }
    const after = evolvePixbook(before.state, event, eventId);
    return after.ok ? { ok: true, value: { type: 'pixbook', state: after.value } } : after;
  }
  return err({ code: 'illegal-event', detail: `${event.type} in a ${stream.type} stream` });
};

type AccountTyped = Extract<LedgerEvent, { type: `ACCOUNT_${string}` | `MEMBER_${string}` | `IDENTITY_${string}` }>;

const isAccountEvent = (event: LedgerEvent): event is AccountTyped => !event.type.startsWith('PIXBOOK_');

/** An identity and the account that introduced it. */
export type IdentityRef = { readonly accountId: AccountId; readonly identityId: IdentityId };

const OPERATOR: IdentityRef = { accountId: OPERATOR_ACCOUNT_ID, identityId: OPERATOR_IDENTITY_ID };

/**
 * The only identity whose signature makes an event true, given the state before it: the append signs with it, `verify` demands it.
 * Account streams are kept by the operator, except that a key is handed over by the key it replaces; a pixbook is its identity's.
 */
export const requiredIssuer = (before: StreamState, stream: Stream, event: LedgerEvent): Result<IdentityRef, IllegalEvent> => {
  if (stream.type === 'account')
    return event.type === 'IDENTITY_KEY_ROTATED'
      ? { ok: true, value: { accountId: stream.accountId, identityId: event.payload.identityId } }
      : { ok: true, value: OPERATOR };
  if (stream.type === 'pixbook' && before.type === 'pixbook') {
    if (event.type === 'PIXBOOK_CREATED')
      return { ok: true, value: { accountId: stream.accountId, identityId: event.payload.identityId } };
    if (before.state.status !== 'absent')
      return { ok: true, value: { accountId: stream.accountId, identityId: before.state.identityId } };
  }
  return err({ code: 'illegal-event', detail: `${event.type} cannot come here` });
};
