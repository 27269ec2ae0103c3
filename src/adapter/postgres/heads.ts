import type pg from 'pg';
import type { HeadTable } from '../../projection/rows.ts';
import type { Head } from '../../receipt/chain.ts';
import type { Stream } from '../../receipt/stream.ts';
import { headOfRow } from '../projection-row.ts';
import type { RawRow } from '../stored-column.ts';
import { scopeOf } from './scope.ts';
import { runScoped } from './scoped-query.ts';

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

/** The applied head of a stream, or null: a book with this id in another account is another stream's. */
export const appliedHead = async (client: pg.ClientBase, schema: string, stream: Stream): Promise<Head | null> => {
  const { table, key, id } = headPlace(stream);
  const { rows } = await runScoped<RawRow>(client, scopeOf([stream]), {
    name: `head_${table}`,
    text: `SELECT * FROM ${schema}.${table} WHERE ${key} = $1`,
    values: [id],
  });
  const [row] = rows;
  return row === undefined || ('accountId' in stream && row.account_id !== stream.accountId) ? null : headOfRow(row);
};

/** Whether the book's row belongs to a stream of another account, which no receipt that was verified can bring about. */
export const isTaken = async (client: pg.ClientBase, schema: string, stream: Stream): Promise<boolean> => {
  if (stream.type !== 'pixbook') return false;
  const { rows } = await runScoped<RawRow>(client, 'directory', {
    text: `SELECT account_id FROM ${schema}.pixbook_ledger_heads WHERE book_id = $1`,
    values: [stream.bookId],
  });
  return rows.some(({ account_id }) => account_id !== stream.accountId);
};
