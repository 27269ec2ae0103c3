import type pg from 'pg';
import { columnsOf, typeOf } from '../src/adapter/postgres/columns.ts';
import { limits } from '../src/limits.ts';
import { type ProjectedTable, primaryKeys } from '../src/projection/row-change.ts';
import { projectedTables } from '../src/projection/rows.ts';
import type { ChangedRow } from './stream-rows.ts';

/**
 * Puts rows into a projection as they now are, whatever was there under their keys before, in the client's transaction: few statements
 * a table. For a projection that nobody else writes. Throws as `pg`.
 */
export const writeRows = async (client: pg.ClientBase, schema: string, changes: readonly ChangedRow[]): Promise<void> => {
  const byTable = Map.groupBy(changes, ({ table }) => table);
  for (const table of projectedTables) {
    const changed = byTable.get(table) ?? [];
    const gone = changed.flatMap(({ row, key }) => (row === null ? [keyRow(table, key)] : []));
    const there = changed.flatMap(({ row }) => (row === null ? [] : [row]));
    for (const rows of inPieces(gone)) await client.query(deleteSql(schema, table), columnsFrom(primaryKeys[table], rows));
    for (const rows of inPieces(there)) await client.query(upsertSql(schema, table), columnsFrom(columnsOf(table), rows));
  }
};

function* inPieces<T>(rows: readonly T[]): Iterable<readonly T[]> {
  for (let at = 0; at < rows.length; at += limits.writtenRows) yield rows.slice(at, at + limits.writtenRows);
}

type Values = { readonly [column: string]: unknown };

const columnsFrom = (columns: readonly string[], rows: readonly Values[]): unknown[][] =>
  columns.map((column) => rows.map((row) => row[column] ?? null));

/** `rowKeyOf`, taken apart again. */
const keyRow = (table: ProjectedTable, key: string): Values => {
  const parts = key.split('\0');
  return Object.fromEntries(primaryKeys[table].map((column, i) => [column, parts[i]]));
};

const arraysOf = (table: ProjectedTable, columns: readonly string[]): string =>
  columns.map((column, i) => `$${i + 1}::${typeOf(table, column)}[]`).join(', ');

const upsertSql = (schema: string, table: ProjectedTable): string => {
  const columns = columnsOf(table);
  const assignments = columns.map((column) => `${column} = EXCLUDED.${column}`).join(', ');
  return (
    `INSERT INTO ${schema}.${table} (${columns.join(', ')}) SELECT * FROM unnest(${arraysOf(table, columns)}) ` +
    `ON CONFLICT (${primaryKeys[table].join(', ')}) DO UPDATE SET ${assignments}`
  );
};

const deleteSql = (schema: string, table: ProjectedTable): string => {
  const columns = primaryKeys[table];
  const same = columns.map((column) => `t.${column} = k.${column}`).join(' AND ');
  return `DELETE FROM ${schema}.${table} AS t USING unnest(${arraysOf(table, columns)}) AS k(${columns.join(', ')}) WHERE ${same}`;
};
