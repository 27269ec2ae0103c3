import type { Head } from '../receipt/chain.ts';
import type { Stream, StreamType } from '../receipt/stream.ts';
import { type Result, err, ok } from '../result.ts';
import { type ProjectedTable, type RowChange, primaryKeys } from './row-change.ts';

/** A column's value; what Postgres holds as bytea is a Buffer. */
export type Value = string | number | null | Buffer;
export type Row = { readonly [column: string]: Value };

/** The tables of the projection in memory: rows by primary key. */
export type Rows = { readonly [T in ProjectedTable]: Map<string, Row> };

export const projectedTables = Object.keys(primaryKeys) as ProjectedTable[];

export const noRows = (): Rows =>
  Object.fromEntries(projectedTables.map((table) => [table, new Map<string, Row>()])) as {
    [T in ProjectedTable]: Map<string, Row>;
  };

/** A row's primary key as one text: values joined by NUL, which none of them holds. */
export const rowKeyOf = (table: ProjectedTable, row: Row): string =>
  primaryKeys[table].map((column) => String(row[column])).join('\0');

export type RowFault = { readonly code: 'row-exists' | 'row-missing'; readonly detail: string };

/** Applies one change in place. Errors: an insert of a row that is there, or an update or delete of one that is not. */
export const changeRow = (rows: Rows, change: RowChange): Result<void, RowFault> => {
  const table = rows[change.table];
  const key = rowKeyOf(change.table, change.op === 'insert' ? change.row : change.key);
  const before = table.get(key);
  if ((change.op === 'insert') === (before !== undefined))
    return err({ code: before ? 'row-exists' : 'row-missing', detail: `${change.op} in ${change.table}` });
  if (change.op === 'insert') table.set(key, { ...change.row });
  else if (change.op === 'delete') table.delete(key);
  else table.set(key, { ...before, ...change.set });
  return ok(undefined);
};

/** Which table holds a stream's head, and the columns that name the stream in it, and in every other table that its receipts make rows of. */
export const headPlaceOf = (stream: Stream): { readonly table: HeadTable; readonly key: Row } => ({
  table: headTables[stream.type],
  key: headKeyOf(stream),
});

/** Which table holds a stream's head, and that stream's row in it. */
export const headRowOf = (stream: Stream, head: Head): { readonly table: HeadTable; readonly row: Row } => {
  const at = { position: head.position, event_id: head.eventId, hash: head.hash, created_at: head.createdAt };
  return { table: headTables[stream.type], row: { ...headKeyOf(stream), ...at } };
};

const headTables = {
  account: 'account_ledger_heads',
  pixbook: 'pixbook_ledger_heads',
  collection: 'collection_ledger_heads',
  code: 'code_ledger_heads',
} as const satisfies { readonly [T in StreamType]: ProjectedTable };
export type HeadTable = (typeof headTables)[StreamType];

/** What names the stream in its head's row: the primary key, and of a pixbook the account it must belong to. */
const headKeyOf = (stream: Stream): Row => {
  switch (stream.type) {
    case 'account':
      return { account_id: stream.accountId };
    case 'pixbook':
      return { book_id: stream.bookId, account_id: stream.accountId };
    case 'collection':
      return { collection_id: stream.collectionId };
    case 'code':
      return { code_id: stream.codeId };
  }
};

/** A table as plain values in primary-key order, bytea as hex: two dumps are equal exactly when the tables are. */
export type TableDump = readonly { readonly [column: string]: string | number | null }[];

export const dumpRows = (rows: Rows): { readonly [T in ProjectedTable]: TableDump } =>
  Object.fromEntries(
    projectedTables.map((table) => [
      table,
      [...rows[table]]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([, row]) =>
          Object.fromEntries(
            Object.keys(row)
              .sort()
              .map((column) => [column, plain(row[column] ?? null)]),
          ),
        ),
    ]),
  ) as unknown as { [T in ProjectedTable]: TableDump };

const plain = (value: Value): string | number | null => (Buffer.isBuffer(value) ? value.toString('hex') : value);
