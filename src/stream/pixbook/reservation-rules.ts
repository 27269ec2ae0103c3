import { limits } from '../../limits.ts';
import { type Instant, type TradeId, offerEventIdOf } from '../../receipt/ids.ts';
import { type Result, ok } from '../../result.ts';
import type { Here } from '../here.ts';
import type { Refusal } from '../refusal.ts';
import { bookIdOf } from './book-id.ts';
import type { TradeCommand } from './command.ts';
import { type CopyRefusal, freeCopies, holdsAny, idsOf } from './copies.ts';
import type { PixbookEvent } from './event.ts';
import { type EndOfReservation, openTradesOf, reservationAfter } from './lifecycle.ts';
import { type EndRefusal, mayBeAccepted } from './standing.ts';
import { type BookTrade, type LivePixbook, reservationIn } from './state.ts';
import { refuse } from './verdict.ts';
import { isWanted } from './want.ts';

export type ReservationRefusal =
  | Refusal<
      | 'trade-missing'
      | 'trade-not-yours' // this book is not the one it was offered to
      | 'trade-reserved' // this book's acceptance is under way or done
      | 'trade-want-mismatch' // what is given is not what the offer wants
      | 'too-many-trades'
    >
  | CopyRefusal
  | EndRefusal;

type Decision = Result<PixbookEvent, ReservationRefusal>;

/** What happens to a trade in the book it was offered to. */
export type ReservationCommand = Extract<TradeCommand, { type: 'reserve-trade' | 'settle-trade' | 'release-trade' }>;

export const decideReservation = (state: LivePixbook, command: ReservationCommand, { at }: Here): Decision => {
  switch (command.type) {
    case 'reserve-trade':
      return reserve(state, command, at);
    case 'settle-trade':
      return settle(state, command);
    case 'release-trade':
      return release(state, command);
  }
};

const reserve = (
  state: LivePixbook,
  { tradeId, offer, give }: Extract<ReservationCommand, { type: 'reserve-trade' }>,
  at: Instant,
): Decision => {
  if (offer === null) return refuse('trade-missing', 'there is no such offer');
  if (offer.to.bookId !== bookIdOf(state)) return refuse('trade-not-yours', 'the trade was offered to another pixbook');
  if (reservationIn(state, tradeId) !== null)
    return refuse('trade-reserved', 'the pixbook’s acceptance of this trade is under way or done');
  const may = mayBeAccepted(offer, at);
  if (!may.ok) return may;
  const free = freeCopies(state.cards, [...offer.want.instanceIds, ...give]);
  if (!free.ok) return free;
  if (!isWanted(offer.want, free.value)) return refuse('trade-want-mismatch', 'the copies given are not those the offer wants');
  // It was given away by an earlier trade whose settlement is still to come: until then this book shows it, and cannot show it twice.
  if (holdsAny(state.cards, offer.give))
    return refuse(
      'card-in-escrow',
      'a copy offered is still leaving this pixbook by an earlier trade; try again once that is settled',
    );
  if (openTradesOf(state) >= limits.openTradesPerBook)
    return refuse('too-many-trades', `a pixbook has at most ${limits.openTradesPerBook} open trades`);
  const { accountId, bookId, offerHash: hash } = offer;
  const cited = { accountId, bookId, eventId: offerEventIdOf(tradeId), hash };
  return ok({
    type: 'CARD_TRADE_RESERVED',
    payload: { tradeId, offer: cited, give: [...free.value], take: [...offer.give] },
  });
};

const settle = (state: LivePixbook, { tradeId, acceptance }: Extract<ReservationCommand, { type: 'settle-trade' }>): Decision => {
  const reservation = openReservation(state, tradeId, 'CARD_TRADE_SETTLED');
  if (!reservation.ok) return reservation;
  const { give, take } = reservation.value;
  return ok({ type: 'CARD_TRADE_SETTLED', payload: { tradeId, acceptance, give: idsOf(give), take: [...take] } });
};

const release = (state: LivePixbook, { tradeId, outcome }: Extract<ReservationCommand, { type: 'release-trade' }>): Decision => {
  const reservation = openReservation(state, tradeId, 'CARD_TRADE_RELEASED');
  return reservation.ok
    ? ok({ type: 'CARD_TRADE_RELEASED', payload: { tradeId, outcome, instanceIds: idsOf(reservation.value.give) } })
    : reservation;
};

const openReservation = (
  state: LivePixbook,
  tradeId: TradeId,
  end: EndOfReservation,
): Result<Extract<BookTrade, { side: 'accepter' }>, ReservationRefusal> => {
  const reservation = reservationIn(state, tradeId);
  if (reservation === null) return refuse('trade-missing', 'the pixbook has no reservation for this trade');
  if (reservationAfter(reservation.status, end) !== null) return ok(reservation);
  return reservation.status === 'settled'
    ? refuse('trade-accepted', 'the trade was accepted, and is settled')
    : refuse('trade-cancelled', 'the trade came to nothing, and the copies are free again');
};
