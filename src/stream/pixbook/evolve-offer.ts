import { bookIdFor, tradeIdOf } from '../../receipt/ids.ts';
import { type Result, ok } from '../../result.ts';
import type { Place } from '../here.ts';
import type { IllegalEvent } from '../refusal.ts';
import { bookIdOf } from './book-id.ts';
import { areKeptBy, freeCopies, hasTwice, holdsAny, idsOf, sameCopies, sameIds, withCopies, withoutCopies } from './copies.ts';
import type { PixbookEventOf } from './event.ts';
import { type EndOfOffer, offerAfter } from './lifecycle.ts';
import { isOver } from './standing.ts';
import { type BookTrade, type LivePixbook, offerIn, tradeKey } from './state.ts';
import { illegal } from './verdict.ts';
import { isWanted } from './want.ts';

type Evolved = Result<LivePixbook, IllegalEvent>;
type Offer = Extract<BookTrade, { side: 'offerer' }>;

/** What happens to a trade in the book it was offered from. */
export const evolveOffer = (
  state: LivePixbook,
  event: PixbookEventOf<'CARD_TRADE_OFFERED' | EndOfOffer>,
  place: Place,
): Evolved => (event.type === 'CARD_TRADE_OFFERED' ? offered(state, event, place) : ended(state, event, place));

const offered = (state: LivePixbook, event: PixbookEventOf<'CARD_TRADE_OFFERED'>, { eventId, hash, at }: Place): Evolved => {
  const { to, give, want, expiresAt } = event.payload;
  const free = freeCopies(state.cards, idsOf(give));
  if (!free.ok) return illegal(event, free.error.detail);
  if (!sameCopies(free.value, give)) return illegal(event, 'a copy given is of another card');
  if (to.bookId !== bookIdFor(to.identityId, state.collectionId, to.generation))
    return illegal(event, 'the partner’s bookId does not follow from identity, collection and generation');
  if (to.bookId === bookIdOf(state)) return illegal(event, 'the partner is the pixbook itself');
  if (hasTwice([...idsOf(give), ...want.instanceIds])) return illegal(event, 'a copy is wanted twice, or both given and wanted');
  if (isOver(expiresAt, at)) return illegal(event, 'it expired before it was made');
  const tradeId = tradeIdOf(eventId);
  const offer: Offer = { side: 'offerer', status: 'offered', offerHash: hash, to, give, want, expiresAt, end: null };
  return ok({
    ...state,
    cards: withCopies(state.cards, give, tradeId),
    trades: state.trades.set(tradeKey('offerer', tradeId), offer),
    openTrades: state.openTrades === null ? null : state.openTrades + 1,
  });
};

const ended = (state: LivePixbook, event: PixbookEventOf<EndOfOffer>, place: Place): Evolved => {
  const { tradeId } = event.payload;
  const offer = offerIn(state, tradeId);
  if (offer === null) return illegal(event, 'there is no such offer');
  const status = offerAfter(offer.status, event.type);
  if (status === null) return illegal(event, `the offer is ${offer.status}`);
  const fault = faultOf(state, offer, event, place);
  if (fault !== null) return illegal(event, fault);
  const cards =
    event.type === 'CARD_TRADE_ACCEPTED'
      ? withCopies(withoutCopies(state.cards, event.payload.give), event.payload.receive, null)
      : withCopies(state.cards, offer.give, null);
  const end = { eventId: place.eventId, hash: place.hash };
  return ok({
    ...state,
    cards,
    trades: state.trades.set(tradeKey('offerer', tradeId), { ...offer, status, end }),
    openTrades: state.openTrades === null ? null : state.openTrades - 1,
  });
};

const faultOf = (state: LivePixbook, offer: Offer, event: PixbookEventOf<EndOfOffer>, { at }: Place): string | null => {
  const leaving = event.type === 'CARD_TRADE_ACCEPTED' ? event.payload.give : event.payload.instanceIds;
  if (!sameIds(leaving, idsOf(offer.give))) return 'it names other copies than the offer gives';
  if (!areKeptBy(state.cards, event.payload.tradeId, offer.give)) return 'the offer does not keep the copies it gives';
  if (event.type === 'CARD_TRADE_ACCEPTED') return faultOfAcceptance(state, offer, event, at);
  return event.type === 'CARD_TRADE_EXPIRED' && !isOver(offer.expiresAt, at) ? 'the offer stood still' : null;
};

const faultOfAcceptance = (
  state: LivePixbook,
  offer: Offer,
  { payload }: PixbookEventOf<'CARD_TRADE_ACCEPTED'>,
  at: Place['at'],
): string | null => {
  if (payload.offerHash !== offer.offerHash) return 'it quotes another offer';
  if (isOver(offer.expiresAt, at)) return 'the time of the offer was over';
  if (!isWanted(offer.want, payload.receive)) return 'the copies received are not those the offer wants';
  return holdsAny(state.cards, payload.receive) ? 'the pixbook holds one of the copies received' : null;
};
