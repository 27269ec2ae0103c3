import { canonicalText } from '../receipt/canonical.ts';
import { tradeIdOf } from '../receipt/ids.ts';
import type { StreamOf } from '../receipt/stream.ts';
import type { PixbookEvent, PixbookEventOf } from '../stream/pixbook/event.ts';
import { entering, escrow, idsOf, leaving } from './held-cards.ts';
import type { Place } from './place.ts';
import type { RowChange } from './row-change.ts';

type TradeEvent = Extract<PixbookEvent, { type: `CARD_TRADE_${string}` }>;
type Book = StreamOf<'pixbook'>;

/**
 * What a receipt of a trade changes in the book it lies in. At each moment a copy is in the rows of one book: at the acceptance the given
 * ones leave the offerer's and the returned ones enter them, while the accepter's keep the returned ones in escrow until they settle.
 */
export const tradeChanges = (book: Book, event: TradeEvent, place: Place): readonly RowChange[] => {
  switch (event.type) {
    case 'CARD_TRADE_OFFERED':
      return offered(book, event, place);
    case 'CARD_TRADE_RESERVED':
      return reserved(book, event, place);
    case 'CARD_TRADE_ACCEPTED':
      return accepted(book, event, place);
    case 'CARD_TRADE_SETTLED':
      return settled(book, event, place);
    case 'CARD_TRADE_RELEASED':
      return [endedReservation(book, event, 'released', place), ...escrow(book, event.payload.instanceIds, null)];
    case 'CARD_TRADE_DECLINED':
      return withdrawn(book, event, 'declined', place);
    case 'CARD_TRADE_CANCELLED':
      return withdrawn(book, event, 'cancelled', place);
    case 'CARD_TRADE_EXPIRED':
      return withdrawn(book, event, 'expired', place);
  }
};

const offered = (
  book: Book,
  { payload }: PixbookEventOf<'CARD_TRADE_OFFERED'>,
  { eventId, hash: offer_hash, createdAt: offered_at }: Place,
): readonly RowChange[] => {
  const { to, give, want, expiresAt: expires_at } = payload;
  const trade_id = tradeIdOf(eventId);
  const partner = {
    to_account_id: to.accountId,
    to_identity_id: to.identityId,
    to_book_id: to.bookId,
    to_generation: to.generation,
  };
  const terms = { give: canonicalText(give), want: canonicalText(want), offer_hash, offered_at, expires_at };
  const unended = { status: 'offered', receive: null, ended_at: null, end_event_id: null, end_hash: null };
  const row = { trade_id, account_id: book.accountId, book_id: book.bookId, ...partner, ...terms, ...unended };
  return [{ op: 'insert', table: 'trades', row }, ...escrow(book, idsOf(give), trade_id)];
};

const reserved = (
  book: Book,
  { payload }: PixbookEventOf<'CARD_TRADE_RESERVED'>,
  { eventId: event_id, hash, createdAt: reserved_at }: Place,
): readonly RowChange[] => {
  const { tradeId: trade_id, offer, give, take } = payload;
  const source = { offer_account_id: offer.accountId, offer_book_id: offer.bookId, offer_hash: offer.hash };
  const terms = { give: canonicalText(give), take: canonicalText(take), event_id, hash, reserved_at };
  const of = { book_id: book.bookId, trade_id, account_id: book.accountId, status: 'reserved', ended_at: null };
  return [
    { op: 'insert', table: 'trade_reservations', row: { ...of, ...source, ...terms } },
    ...escrow(book, idsOf(give), trade_id),
  ];
};

const accepted = (
  book: Book,
  { payload }: PixbookEventOf<'CARD_TRADE_ACCEPTED'>,
  { eventId: end_event_id, hash: end_hash, createdAt: at }: Place,
): readonly RowChange[] => {
  const { tradeId: trade_id, give, receive } = payload;
  const set = { status: 'accepted', receive: canonicalText(receive), ended_at: at, end_event_id, end_hash };
  return [
    { op: 'update', table: 'trades', key: { trade_id }, set },
    ...leaving(book, give),
    ...entering(book, receive, { source: 'trade', id: trade_id }, at),
  ];
};

const settled = (book: Book, event: PixbookEventOf<'CARD_TRADE_SETTLED'>, place: Place): readonly RowChange[] => {
  const { tradeId, give, take } = event.payload;
  return [
    endedReservation(book, event, 'settled', place),
    ...leaving(book, give),
    ...entering(book, take, { source: 'trade', id: tradeId }, place.createdAt),
  ];
};

const endedReservation = (
  { bookId: book_id }: Book,
  { payload }: PixbookEventOf<'CARD_TRADE_SETTLED' | 'CARD_TRADE_RELEASED'>,
  status: string,
  { createdAt: ended_at }: Place,
): RowChange => ({
  op: 'update',
  table: 'trade_reservations',
  key: { book_id, trade_id: payload.tradeId },
  set: { status, ended_at },
});

const withdrawn = (
  book: Book,
  { payload }: PixbookEventOf<'CARD_TRADE_DECLINED' | 'CARD_TRADE_CANCELLED' | 'CARD_TRADE_EXPIRED'>,
  status: string,
  { eventId: end_event_id, hash: end_hash, createdAt: ended_at }: Place,
): readonly RowChange[] => [
  {
    op: 'update',
    table: 'trades',
    key: { trade_id: payload.tradeId },
    set: { status, ended_at, end_event_id, end_hash },
  },
  ...escrow(book, payload.instanceIds, null),
];
