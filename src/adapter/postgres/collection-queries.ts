import { sql } from 'kysely';
import type { LedgerQueries } from '../../port/ledger-queries.ts';
import { collectionOf, dropOf, summaryOf } from './collection-resources.ts';
import { instantInJson } from './json-rows.ts';
import { type Asking, headColumns, pageOf } from './query-page.ts';
import { noTenant } from './scope.ts';

/** Published collections and their drops. */
export const collectionQueries = ({ db, ask }: Asking): Pick<LedgerQueries, 'collections' | 'collection' | 'drops' | 'drop'> => ({
  collections: async (page) => {
    const query = db.selectFrom('collections').selectAll();
    const after = page.after === null ? query : query.where('collection_id', '>', page.after);
    return pageOf(await ask(noTenant, after.orderBy('collection_id').limit(page.limit + 1)), page, summaryOf);
  },
  collection: async (collectionId) => {
    const [row] = await ask(
      noTenant,
      db
        .selectFrom('collections as c')
        .innerJoin('collection_ledger_heads as h', 'h.collection_id', 'c.collection_id')
        .innerJoin('collection_versions as v', (join) =>
          join.onRef('v.collection_id', '=', 'c.collection_id').onRef('v.version', '=', 'c.version'),
        )
        .selectAll('c')
        .select(['v.series', 'v.cards'])
        .select(headColumns)
        .select((from) =>
          from
            .selectFrom('retired_series as s')
            .whereRef('s.collection_id', '=', 'c.collection_id')
            .select(sql<string | null>`json_object_agg(s.series_id, ${sql.raw(instantInJson('s.retired_at'))})`.as('retired'))
            .as('retired'),
        )
        .where('c.collection_id', '=', collectionId),
    );
    return row === undefined ? null : collectionOf(row);
  },
  drops: async (collectionId, page) => {
    const query = db.selectFrom('drops').selectAll().where('collection_id', '=', collectionId);
    const after = page.after === null ? query : query.where('drop_id', '>', page.after);
    return pageOf(await ask(noTenant, after.orderBy('drop_id').limit(page.limit + 1)), page, dropOf);
  },
  drop: async (dropId) => {
    const [row] = await ask(noTenant, db.selectFrom('drops').selectAll().where('drop_id', '=', dropId));
    return row === undefined ? null : dropOf(row);
  },
});
