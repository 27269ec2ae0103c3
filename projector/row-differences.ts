import type pg from 'pg';
import { columnsOf } from '../src/adapter/postgres/columns.ts';
import { limits } from '../src/limits.ts';
import { type ProjectedTable, primaryKeys } from '../src/projection/row-change.ts';
import { projectedTables } from '../src/projection/rows.ts';
import { type LedgerScope, isInScopeSql } from './ledger-scope.ts';

/** A row that is not the same in the live projection and in one made from the receipts. */
export type RowDifference = {
  /** The prefix of the stream that the row comes from. */
  readonly stream: string;
  readonly table: ProjectedTable;
  /** The primary key, column by column. */
  readonly key: { readonly [column: string]: string | number };
  /** `extra`: no receipt makes this row. */
  readonly kind: 'changed' | 'missing' | 'extra';
  /** Which columns differ, in a changed row. */
  readonly columns: readonly string[];
};

type Found = {
  readonly stream: string;
  readonly key: { readonly [column: string]: string | number };
  readonly kind: RowDifference['kind'];
  readonly columns: string[];
};

/** Two projections, by their schemas, and of which streams: of those in scope (null: all), without some. */
export type Sides = {
  readonly live: string;
  readonly fresh: string;
  readonly without: readonly string[];
  readonly scope?: LedgerScope | null;
};

/**
 * Compares the rows of two projections, and hands each difference to `found`. Holds one batch of them at a time, and reads all of the live
 * ones whatever the scope. The client must be in a transaction that sees one snapshot. Throws as `pg`.
 */
export const rowDifferences = async (
  client: pg.ClientBase,
  { live, fresh, without, scope = null }: Sides,
  found: (difference: RowDifference) => void,
): Promise<void> => {
  for (const table of projectedTables) {
    await client.query(`DECLARE differing NO SCROLL CURSOR FOR ${differenceSql(table, live, fresh, scope)}`, [
      without,
      ...(scope === null ? [] : [scope.places]),
    ]);
    for (;;) {
      const { rows } = await client.query<Found>(`FETCH ${limits.listPageKeys} FROM differing`);
      for (const { stream, key, kind, columns } of rows) found({ stream, table, key, kind, columns });
      if (rows.length < limits.listPageKeys) break;
    }
    await client.query('CLOSE differing');
  }
};

const differenceSql = (table: ProjectedTable, live: string, fresh: string, scope: LedgerScope | null): string => {
  const keys: readonly string[] = primaryKeys[table];
  const first = keys[0] ?? '';
  const unequal = columnsOf(table).map(
    (column) => `CASE WHEN l.${column}::text IS DISTINCT FROM f.${column}::text THEN '${column}' END`,
  );
  const stream = streamOf(table);
  return `
    SELECT ${stream} AS stream, json_build_object(${keys.map((key) => `'${key}', ${key}`).join(', ')})::jsonb AS key,
           CASE WHEN l.${first} IS NULL THEN 'missing' WHEN f.${first} IS NULL THEN 'extra' ELSE 'changed' END AS kind,
           CASE WHEN l.${first} IS NULL OR f.${first} IS NULL THEN '{}' ELSE array_remove(ARRAY[${unequal.join(', ')}], NULL) END AS columns
      FROM ${live}.${table} AS l FULL JOIN ${fresh}.${table} AS f USING (${keys.join(', ')})
     WHERE l::text IS DISTINCT FROM f::text AND ${stream} <> ALL ($1::text[])${scope === null ? '' : ` AND ${isInScopeSql(stream, 2)}`}
     ORDER BY ${keys.join(', ')}`;
};

/** The prefix of the stream that a row comes from; of a row that only one side has, as that side has it. */
const streamOf = (table: ProjectedTable): string => {
  const either = (column: string): string => `coalesce(f.${column}, l.${column})`;
  switch (table) {
    case 'receipts':
      return either('stream');
    case 'pixbooks':
    case 'packs':
    case 'card_instances':
    case 'trades':
    case 'trade_reservations':
    case 'pixbook_ledger_heads':
      return `'pixpax/pixbooks/' || ${either('account_id')} || '/' || ${either('book_id')}`;
    case 'accounts':
    case 'account_members':
    case 'account_invitations':
    case 'identities':
    case 'identity_keys':
    case 'account_ledger_heads':
      return `'pixpax/accounts/' || ${either('account_id')}`;
    case 'collections':
    case 'collection_versions':
    case 'retired_series':
    case 'drops':
    case 'collection_ledger_heads':
      return `'pixpax/collections/' || ${either('collection_id')}`;
    case 'codes':
    case 'code_ledger_heads':
      return `'pixpax/codes/' || ${either('code_id')}`;
  }
};
