import type pg from 'pg';
import type { ProjectedTable } from '../../projection/row-change.ts';
import { type Row, type TableDump, dumpRows, noRows, projectedTables, rowKeyOf } from '../../projection/rows.ts';
import { columnsOf } from './columns.ts';
import { withClient } from './pool.ts';
import { requireSchemaName } from './schema-text.ts';

/**
 * Every table of a projection in one snapshot, in the shape of the dump of a projection in memory. Holds it all in memory: for tests
 * and small ledgers; `digestTables` is for large ones. The pool must be from `openPool`. Throws as `pg`.
 */
export const dumpPostgres = (pool: pg.Pool, schema = 'projection'): Promise<{ readonly [T in ProjectedTable]: TableDump }> =>
  withClient(pool, async (client) => {
    const rows = noRows();
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    for (const table of projectedTables) {
      const found = await client.query<Row>(`SELECT ${columnsOf(table).join(', ')} FROM ${requireSchemaName(schema)}.${table}`);
      for (const row of found.rows) rows[table].set(rowKeyOf(table, row), row);
    }
    await client.query('COMMIT');
    return dumpRows(rows);
  });
