import { Map as ImmutableMap } from 'immutable';
import {
  type InstanceId,
  type PackId,
  type TradeId,
  parseAccountId,
  parseBookId,
  parseCardId,
  parseEventId,
  parseIdentityId,
  parseInstanceId,
  parsePackId,
  parseReceiptHash,
  parseTradeId,
} from '../receipt/ids.ts';
import { type Citation, pixbookPayloads } from '../stream/pixbook/event.ts';
import { type BookTrade, type HeldCard, type LivePixbook, type Pack, tradeKey } from '../stream/pixbook/state.ts';
import {
  MalformedRow,
  type RawRow,
  stored,
  storedCount,
  storedInstant,
  storedJson,
  storedOrNull,
  storedWord,
} from './stored-column.ts';

/** Rows of what a pixbook holds → the parts of its state. Columns are named as in schema.sql. All throw `MalformedRow`. */

/** The parts of a book's state that a view holds only as far as its concerns ask for them. */
export type BookSlice = Pick<LivePixbook, 'cards' | 'packs' | 'trades' | 'openTrades'>;

export const noSlice: BookSlice = { cards: ImmutableMap(), packs: ImmutableMap(), trades: ImmutableMap(), openTrades: null };

/** Rows of one book each; `offers` are rows of `trades`, `reservations` of `trade_reservations`. */
export type SliceRows = {
  readonly cards: readonly RawRow[];
  readonly packs: readonly RawRow[];
  readonly offers: readonly RawRow[];
  readonly reservations: readonly RawRow[];
  readonly openTrades: number | null;
};

export const sliceOfRows = ({ cards, packs, offers, reservations, openTrades }: SliceRows): BookSlice => ({
  cards: ImmutableMap(cards.map(heldCardOfRow)),
  packs: ImmutableMap(packs.map(packOfRow)),
  trades: ImmutableMap([...offers.map(offerOfRow), ...reservations.map(reservationOfRow)].map(byKey)),
  openTrades,
});

const byKey = ([tradeId, trade]: readonly [TradeId, BookTrade]): [string, BookTrade] => [tradeKey(trade.side, tradeId), trade];

/** From a row of `card_instances`: instance_id, card_id and trade_id. */
export const heldCardOfRow = (row: RawRow): [InstanceId, HeldCard] => [
  stored('card_instances.instance_id', parseInstanceId, row.instance_id),
  {
    cardId: stored('card_instances.card_id', parseCardId, row.card_id),
    escrow: storedOrNull('card_instances.trade_id', parseTradeId, row.trade_id),
  },
];

/** From a row of `packs`: pack_id and status. */
export const packOfRow = (row: RawRow): [PackId, Pack] => [
  stored('packs.pack_id', parsePackId, row.pack_id),
  { status: storedWord('packs.status', ['issued', 'opened'], row.status) },
];

const { give: offered, want } = pixbookPayloads.CARD_TRADE_OFFERED.shape;
const { give: reserved, take } = pixbookPayloads.CARD_TRADE_RESERVED.shape;

/** From a row of `trades`: the trade as the offerer's book has it. */
export const offerOfRow = (row: RawRow): [TradeId, Extract<BookTrade, { side: 'offerer' }>] => [
  stored('trades.trade_id', parseTradeId, row.trade_id),
  {
    side: 'offerer',
    status: storedWord('trades.status', ['offered', 'accepted', 'declined', 'cancelled', 'expired'], row.status),
    offerHash: stored('trades.offer_hash', parseReceiptHash, row.offer_hash),
    to: {
      accountId: stored('trades.to_account_id', parseAccountId, row.to_account_id),
      identityId: stored('trades.to_identity_id', parseIdentityId, row.to_identity_id),
      bookId: stored('trades.to_book_id', parseBookId, row.to_book_id),
      generation: storedCount('trades.to_generation', row.to_generation),
    },
    give: storedJson('trades.give', offered, row.give),
    want: storedJson('trades.want', want, row.want),
    expiresAt: storedInstant('trades.expires_at', row.expires_at),
    end: endOfRow(row),
  },
];

const endOfRow = (row: RawRow): Citation | null => {
  if ((row.end_event_id === null) !== (row.status === 'offered')) throw new MalformedRow('trades.end_event_id');
  if (row.end_event_id === null) return null;
  return {
    eventId: stored('trades.end_event_id', parseEventId, row.end_event_id),
    hash: stored('trades.end_hash', parseReceiptHash, row.end_hash),
  };
};

/** From a row of `trade_reservations`: the trade as the accepter's book has it. */
export const reservationOfRow = (row: RawRow): [TradeId, Extract<BookTrade, { side: 'accepter' }>] => [
  stored('trade_reservations.trade_id', parseTradeId, row.trade_id),
  {
    side: 'accepter',
    status: storedWord('trade_reservations.status', ['reserved', 'settled', 'released'], row.status),
    offer: {
      accountId: stored('trade_reservations.offer_account_id', parseAccountId, row.offer_account_id),
      bookId: stored('trade_reservations.offer_book_id', parseBookId, row.offer_book_id),
      hash: stored('trade_reservations.offer_hash', parseReceiptHash, row.offer_hash),
    },
    give: storedJson('trade_reservations.give', reserved, row.give),
    take: storedJson('trade_reservations.take', take, row.take),
    reservation: {
      eventId: stored('trade_reservations.event_id', parseEventId, row.event_id),
      hash: stored('trade_reservations.hash', parseReceiptHash, row.hash),
    },
  },
];
