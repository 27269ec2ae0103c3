import { createHash } from 'node:crypto';
import type pg from 'pg';
import { to as copyTo } from 'pg-copy-streams';
import { type ProjectedTable, primaryKeys } from '../../projection/row-change.ts';
import { projectedTables } from '../../projection/rows.ts';
import { columnsOf } from './columns.ts';
import { requireSchemaName } from './schema-text.ts';

/** What a table holds: `sha256` in lower-case hex, over its rows as COPY spells them, in order of the primary key. */
export type TableDigest = { readonly table: ProjectedTable; readonly rows: number; readonly sha256: string };

export type DigestOptions = {
  /** Prefixes of streams whose rows are left out everywhere: appends in flight, which one of two projections may already have. */
  readonly without?: readonly string[];
};

/**
 * Digests of every table of a projection; two projections are equal exactly when these are. Rows are hashed as they come: memory does
 * not grow with their number. The client must be from `openPool` with `work: 'scans'`, in a REPEATABLE READ transaction that may
 * write temporary tables, so that all tables are of one snapshot. Throws as `pg`; then the transaction is of no more use.
 */
export const digestTables = async (
  client: pg.ClientBase,
  schema: string,
  { without = [] }: DigestOptions = {},
): Promise<readonly TableDigest[]> => {
  requireSchemaName(schema);
  await client.query('CREATE TEMPORARY TABLE IF NOT EXISTS left_out (stream text COLLATE "C" PRIMARY KEY) ON COMMIT DROP');
  await client.query('TRUNCATE left_out');
  await client.query('INSERT INTO left_out SELECT DISTINCT * FROM unnest($1::text[])', [without]);
  const digests: TableDigest[] = [];
  for (const table of projectedTables) digests.push(await digestTable(client, schema, table));
  return digests;
};

const digestTable = async (client: pg.ClientBase, schema: string, table: ProjectedTable): Promise<TableDigest> => {
  const rows = `SELECT ${columnsOf(table).join(', ')} FROM ${schema}.${table} AS t`;
  const kept = `WHERE NOT EXISTS (SELECT FROM left_out AS l WHERE l.stream = ${streamOf(table)})`;
  const copy = client.query(copyTo(`COPY (${rows} ${kept} ORDER BY ${primaryKeys[table].join(', ')}) TO STDOUT`));
  const digest = createHash('sha256');
  for await (const chunk of copy as AsyncIterable<Buffer>) digest.update(chunk);
  return { table, rows: copy.rowCount, sha256: digest.digest('hex') };
};

/** The prefix of the stream that a row comes from (receipt.md §2): each row comes from one. */
const streamOf = (table: ProjectedTable): string => {
  switch (table) {
    case 'receipts':
      return 't.stream';
    case 'pixbooks':
    case 'packs':
    case 'card_instances':
    case 'trades':
    case 'trade_reservations':
    case 'pixbook_ledger_heads':
      return `'pixpax/pixbooks/' || t.account_id || '/' || t.book_id`;
    case 'accounts':
    case 'account_members':
    case 'account_invitations':
    case 'identities':
    case 'identity_keys':
    case 'account_ledger_heads':
      return `'pixpax/accounts/' || t.account_id`;
    case 'collections':
    case 'collection_versions':
    case 'retired_series':
    case 'drops':
    case 'collection_ledger_heads':
      return `'pixpax/collections/' || t.collection_id`;
    case 'codes':
    case 'code_ledger_heads':
      return `'pixpax/codes/' || t.code_id`;
  }
};
