import type pg from 'pg';
import type { View, ViewRequest } from '../../port/read-model.ts';
import type { StreamOf } from '../../receipt/stream.ts';
import { type CollectionState, noCollection } from '../../stream/collection/state.ts';
import { collectionOfRows } from '../collection-row.ts';
import { MalformedRow, type RawRow } from '../stored-column.ts';
import { rowInJson, rowsInJson } from './json-rows.ts';
import { type SharedView, type ViewKind, viewsOf } from './views.ts';

type Request = ViewRequest<StreamOf<'collection'>>;

/** A collection is seen whole: its versions and drops are as many as `limits` say. Of earlier catalogues only their receipts are. */
const kindIn = (schema: string): ViewKind => ({
  name: 'collection',
  inputs: ['collection_id'],
  select: `c.version, v.title, v.series, v.cards,
      (SELECT json_agg(${rowInJson('collection_versions', 'p', ['event_id'])} ORDER BY p.version)
        FROM ${schema}.collection_versions AS p WHERE p.collection_id = r.collection_id) AS publications,
      (SELECT json_agg(${rowInJson('retired_series', 's', ['series_id'])} ORDER BY s.series_id)
        FROM ${schema}.retired_series AS s WHERE s.collection_id = r.collection_id) AS retired,
      (SELECT json_agg(${rowInJson('drops', 'd')} ORDER BY d.drop_id)
        FROM ${schema}.drops AS d WHERE d.collection_id = r.collection_id) AS drops`,
  joins: `
    LEFT JOIN ${schema}.collection_ledger_heads AS h ON h.collection_id = r.collection_id
    LEFT JOIN ${schema}.collections AS c ON c.collection_id = r.collection_id
    LEFT JOIN ${schema}.collection_versions AS v ON v.collection_id = c.collection_id AND v.version = c.version`,
  actors: true,
});

/** Views of collection streams, many at once. Answers in the order of the requests. Throws as `pg`, and `MalformedRow`. */
export const collectionViews = (
  pool: pg.Pool,
  schema: string,
): ((requests: readonly Request[]) => Promise<View<CollectionState>[]>) =>
  viewsOf(
    pool,
    schema,
    kindIn(schema),
    ({ stream }: Request) => [stream.collectionId],
    (row, _, shared) => ({ ...shared, state: stateOf(row, shared), accountStatus: 'absent', role: null, identity: null }),
  );

const stateOf = (row: RawRow, { head }: SharedView): CollectionState => {
  if ((head === null) !== (row.version === null)) throw new MalformedRow('collection without head, or head without collection');
  if (head === null) return noCollection;
  return collectionOfRows({
    latest: row,
    publications: rowsInJson(row.publications).map(({ event_id }) => event_id),
    retired: rowsInJson(row.retired),
    drops: rowsInJson(row.drops),
  });
};
