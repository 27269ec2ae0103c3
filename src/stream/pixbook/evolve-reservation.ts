import { tradeIdOf } from '../../receipt/ids.ts';
import { type Result, ok } from '../../result.ts';
import type { Place } from '../here.ts';
import type { IllegalEvent } from '../refusal.ts';
import { bookIdOf } from './book-id.ts';
import { areKeptBy, freeCopies, hasTwice, holdsAny, idsOf, sameCopies, sameIds, withCopies, withoutCopies } from './copies.ts';
import type { PixbookEventOf } from './event.ts';
import { type EndOfReservation, reservationAfter } from './lifecycle.ts';
import { type BookTrade, type LivePixbook, offerIn, reservationIn, tradeKey } from './state.ts';
import { illegal } from './verdict.ts';

type Evolved = Result<LivePixbook, IllegalEvent>;
type Reservation = Extract<BookTrade, { side: 'accepter' }>;

/** What happens to a trade in the book it was offered to. Whether there is such an offer is for those who see the offerer's book too. */
export const evolveReservation = (
  state: LivePixbook,
  event: PixbookEventOf<'CARD_TRADE_RESERVED' | EndOfReservation>,
  place: Place,
): Evolved => (event.type === 'CARD_TRADE_RESERVED' ? reserved(state, event, place) : ended(state, event));

const reserved = (state: LivePixbook, event: PixbookEventOf<'CARD_TRADE_RESERVED'>, { eventId, hash }: Place): Evolved => {
  const { tradeId, offer, give, take } = event.payload;
  if (tradeId !== tradeIdOf(offer.eventId)) return illegal(event, 'tradeId does not follow from the offer');
  if (offer.bookId === bookIdOf(state) || offerIn(state, tradeId) !== null)
    return illegal(event, 'the offer is the pixbook’s own');
  if (reservationIn(state, tradeId) !== null) return illegal(event, 'the pixbook has reserved for this trade before');
  const free = freeCopies(state.cards, idsOf(give));
  if (!free.ok) return illegal(event, free.error.detail);
  if (!sameCopies(free.value, give)) return illegal(event, 'a copy given is of another card');
  if (hasTwice(idsOf(take))) return illegal(event, 'a copy is taken twice');
  // Those it gives are among those it holds.
  if (holdsAny(state.cards, take)) return illegal(event, 'the pixbook holds one of the copies taken');
  const reservation: Reservation = {
    side: 'accepter',
    status: 'reserved',
    offer: { accountId: offer.accountId, bookId: offer.bookId, hash: offer.hash },
    give,
    take,
    reservation: { eventId, hash },
  };
  return ok({
    ...state,
    cards: withCopies(state.cards, give, tradeId),
    trades: state.trades.set(tradeKey('accepter', tradeId), reservation),
    openTrades: state.openTrades === null ? null : state.openTrades + 1,
  });
};

const ended = (state: LivePixbook, event: PixbookEventOf<EndOfReservation>): Evolved => {
  const { tradeId } = event.payload;
  const reservation = reservationIn(state, tradeId);
  if (reservation === null) return illegal(event, 'there is no such reservation');
  const status = reservationAfter(reservation.status, event.type);
  if (status === null) return illegal(event, `the reservation is ${reservation.status}`);
  const fault = faultOf(state, reservation, event);
  if (fault !== null) return illegal(event, fault);
  const cards =
    event.type === 'CARD_TRADE_SETTLED'
      ? withCopies(withoutCopies(state.cards, event.payload.give), event.payload.take, null)
      : withCopies(state.cards, reservation.give, null);
  return ok({
    ...state,
    cards,
    trades: state.trades.set(tradeKey('accepter', tradeId), { ...reservation, status }),
    openTrades: state.openTrades === null ? null : state.openTrades - 1,
  });
};

const faultOf = (state: LivePixbook, reservation: Reservation, event: PixbookEventOf<EndOfReservation>): string | null => {
  const leaving = event.type === 'CARD_TRADE_SETTLED' ? event.payload.give : event.payload.instanceIds;
  if (!sameIds(leaving, idsOf(reservation.give))) return 'it names other copies than the reservation gives';
  if (!areKeptBy(state.cards, event.payload.tradeId, reservation.give))
    return 'the reservation does not keep the copies it gives';
  if (event.type === 'CARD_TRADE_RELEASED') return null;
  if (!sameCopies(event.payload.take, reservation.take)) return 'it takes other copies than the reservation';
  return holdsAny(state.cards, event.payload.take) ? 'the pixbook holds one of the copies taken' : null;
};
