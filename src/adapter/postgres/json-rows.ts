import { z } from 'zod';
import type { ProjectedTable } from '../../projection/row-change.ts';
import { type RawRow, storedText } from '../stored-column.ts';
import { columnsOf, typeOf } from './columns.ts';

/** A row of a table as JSON that says what the row itself says, in the forms in which the pool gives its columns; bytea has none. */
export const rowInJson = (table: ProjectedTable, alias: string, columns: readonly string[] = columnsOf(table)): string =>
  `json_build_object(${columns.map((column) => `'${column}', ${inJson(table, alias, column)}`).join(', ')})`;

const inJson = (table: ProjectedTable, alias: string, column: string): string => {
  const place = `${alias}.${column}`;
  switch (typeOf(table, column)) {
    case 'timestamptz':
      return instantInJson(place);
    // Its text is parsed by whoever knows its form.
    case 'json':
      return `${place}::text`;
    case 'bytea':
      throw new TypeError(`${column} of ${table} is bytea`);
    case 'text':
    case 'integer':
    case 'bigint':
      return place;
  }
};

/** A timestamptz within JSON, in the form of an `Instant`. */
export const instantInJson = (column: string): string => `to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

const rows = z.array(z.record(z.string(), z.unknown()));

/** The rows of a `json_agg`, which answers NULL for none. Throws `MalformedRow`, SyntaxError and ZodError, all of them bugs. */
export const rowsInJson = (text: unknown): readonly RawRow[] =>
  text === null ? [] : rows.parse(JSON.parse(storedText('aggregate', text)));
