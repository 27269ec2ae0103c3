import type pg from 'pg';
import type { View, ViewRequest } from '../../port/read-model.ts';
import type { StreamOf } from '../../receipt/stream.ts';
import { type CodeState, noCode } from '../../stream/code/state.ts';
import { codeOfRow } from '../code-row.ts';
import { MalformedRow, type RawRow } from '../stored-column.ts';
import { type SharedView, type ViewKind, viewsOf } from './views.ts';

type Request = ViewRequest<StreamOf<'code'>>;

const kindIn = (schema: string): ViewKind => ({
  name: 'code',
  inputs: ['code_id'],
  select: `c.status, c.collection_id, c.drop_id, c.account_id, c.identity_id, c.book_id, c.generation,
      c.claim_event_id, c.claim_hash, c.claimed_at`,
  joins: `
    LEFT JOIN ${schema}.code_ledger_heads AS h ON h.code_id = r.code_id
    LEFT JOIN ${schema}.codes AS c ON c.code_id = r.code_id`,
  actors: true,
});

/** Views of code streams, many at once. Answers in the order of the requests. Throws as `pg`, and `MalformedRow`. */
export const codeViews = (pool: pg.Pool, schema: string): ((requests: readonly Request[]) => Promise<View<CodeState>[]>) =>
  viewsOf(
    pool,
    schema,
    kindIn(schema),
    ({ stream }: Request) => [stream.codeId],
    (row, _, shared) => ({ ...shared, state: stateOf(row, shared), accountStatus: 'absent', role: null, identity: null }),
  );

const stateOf = (row: RawRow, { head }: SharedView): CodeState => {
  if ((head === null) !== (row.status === null)) throw new MalformedRow('code without head, or head without code');
  return head === null ? noCode : codeOfRow(row);
};
