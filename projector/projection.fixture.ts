import type pg from 'pg';
import { dumpPostgres } from '../src/adapter/postgres/dump.ts';
import { openPool } from '../src/adapter/postgres/pool.ts';
import { openReadModel } from '../src/adapter/postgres/read-model.ts';
import type { ReadModel } from '../src/port/read-model.ts';
import { dumpRows, noRows } from '../src/projection/rows.ts';
import { prefixOf } from '../src/receipt/key-path.ts';
import type { StoredReceipt } from '../src/receipt/receipt.ts';
import { applicationOf } from '../test/ledger-fixture.ts';
import { freshDatabase } from '../test/postgres.ts';
import { streamRows } from './stream-rows.ts';

/** A database with a live projection, and what tests do with it. */
export type LiveDatabase = {
  readonly url: string;
  /** The projector's: sees and changes everything. The model's is the app's. */
  readonly pool: pg.Pool;
  readonly model: ReadModel;
  readonly apply: (receipts: readonly StoredReceipt[]) => Promise<void>;
  readonly dump: () => ReturnType<typeof dumpPostgres>;
  readonly schemas: () => Promise<readonly string[]>;
  readonly [Symbol.asyncDispose]: () => Promise<void>;
};

export const liveDatabase = async (options: { readonly empty?: boolean } = {}): Promise<LiveDatabase> => {
  const database = await freshDatabase(options);
  const pool = openPool({ url: database.url, role: 'projector' });
  const app = openPool({ url: database.url });
  const model = openReadModel({ pool: app });
  return {
    url: database.url,
    pool,
    model,
    apply: async (receipts) => {
      for (const stored of receipts) await model.apply(applicationOf(stored));
    },
    dump: () => dumpPostgres(pool),
    schemas: async () =>
      (
        await pool.query<{ name: string }>(`SELECT nspname AS name FROM pg_namespace WHERE nspname LIKE 'projection%' ORDER BY 1`)
      ).rows.map(({ name }) => name),
    [Symbol.asyncDispose]: async () => {
      await model.close();
      await Promise.all([pool.end(), app.end()]);
      await database.drop();
    },
  };
};

/** What the projection of these receipts must hold. */
export const expectedDump = (receipts: readonly StoredReceipt[]) => {
  const streams = Map.groupBy(receipts, ({ receipt }) => prefixOf(receipt.stream));
  const all = noRows();
  for (const of of streams.values()) {
    const [first] = of;
    if (first === undefined) continue;
    const folded = streamRows(first.receipt.stream);
    for (const stored of of) folded.take(stored);
    for (const { table, key, row } of folded.changed()) if (row !== null) all[table].set(key, row);
  }
  return dumpRows(all);
};
