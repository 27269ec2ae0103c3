import { sql } from 'kysely';
import type { LedgerQueries, TradeStatus } from '../../port/ledger-queries.ts';
import { parseAccountId } from '../../receipt/ids.ts';
import type { OfferStatus } from '../../stream/pixbook/state.ts';
import { stored } from '../stored-column.ts';
import { type Asking, pageOf } from './query-page.ts';
import { tenants } from './scope.ts';
import { dueTradeOf, tradeOf } from './trade-resources.ts';

/** Trades, whichever of the two books they are seen from. */
export const tradeQueries = ({ db, ask }: Asking): Pick<LedgerQueries, 'trades' | 'trade' | 'dueTrades'> => ({
  trades: async ({ accountIds, bookId, status }, page) => {
    const books =
      bookId === null
        ? db
            .selectFrom('pixbooks')
            .select('book_id')
            .where('account_id', '=', sql<string>`ANY (${[...new Set(accountIds)]}::text[])`)
        : db.selectFrom(sql<{ book_id: string }>`unnest(${[bookId]}::text[])`.as<'u'>(sql`u(book_id)`)).select('book_id');
    // A page of each book on each side, and of those the first: work is bounded by books times page, however many trades there are.
    const onSide = (side: 't.book_id' | 't.to_book_id') =>
      db
        .selectFrom(books.as('b'))
        .innerJoinLateral(
          () => {
            let inner = shownTrades(db).where(sql.ref(side), '=', sql.ref('b.book_id'));
            if (status !== null) inner = inner.where('t.status', '=', offererStatuses[status]).where(shownStatus, '=', status);
            if (page.after !== null) inner = inner.where('t.trade_id', '>', page.after);
            return inner
              .orderBy('t.trade_id')
              .limit(page.limit + 1)
              .as('s');
          },
          (join) => join.onTrue(),
        )
        .selectAll('s');
    // Both books of a trade may be among those asked for.
    const query = db
      .selectFrom(onSide('t.book_id').unionAll(onSide('t.to_book_id')).as('either'))
      .distinctOn('trade_id')
      .selectAll();
    return pageOf(await ask(tenants(...accountIds), query.orderBy('trade_id').limit(page.limit + 1)), page, tradeOf);
  },
  trade: async (tradeId) => {
    // Two statements: whose a trade is was said by its first receipt for good.
    const ours = db.selectFrom('trades').select(['account_id', 'to_account_id']).where('trade_id', '=', tradeId);
    const [parties] = await ask('directory', ours);
    if (parties === undefined) return null;
    const accountIds = [parties.account_id, parties.to_account_id].map((id) => stored('trades.account_id', parseAccountId, id));
    const [row] = await ask(tenants(...accountIds), shownTrades(db).where('t.trade_id', '=', tradeId));
    return row === undefined ? null : tradeOf(row);
  },
  dueTrades: async (now, limit) => {
    const query = db
      .selectFrom('trades')
      .select(['account_id', 'book_id', 'trade_id'])
      // The word of the index's condition: as a parameter it would not be recognised.
      .where('status', '=', sql.lit('offered'))
      .where('expires_at', '<=', now);
    return (await ask('directory', query.orderBy('expires_at').orderBy('trade_id').limit(limit))).map(dueTradeOf);
  },
});

/** One status for both books. The offerer's row decides; what the partner has reserved or settled is told beside it. */
const shownStatus = sql<string>`CASE
  WHEN t.status = 'accepted' AND v.status = 'settled' THEN 'settled'
  WHEN t.status = 'offered' AND v.status = 'reserved' THEN 'reserved'
  ELSE t.status END`;

/** What the offerer's row says of a trade that is shown with a status: told by that row alone, it spares a look at the partner's. */
const offererStatuses = {
  offered: 'offered',
  reserved: 'offered',
  accepted: 'accepted',
  settled: 'accepted',
  declined: 'declined',
  cancelled: 'cancelled',
  expired: 'expired',
} as const satisfies { readonly [S in TradeStatus]: OfferStatus };

/** The partner's row is looked up by its whole key, trade by trade: as a plain join it could become all that the book ever reserved. */
const shownTrades = (db: Asking['db']) =>
  db
    .selectFrom('trades as t')
    .leftJoinLateral(
      (from) =>
        from
          .selectFrom('trade_reservations as r')
          .select(['r.status', 'r.event_id'])
          .whereRef('r.book_id', '=', 't.to_book_id')
          .whereRef('r.trade_id', '=', 't.trade_id')
          .limit(1)
          .as('v'),
      (join) => join.onTrue(),
    )
    .selectAll('t')
    .select(['v.event_id as reservation_event_id', shownStatus.as('shown_status')]);
