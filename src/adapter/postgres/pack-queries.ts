import type { LedgerQueries } from '../../port/ledger-queries.ts';
import { packOf } from './card-resources.ts';
import { type Asking, pageOf } from './query-page.ts';
import { tenants } from './scope.ts';

/** Packs of a book. */
export const packQueries = ({ db, ask }: Asking): Pick<LedgerQueries, 'packs' | 'pack'> => ({
  packs: async ({ accountId, bookId, status }, page) => {
    let query = db.selectFrom('packs').selectAll().where('book_id', '=', bookId);
    if (status !== null) query = query.where('status', '=', status);
    if (page.after !== null) query = query.where('pack_id', '>', page.after);
    return pageOf(await ask(tenants(accountId), query.orderBy('pack_id').limit(page.limit + 1)), page, packOf);
  },
  pack: async ({ accountId, bookId }, packId) => {
    const query = db.selectFrom('packs').selectAll().where('book_id', '=', bookId).where('pack_id', '=', packId);
    const [row] = await ask(tenants(accountId), query);
    return row === undefined ? null : packOf(row);
  },
});
