import type { Selectable } from 'kysely';
import { cardOf, packOf } from '../adapter/postgres/card-resources.ts';
import { tradeOf } from '../adapter/postgres/trade-resources.ts';
import type { BookPlace, CardResource, Holding, LedgerQueries, TradeResource } from '../port/ledger-queries.ts';
import type { ProjectedTable } from '../projection/row-change.ts';
import type { DB } from '../projection/tables.generated.ts';
import type { CardId } from '../receipt/ids.ts';
import { memoryPage } from './memory-page.fixture.ts';

type Table = <T extends ProjectedTable>(table: T) => Selectable<DB[T]>[];
type CardQueries = Pick<LedgerQueries, 'packs' | 'pack' | 'cards' | 'holdings' | 'trades' | 'trade' | 'dueTrades'>;

/** What books hold and exchange, as the queries' port has it, over the tables of the memory read model. */
export const memoryCardQueries = (all: Table): CardQueries => {
  const packs = ({ accountId, bookId }: BookPlace) =>
    all('packs')
      .filter((row) => row.account_id === accountId)
      .map(packOf)
      .filter((pack) => pack.bookId === bookId);
  return {
    packs: async ({ status, ...book }, page) =>
      memoryPage(
        packs(book).filter((pack) => status === null || pack.status === status),
        ({ packId }) => packId,
        page,
      ),
    pack: async (book, packId) => packs(book).find((pack) => pack.packId === packId) ?? null,
    cards: async (book, page) => memoryPage(cardsIn(all, book), ({ instanceId }) => instanceId, page),
    holdings: async (book) => holdingsOf(cardsIn(all, book)),
    trades: async ({ accountIds, bookId, status }, page) =>
      memoryPage(
        tradesIn(all)
          .filter(({ from, to }) =>
            [from, to].some((book) => accountIds.includes(book.accountId) && (bookId === null || book.bookId === bookId)),
          )
          .filter((trade) => status === null || trade.status === status),
        ({ tradeId }) => tradeId,
        page,
      ),
    trade: async (tradeId) => tradesIn(all).find((trade) => trade.tradeId === tradeId) ?? null,
    dueTrades: async (now, limit) =>
      tradesIn(all)
        .filter(({ status, expiresAt }) => (status === 'offered' || status === 'reserved') && expiresAt <= now)
        .sort((a, b) => (a.expiresAt < b.expiresAt ? -1 : 1))
        .map(({ tradeId, from }) => ({ ...from, tradeId }))
        .slice(0, limit),
  };
};

const reservationOf = (all: Table, tradeId: string, bookId: string) =>
  all('trade_reservations').find((row) => row.trade_id === tradeId && row.book_id === bookId);

const tradesIn = (all: Table): TradeResource[] =>
  all('trades').map((row) => {
    const reservation = reservationOf(all, row.trade_id, row.to_book_id);
    const isSettled = row.status === 'accepted' && reservation?.status === 'settled';
    const isReserved = row.status === 'offered' && reservation?.status === 'reserved';
    const shown_status = isSettled ? 'settled' : isReserved ? 'reserved' : row.status;
    return tradeOf({ ...row, shown_status, reservation_event_id: reservation?.event_id ?? null });
  });

/** What an accepted trade brings is on its way, and what it takes about to go, until this book's stream settles it. */
const cardsIn = (all: Table, { accountId, bookId }: BookPlace): CardResource[] => {
  const isHere = (book: BookPlace) => book.bookId === bookId && book.accountId === accountId;
  const moving = tradesIn(all).filter(({ status, to }) => status === 'accepted' && isHere(to));
  const leaving: ReadonlySet<string | null> = new Set(moving.map(({ tradeId }) => tradeId));
  const held = all('card_instances')
    .filter((row) => row.book_id === bookId && row.account_id === accountId)
    .map((row) => {
      const escrow = leaving.has(row.trade_id) ? 'leaving' : 'escrowed';
      return cardOf({ ...row, status: row.trade_id === null ? 'owned' : escrow });
    });
  const arriving = moving.flatMap(({ tradeId, give, endedAt, offeredAt }) =>
    give.map(({ instanceId, cardId }): CardResource => {
      const since = endedAt ?? offeredAt;
      return { instanceId, cardId, status: 'arriving', tradeId, source: 'trade', sourceId: tradeId, since };
    }),
  );
  return [...held, ...arriving];
};

const holdingsOf = (cards: readonly CardResource[]): readonly Holding[] => {
  const held = new Map<CardId, Holding>();
  for (const { cardId, status } of cards.filter((card) => card.status === 'owned' || card.status === 'escrowed')) {
    const { copies, inEscrow } = held.get(cardId) ?? { copies: 0, inEscrow: 0 };
    held.set(cardId, { cardId, copies: copies + 1, inEscrow: inEscrow + (status === 'escrowed' ? 1 : 0) });
  }
  return [...held.values()].sort((a, b) => (a.cardId < b.cardId ? -1 : 1));
};
