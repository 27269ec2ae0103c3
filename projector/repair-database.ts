import type pg from 'pg';
import { ensureSchemas } from '../src/adapter/postgres/migrate.ts';
import { openPool, queryOn } from '../src/adapter/postgres/pool.ts';
import { orOutage } from '../src/adapter/postgres/postgres-outage.ts';
import { openReadModel } from '../src/adapter/postgres/read-model.ts';
import { ensureRoles } from '../src/adapter/postgres/roles.ts';
import { noTenant } from '../src/adapter/postgres/scope.ts';
import { systemClock } from '../src/port/clock.ts';
import { instantOf } from '../src/receipt/ids.ts';
import { PROJECTOR_VERSION } from '../src/stream/event.ts';
import type { LedgerReport } from './ledger-report.ts';
import { type RepairOptions, type RepairReport, repair } from './repair.ts';

export type RepairDatabaseOptions = Omit<RepairOptions, 'model'> & { readonly databaseUrl: string };

/** `repair` on the live projection of a Postgres, which is made if it is not there. Throws `Outage`. */
export const repairDatabase = async ({ databaseUrl, ...options }: RepairDatabaseOptions): Promise<RepairReport> => {
  await ensureRoles(databaseUrl);
  const pool = openPool({ url: databaseUrl, role: 'projector' });
  const model = openReadModel({ pool });
  try {
    await ensureSchemas(pool);
    const report = await repair({ ...options, model });
    await noteRepair(pool, report.ledger);
    return report;
  } finally {
    await model.close();
    await pool.end();
  }
};

const noteRepair = (pool: pg.Pool, { streams, receipts }: LedgerReport): Promise<unknown> =>
  orOutage(() =>
    queryOn(pool, noTenant, {
      text: `INSERT INTO projection.projector_offsets (projector, projector_version, streams, receipts, last_key, updated_at)
             VALUES ('repair', $1, $2, $3, NULL, $4)
             ON CONFLICT (projector) DO UPDATE SET projector_version = $1, streams = $2, receipts = $3, updated_at = $4`,
      values: [PROJECTOR_VERSION, streams, receipts, instantOf(systemClock.now())],
    }),
  );
