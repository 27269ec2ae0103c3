import type pg from 'pg';
import { expect } from 'vitest';
import type { FixtureLedger } from '../../../test/ledger-fixture.ts';
import { applicationOf } from '../../../test/ledger-fixture.ts';
import { freshDatabase } from '../../../test/postgres.ts';
import type { LedgerQueries, Page, PageRequest } from '../../port/ledger-queries.ts';
import { openLedgerQueries } from './ledger-queries.ts';
import { ensureSchemas } from './migrate.ts';
import { openPool, queryOn } from './pool.ts';
import { openReadModel } from './read-model.ts';
import { noTenant } from './scope.ts';

/** The queries on a database of their own. */
export type OpenedQueries = {
  readonly pool: pg.Pool;
  readonly queries: LedgerQueries;
  /** Applies those receipts of a ledger that were not applied yet. */
  readonly follow: (ledger: FixtureLedger) => Promise<void>;
  /** Makes the projection anew, empty, for another ledger. */
  readonly wipe: () => Promise<void>;
  readonly close: () => Promise<void>;
};

export const openQueries = async (): Promise<OpenedQueries> => {
  const database = await freshDatabase();
  const pool = openPool({ url: database.url });
  const projector = openPool({ url: database.url, connections: 1, role: 'projector' });
  const model = openReadModel({ pool });
  let applied = 0;
  return {
    pool,
    queries: openLedgerQueries({ pool }),
    follow: async ({ receipts }) => {
      const fresh = receipts.slice(applied).map(applicationOf);
      applied = receipts.length;
      const outcomes = await Promise.all(fresh.map((application) => model.apply(application)));
      expect(outcomes).toEqual(fresh.map(() => 'applied'));
    },
    wipe: async () => {
      await queryOn(projector, noTenant, { text: 'DROP SCHEMA projection CASCADE' });
      await ensureSchemas(pool);
      applied = 0;
    },
    close: async () => {
      await Promise.all([pool.end(), projector.end()]);
      await database.drop();
    },
  };
};

/** All pages of a list, one after the other, each as full as it says. */
export const walk = async <Row, Key extends string>(
  limit: number,
  keyOf: (row: Row) => Key,
  list: (page: PageRequest<Key>) => Promise<Page<Row>>,
): Promise<readonly Row[]> => {
  const found: Row[] = [];
  for (;;) {
    const last = found.at(-1);
    const { rows, hasMore } = await list({ after: last === undefined ? null : keyOf(last), limit });
    found.push(...rows);
    expect(rows.length).toBeLessThanOrEqual(limit);
    if (!hasMore) return found;
    expect(rows).toHaveLength(limit);
  }
};

export const sorted = <T extends string>(keys: readonly T[]): readonly T[] => [...keys].sort((a, b) => (a < b ? -1 : 1));

/** A list in order of its key, as every page of it is. */
export const sortedBy = <Row>(keyOf: (row: Row) => string, rows: readonly Row[]): readonly Row[] =>
  [...rows].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));

/** Page sizes that split a short list in every way. */
export const pageSizes = [1, 2, 3, 7, 100];
