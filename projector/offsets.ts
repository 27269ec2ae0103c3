import type pg from 'pg';
import { queryOn } from '../src/adapter/postgres/pool.ts';
import { orOutage } from '../src/adapter/postgres/postgres-outage.ts';
import { requireSchemaName } from '../src/adapter/postgres/schema-text.ts';
import { noTenant } from '../src/adapter/postgres/scope.ts';
import { systemClock } from '../src/port/clock.ts';
import { instantOf } from '../src/receipt/ids.ts';
import { PROJECTOR_VERSION } from '../src/stream/event.ts';
import type { LedgerReport } from './ledger-report.ts';

/** What a run over the whole ledger saw. */
export type Offset = {
  readonly projector: 'rebuild' | 'repair' | 'drift';
  /** Streams and receipts in the store. */
  readonly ledger: Pick<LedgerReport, 'streams' | 'receipts'>;
  /** What the live projection lacked of them at that moment; nothing, by default. */
  readonly behind?: { readonly streams: number; readonly receipts: number };
  /** Heads and rows that differed, and were left as they are. */
  readonly differences?: number;
};

/**
 * Writes down in a projection's schema what a run saw last, in place of what one of its kind saw before. A run of a part of the ledger has
 * nothing to say here. Throws `Outage`.
 */
export const noteOffset = async (pool: pg.Pool, schema: string, offset: Offset): Promise<void> => {
  const { projector, ledger, behind = { streams: 0, receipts: 0 }, differences = 0 } = offset;
  const columns = 'projector_version, streams, receipts, behind_streams, behind_receipts, differences, last_key, updated_at';
  const values = [PROJECTOR_VERSION, ledger.streams, ledger.receipts, behind.streams, behind.receipts, differences];
  // A crash before this: the numbers are those of the run before. Two runs of a kind at once: those of the later one.
  await orOutage(() =>
    queryOn(pool, noTenant, {
      text: `INSERT INTO ${requireSchemaName(schema)}.projector_offsets (projector, ${columns})
             VALUES ($1, $2, $3, $4, $5, $6, $7, NULL, $8)
             ON CONFLICT (projector) DO UPDATE SET (${columns}) = ROW (${excluded(columns)})`,
      values: [projector, ...values, instantOf(systemClock.now())],
    }),
  );
};

const excluded = (columns: string): string =>
  columns
    .split(', ')
    .map((column) => `EXCLUDED.${column}`)
    .join(', ');
