import { canonicalText } from '../receipt/canonical.ts';
import type { StreamOf } from '../receipt/stream.ts';
import type { PixbookEvent, PixbookEventOf } from '../stream/pixbook/event.ts';
import { entering, leaving } from './held-cards.ts';
import type { Place } from './place.ts';
import { tradeChanges } from './project-trade.ts';
import type { RowChange } from './row-change.ts';

/** What a receipt of a pixbook changes. */
export const pixbookChanges = (book: StreamOf<'pixbook'>, event: PixbookEvent, place: Place): readonly RowChange[] => {
  const { bookId: book_id } = book;
  const { eventId, createdAt: at } = place;
  switch (event.type) {
    case 'PIXBOOK_CREATED':
      return created(book, event, place);
    case 'PIXBOOK_SAVE': {
      const set = { state: canonicalText(event.payload.state), state_event_id: eventId, saved_at: at };
      return [{ op: 'update', table: 'pixbooks', key: { book_id }, set }];
    }
    case 'PIXBOOK_CLOSED':
      return [{ op: 'update', table: 'pixbooks', key: { book_id }, set: { status: 'closed', closed_at: at } }];
    case 'PACK_ISSUED':
      return issued(book, event, place);
    case 'PACK_OPENED': {
      const { packId: pack_id } = event.payload;
      return [{ op: 'update', table: 'packs', key: { book_id, pack_id }, set: { status: 'opened', opened_at: at } }];
    }
    case 'CARD_ADDED':
      return entering(book, event.payload.cards, { source: 'grant', id: eventId }, at);
    case 'CARD_REMOVED':
      return leaving(book, event.payload.instanceIds);
    default:
      return tradeChanges(book, event, place);
  }
};

const created = (
  { accountId: account_id, bookId: book_id }: StreamOf<'pixbook'>,
  { payload }: PixbookEventOf<'PIXBOOK_CREATED'>,
  { createdAt: at }: Place,
): readonly RowChange[] => {
  const { identityId: identity_id, collectionId: collection_id, generation } = payload;
  const empty = { state: null, state_event_id: null, saved_at: null, closed_at: null };
  const row = { book_id, account_id, identity_id, collection_id, generation, status: 'open', created_at: at, ...empty };
  return [{ op: 'insert', table: 'pixbooks', row }];
};

const issued = (
  book: StreamOf<'pixbook'>,
  { payload }: PixbookEventOf<'PACK_ISSUED'>,
  { eventId: event_id, createdAt: at }: Place,
): readonly RowChange[] => {
  const { packId: pack_id, dropId: drop_id, claim, cards } = payload;
  const row = { book_id: book.bookId, pack_id, account_id: book.accountId, drop_id, code_id: claim?.codeId ?? null, event_id };
  const unopened = { status: 'issued', cards: canonicalText(cards), issued_at: at, opened_at: null };
  return [
    { op: 'insert', table: 'packs', row: { ...row, ...unopened } },
    ...entering(book, cards, { source: 'pack', id: pack_id }, at),
  ];
};
