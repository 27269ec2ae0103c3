import type pg from 'pg';
import type { Head } from '../../receipt/chain.ts';
import type { Stream } from '../../receipt/stream.ts';
import { headOfRow } from '../projection-row.ts';
import type { RawRow } from '../stored-column.ts';

/** Which row holds a stream's head; null for streams that are not projected. */
export const headPlace = (stream: Stream): { readonly table: string; readonly key: string; readonly id: string } | null => {
  if (stream.type === 'account') return { table: 'account_ledger_heads', key: 'account_id', id: stream.accountId };
  if (stream.type === 'pixbook') return { table: 'pixbook_ledger_heads', key: 'book_id', id: stream.bookId };
  return null;
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
  const place = headPlace(stream);
  if (place === null || !('accountId' in stream)) return { current: null, taken: false };
  const { rows } = await client.query<RawRow>({
    name: `head_${place.table}`,
    text: `SELECT account_id, position, event_id, hash, created_at FROM ${schema}.${place.table} WHERE ${place.key} = $1`,
    values: [place.id],
  });
  const row = rows[0];
  if (row === undefined) return { current: null, taken: false };
  if (row.account_id !== stream.accountId) return { current: null, taken: true };
  return { current: headOfRow(row), taken: false };
};
