import type pg from 'pg';
import { digestTables } from '../src/adapter/postgres/digest.ts';
import { withClient } from '../src/adapter/postgres/pool.ts';
import { orOutage } from '../src/adapter/postgres/postgres-outage.ts';
import type { ProjectedTable } from '../src/projection/row-change.ts';
import { type HeadDifference, headDifferences } from './head-differences.ts';

/** A table of two projections; `sha256` in hex over its rows in key order. */
export type TableComparison = {
  readonly table: ProjectedTable;
  readonly rows: number;
  readonly live: string;
  readonly rebuilt: string;
  readonly equal: boolean;
};

export type Comparison = {
  readonly tables: readonly TableComparison[];
  /** Streams that were left out because their heads differ: appends in flight, or worse. */
  readonly leftOut: readonly HeadDifference[];
};

/** Compares two projections in one snapshot, leaving out streams that one of them has more of. Throws `Outage`. */
export const compareProjections = (pool: pg.Pool, live: string, fresh: string): Promise<Comparison> =>
  orOutage(() =>
    withClient(pool, async (client) => {
      await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
      const leftOut = await headDifferences(client, live, fresh);
      const without = leftOut.map(({ stream }) => stream);
      const lives = await digestTables(client, live, { without });
      const rebuilts = await digestTables(client, fresh, { without });
      await client.query('COMMIT');
      const tables = rebuilts.map(({ table, rows, sha256 }) => {
        const other = lives.find((digest) => digest.table === table)?.sha256 ?? '';
        return { table, rows, live: other, rebuilt: sha256, equal: other === sha256 };
      });
      return { tables, leftOut };
    }),
  );
