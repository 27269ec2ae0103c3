import pg from 'pg';
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

/**
 * Compares two projections in one snapshot, leaving out streams that one of them has more of: side by side, for a digest keeps one
 * processor of Postgres busy, or one after the other where others need that. Throws `Outage`.
 */
export const compareProjections = (
  pool: pg.Pool,
  { live, fresh, gentle }: { readonly live: string; readonly fresh: string; readonly gentle: boolean },
): Promise<Comparison> =>
  orOutage(() =>
    withClient(pool, (first) =>
      withClient(pool, async (second) => {
        await first.query(BEGIN);
        const { rows } = await first.query<{ snapshot: string }>('SELECT pg_export_snapshot() AS snapshot');
        await second.query(BEGIN);
        await second.query(`SET TRANSACTION SNAPSHOT ${pg.escapeLiteral(rows[0]?.snapshot ?? '')}`);
        const leftOut = await headDifferences(first, live, fresh);
        const without = leftOut.map(({ stream }) => stream);
        const digestingLive = digestTables(first, live, { without });
        if (gentle) await digestingLive;
        const [lives, rebuilts] = await Promise.all([digestingLive, digestTables(second, fresh, { without })]);
        await Promise.all([first.query('COMMIT'), second.query('COMMIT')]);
        const tables = rebuilts.map(({ table, rows: count, sha256 }) => {
          const other = lives.find((digest) => digest.table === table)?.sha256 ?? '';
          return { table, rows: count, live: other, rebuilt: sha256, equal: other === sha256 };
        });
        return { tables, leftOut };
      }),
    ),
  );

const BEGIN = 'BEGIN ISOLATION LEVEL REPEATABLE READ';
