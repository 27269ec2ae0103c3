import { type InstanceId, type TradeId, tradeIdOf } from '../../receipt/ids.ts';
import { type Book, headOf, live } from './book.fixture.ts';
import type { OfferSeen, PixbookCommand, TradeCommand } from './command.ts';
import type { Citation } from './event.ts';
import { offerIn, reservationIn } from './state.ts';

type Command<T extends TradeCommand['type']> = Extract<PixbookCommand, { type: T }>;

/** The trade that a book's last receipt offers. */
export const tradeOf = (offered: Book): TradeId => tradeIdOf(headOf(offered).eventId);

/** An offer as the accepter sees it in the offerer's book; null when there is none. */
export const offerSeenIn = (offered: Book, tradeId: TradeId): OfferSeen | null => {
  const offer = offerIn(live(offered), tradeId);
  const { accountId, bookId } = offered.owner;
  return offer === null ? null : { ...offer, accountId, bookId };
};

export const reserves = (offered: Book, tradeId: TradeId, ...give: readonly InstanceId[]): Command<'reserve-trade'> => ({
  type: 'reserve-trade',
  tradeId,
  offer: offerSeenIn(offered, tradeId),
  give,
});

export const accepts = (reserved: Book, tradeId: TradeId): Command<'accept-trade'> => {
  const { reservation, give } = made(reservationIn(live(reserved), tradeId));
  return { type: 'accept-trade', tradeId, reservation, give };
};

export const declines = (tradeId: TradeId): PixbookCommand => ({ type: 'decline-trade', tradeId });
export const cancels = (tradeId: TradeId): PixbookCommand => ({ type: 'cancel-trade', tradeId });
export const expires = (tradeId: TradeId): PixbookCommand => ({ type: 'expire-trade', tradeId });

export const settles = (accepted: Book, tradeId: TradeId): PixbookCommand => ({
  type: 'settle-trade',
  tradeId,
  acceptance: endOf(accepted, tradeId),
});
export const releases = (ended: Book, tradeId: TradeId): PixbookCommand => ({
  type: 'release-trade',
  tradeId,
  outcome: endOf(ended, tradeId),
});

const endOf = (ended: Book, tradeId: TradeId): Citation => made(made(offerIn(live(ended), tradeId)).end);

const made = <T>(part: T | null): T => {
  if (part === null) throw new Error('that has not happened');
  return part;
};
