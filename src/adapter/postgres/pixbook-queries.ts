import { sql } from 'kysely';
import type { LedgerQueries } from '../../port/ledger-queries.ts';
import { parseAccountId } from '../../receipt/ids.ts';
import { stored } from '../stored-column.ts';
import { type Asking, headColumns, pageOf } from './query-page.ts';
import { pixbookOf } from './resources.ts';
import { tenants } from './scope.ts';

/** Pixbooks, one or in lists. */
export const pixbookQueries = ({ db, ask }: Asking): Pick<LedgerQueries, 'pixbooks' | 'pixbook' | 'accountOfBook'> => ({
  pixbooks: async ({ accountIds, identityId, collectionId }, page) => {
    // A page of each account, and of those the first: work is bounded by accounts times page, however many books there are.
    const perAccount = db
      .selectFrom(sql<{ account_id: string }>`unnest(${[...new Set(accountIds)]}::text[])`.as<'a'>(sql`a(account_id)`))
      .innerJoinLateral(
        (from) => {
          let inner = from.selectFrom('pixbooks').selectAll().whereRef('pixbooks.account_id', '=', 'a.account_id');
          if (identityId !== null) inner = inner.where('identity_id', '=', identityId);
          if (collectionId !== null) inner = inner.where('collection_id', '=', collectionId);
          if (page.after !== null) inner = inner.where('book_id', '>', page.after);
          return inner
            .orderBy('book_id')
            .limit(page.limit + 1)
            .as('b');
        },
        (join) => join.onTrue(),
      )
      .innerJoin('pixbook_ledger_heads as h', 'h.book_id', 'b.book_id');
    const query = perAccount
      .selectAll('b')
      .select(headColumns)
      .orderBy('b.book_id')
      .limit(page.limit + 1);
    return pageOf(await ask(tenants(...accountIds), query), page, pixbookOf);
  },
  pixbook: async ({ accountId, bookId }) => {
    const [row] = await ask(
      tenants(accountId),
      db
        .selectFrom('pixbooks as b')
        .innerJoin('pixbook_ledger_heads as h', 'h.book_id', 'b.book_id')
        .selectAll('b')
        .select(headColumns)
        .where('b.book_id', '=', bookId),
    );
    return row === undefined ? null : pixbookOf(row);
  },
  accountOfBook: async (bookId) => {
    const [row] = await ask('directory', db.selectFrom('pixbooks').select('account_id').where('book_id', '=', bookId));
    return row === undefined ? null : stored('pixbooks.account_id', parseAccountId, row.account_id);
  },
});
