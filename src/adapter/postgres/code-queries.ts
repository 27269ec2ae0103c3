import { sql } from 'kysely';
import type { LedgerQueries } from '../../port/ledger-queries.ts';
import { codeOf } from './collection-resources.ts';
import { type Asking, pageOf } from './query-page.ts';
import { issuers } from './scope.ts';

/** Codes, for issuers. */
export const codeQueries = ({ db, ask }: Asking): Pick<LedgerQueries, 'codes' | 'code'> => ({
  codes: async ({ dropId, status, batchId }, page) => {
    const codes = db.selectFrom('codes').selectAll();
    // A batch is a few of the codes of its drop: an expression is in no index, so that nobody looks for it among all of them.
    let query =
      batchId === null
        ? codes.where('drop_id', '=', dropId)
        : codes.where('batch_id', '=', batchId).where(sql`drop_id || ''`, '=', dropId);
    if (status !== null) query = query.where('status', '=', status);
    if (page.after !== null) query = query.where('code_id', '>', page.after);
    return pageOf(await ask(issuers, query.orderBy('code_id').limit(page.limit + 1)), page, codeOf);
  },
  code: async (codeId) => {
    const [row] = await ask(issuers, db.selectFrom('codes').selectAll().where('code_id', '=', codeId));
    return row === undefined ? null : codeOf(row);
  },
});
