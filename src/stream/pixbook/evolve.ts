import { Map as ImmutableMap } from 'immutable';
import { type Result, ok } from '../../result.ts';
import type { Place } from '../here.ts';
import type { IllegalEvent } from '../refusal.ts';
import type { PixbookEvent, PixbookEventOf } from './event.ts';
import { evolveCards } from './evolve-cards.ts';
import { evolveOffer } from './evolve-offer.ts';
import { evolvePacks } from './evolve-packs.ts';
import { evolveReservation } from './evolve-reservation.ts';
import { bookAfter, openTradesOf } from './lifecycle.ts';
import type { LivePixbook, PixbookState } from './state.ts';
import { illegal } from './verdict.ts';

/**
 * The state after an event at this place. Looks up nothing but what the event's concerns name. Errors: `illegal-event` when no state of ours
 * could have led to it, as far as this stream alone can tell. Numbers in `limits` are not asked for again: they may change, and what was
 * written under the old ones stays true.
 */
export const evolvePixbook = (state: PixbookState, event: PixbookEvent, place: Place): Result<PixbookState, IllegalEvent> => {
  if (event.type === 'PIXBOOK_CREATED')
    return bookAfter(state.status, event.type) === null ? illegal(event, 'the pixbook exists') : ok(created(event, place));
  const happening = event.type === 'PIXBOOK_CLOSED' ? event.type : 'anything else';
  if (state.status === 'absent' || bookAfter(state.status, happening) === null)
    return illegal(event, `the pixbook is ${state.status}`);
  const after = evolveOpen(state, event, place);
  return after.ok ? ok({ ...after.value, head: place.eventId }) : after;
};

const created = ({ payload }: PixbookEventOf<'PIXBOOK_CREATED'>, { eventId }: Place): PixbookState => ({
  status: 'open',
  ...payload,
  head: eventId,
  cards: ImmutableMap(),
  packs: ImmutableMap(),
  trades: ImmutableMap(),
  openTrades: 0,
});

const evolveOpen = (
  state: LivePixbook,
  event: Exclude<PixbookEvent, { type: 'PIXBOOK_CREATED' }>,
  place: Place,
): Result<LivePixbook, IllegalEvent> => {
  switch (event.type) {
    case 'PIXBOOK_SAVE':
      return event.payload.baseEventId === state.head ? ok(state) : illegal(event, 'it is not based on the receipt before it');
    case 'PIXBOOK_CLOSED':
      return openTradesOf(state) === 0 ? ok({ ...state, status: 'closed' }) : illegal(event, 'the pixbook has open trades');
    case 'PACK_ISSUED':
    case 'PACK_OPENED':
      return evolvePacks(state, event);
    case 'CARD_ADDED':
    case 'CARD_REMOVED':
      return evolveCards(state, event, place);
    case 'CARD_TRADE_RESERVED':
    case 'CARD_TRADE_SETTLED':
    case 'CARD_TRADE_RELEASED':
      return evolveReservation(state, event, place);
    default:
      return evolveOffer(state, event, place);
  }
};
