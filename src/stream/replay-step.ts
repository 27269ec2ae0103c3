import { type KeyHistory, keyRecordOf } from '../receipt/key-history.ts';
import type { Receipt } from '../receipt/receipt.ts';
import { type Result, err, ok } from '../result.ts';
import { type EventFault, type LedgerEvent, eventOf } from './event.ts';
import { type StreamState, evolveStream, requiredIssuer } from './fold.ts';
import type { IllegalEvent } from './refusal.ts';

export type ReplayFault = EventFault | IllegalEvent | { readonly code: 'issuer-not-authorised'; readonly detail: string };

/**
 * What a receipt whose bytes, chain and signature are verified must still pass to be true in its stream: an event the stream has, signed by
 * the one identity whose signature makes it true, and a state it can follow. The one rule for verify, rebuild, catch-up and append.
 */
export const replayStep = (
  before: StreamState,
  receipt: Receipt,
  keys: KeyHistory,
): Result<{ readonly state: StreamState; readonly event: LedgerEvent }, ReplayFault> => {
  const event = eventOf(receipt);
  if (!event.ok) return event;
  const required = requiredIssuer(before, receipt.stream, event.value);
  if (!required.ok) return required;
  const { accountId, identityId } = required.value;
  const isSignatory = identityId === null || receipt.issuer.identityId === identityId;
  if (!isSignatory || keyRecordOf(keys, receipt.issuer)?.accountId !== accountId)
    return err({
      code: 'issuer-not-authorised',
      detail: `${receipt.type} must be signed by ${identityId ?? 'an identity'} of ${accountId}`,
    });
  const place = { eventId: receipt.eventId, hash: receipt.hash, at: receipt.createdAt };
  const state = evolveStream(before, receipt.stream, event.value, place);
  return state.ok ? ok({ state: state.value, event: event.value }) : state;
};
