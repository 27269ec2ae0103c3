import type pg from 'pg';
import type { HeadTable } from '../../projection/rows.ts';
import type { Head } from '../../receipt/chain.ts';
import type { Stream } from '../../receipt/stream.ts';
import { headOfRow } from '../projection-row.ts';
import type { RawRow } from '../stored-column.ts';

/** Which row holds a stream's head. */
const headPlace = (stream: Stream): { readonly table: HeadTable; readonly key: string; readonly id: string } => {
  switch (stream.type) {
    case 'account':
      return { table: 'account_ledger_heads', key: 'account_id', id: stream.accountId };
    case 'pixbook':
      return { table: 'pixbook_ledger_heads', key: 'book_id', id: stream.bookId };
    case 'collection':
      return { table: 'collection_ledger_heads', key: 'collection_id', id: stream.collectionId };
    case 'code':
      return { table: 'code_ledger_heads', key: 'code_id', id: stream.codeId };
  }
};

/**
 * The applied head of a stream. `taken`: the book's row belongs to a stream of another account, which no receipt that was verified can
 * bring about.
 */
export const appliedHead = async (
  client: pg.ClientBase,
  schema: string,
  stream: Stream,
): Promise<{ readonly current: Head | null; readonly taken: boolean }> => {
  const { table, key, id } = headPlace(stream);
  const { rows } = await client.query<RawRow>({
    name: `head_${table}`,
    text: `SELECT * FROM ${schema}.${table} WHERE ${key} = $1`,
    values: [id],
  });
  const row = rows[0];
  if (row === undefined) return { current: null, taken: false };
  if ('accountId' in stream && row.account_id !== stream.accountId) return { current: null, taken: true };
  return { current: headOfRow(row), taken: false };
};
