import type pg from 'pg';
import { limits } from '../src/limits.ts';
import { primaryKeys } from '../src/projection/row-change.ts';
import { projectedTables } from '../src/projection/rows.ts';
import { LIVE } from './live-projection.ts';
import type { ChangedRow } from './stream-rows.ts';
import { writeRows } from './write-rows.ts';

/** The schema in which a transaction sees the rows of `foldedRows`, under the names of the projection's tables. */
export const FOLDED = 'pg_temp';

/** Rows that receipts make, where Postgres can compare them with the live ones. */
export type FoldedRows = {
  /** Takes rows that nobody has put before. Streams may do so at once. Throws as `pg`. */
  readonly put: (rows: readonly ChangedRow[]) => Promise<void>;
  /** Resolves when all that was put is there, and the planner knows how much it is. */
  readonly settled: () => Promise<void>;
};

/**
 * Makes temporary tables that go with the client's transaction, which must be open. They hold on to the live tables' names: no swap comes between.
 * Throws as `pg`.
 */
export const foldedRows = async (client: pg.ClientBase): Promise<FoldedRows> => {
  for (const table of projectedTables)
    await client.query(
      `CREATE TEMPORARY TABLE ${table} (LIKE ${LIVE}.${table}, PRIMARY KEY (${primaryKeys[table].join(', ')})) ON COMMIT DROP`,
    );
  let waiting: ChangedRow[] = [];
  /** A connection does one thing after another. */
  let writing: Promise<void> = Promise.resolve();
  const write = (): Promise<void> => {
    const rows = waiting;
    waiting = [];
    writing = writing.then(() => writeRows(client, FOLDED, rows));
    return writing;
  };
  return {
    put: async (rows) => {
      for (const row of rows) waiting.push(row);
      if (waiting.length >= limits.writtenRows) await write();
    },
    settled: async () => {
      await write();
      for (const table of projectedTables) await client.query(`ANALYZE ${FOLDED}.${table}`);
    },
  };
};
