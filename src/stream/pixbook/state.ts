import type { Map as ImmutableMap } from 'immutable';
import type {
  AccountId,
  BookId,
  CardId,
  CollectionId,
  EventId,
  IdentityId,
  InstanceId,
  Instant,
  PackId,
  ReceiptHash,
  TradeId,
} from '../../receipt/ids.ts';
import type { Citation, Instance, TradePartner, Want } from './event.ts';

/** A copy the book holds. `escrow` names the trade that keeps it from being given or removed otherwise. */
export type HeldCard = { readonly cardId: CardId; readonly escrow: TradeId | null };

export type Pack = { readonly status: 'issued' | 'opened' };

/** What became of an offer, in the offerer's book. Only `offered` can change. */
export type OfferStatus = 'offered' | 'accepted' | 'declined' | 'cancelled' | 'expired';
/** What became of a reservation, in the accepter's book. Only `reserved` can change. */
export type ReservationStatus = 'reserved' | 'settled' | 'released';

/** A trade as one of the two books has it. */
export type BookTrade =
  | {
      readonly side: 'offerer';
      readonly status: OfferStatus;
      readonly offerHash: ReceiptHash;
      readonly to: TradePartner;
      readonly give: readonly Instance[];
      readonly want: Want;
      readonly expiresAt: Instant;
      /** The receipt that ended it (accepted, declined, cancelled or expired), as others cite it; null while it stands. */
      readonly end: Citation | null;
    }
  | {
      readonly side: 'accepter';
      readonly status: ReservationStatus;
      readonly offer: { readonly accountId: AccountId; readonly bookId: BookId; readonly hash: ReceiptHash };
      readonly give: readonly Instance[];
      readonly take: readonly Instance[];
      /** The reservation itself, as others cite it. */
      readonly reservation: Citation;
    };

export type TradeSide = BookTrade['side'];

/**
 * What the rules of a pixbook need to know of it. `head` is its last receipt: the base a save must name.
 *
 * `cards`, `packs` and `trades` are whole when a stream is replayed from its start. For one command they hold what its `Concerns` name and
 * nothing else, so that no command depends on how much a book holds: a rule may only look up what the concerns of its command or event
 * name. Trades are by id and side: a book that trades with itself is refused, but a forged receipt must not hide behind its twin.
 */
export type PixbookState =
  | { readonly status: 'absent' }
  | {
      readonly status: 'open' | 'closed';
      readonly identityId: IdentityId;
      readonly collectionId: CollectionId;
      readonly generation: number;
      readonly head: EventId;
      readonly cards: ImmutableMap<InstanceId, HeldCard>;
      readonly packs: ImmutableMap<PackId, Pack>;
      readonly trades: ImmutableMap<string, BookTrade>;
      /** Trades in status `offered` or `reserved`. Null when it was not asked for. */
      readonly openTrades: number | null;
    };

export type LivePixbook = Exclude<PixbookState, { status: 'absent' }>;

export const noPixbook: PixbookState = { status: 'absent' };

/** The key of `trades`. */
export const tradeKey = (side: TradeSide, tradeId: TradeId): string => `${side} ${tradeId}`;

/** The offer or reservation with this id, if the state has it. */
export const offerIn = (state: LivePixbook, tradeId: TradeId): Extract<BookTrade, { side: 'offerer' }> | null => {
  const trade = state.trades.get(tradeKey('offerer', tradeId));
  return trade?.side === 'offerer' ? trade : null;
};

export const reservationIn = (state: LivePixbook, tradeId: TradeId): Extract<BookTrade, { side: 'accepter' }> | null => {
  const trade = state.trades.get(tradeKey('accepter', tradeId));
  return trade?.side === 'accepter' ? trade : null;
};
