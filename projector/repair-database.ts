import type pg from 'pg';
import { ensureSchemas } from '../src/adapter/postgres/migrate.ts';
import { openPool, withClient } from '../src/adapter/postgres/pool.ts';
import { openReadModel } from '../src/adapter/postgres/read-model.ts';
import { ensureRoles } from '../src/adapter/postgres/roles.ts';
import { type Result, err, ok } from '../src/result.ts';
import { type UnknownStream, unknownStream } from './drift.ts';
import { headsIn } from './head-differences.ts';
import { LIVE } from './live-projection.ts';
import { noteOffset } from './offsets.ts';
import { noteQuarantine } from './quarantine.ts';
import { type Applied, type RepairOptions, repair } from './repair.ts';
import { type RowsReport, type RowsToRepair, repairRows } from './repair-rows.ts';
import { type AlreadyRunning, soleRun } from './sole-run.ts';

export type RepairDatabaseOptions = Omit<RepairOptions, 'model'> & {
  readonly databaseUrl: string;
  /** Whether rows that differ though their head is right are mended too; by default not. */
  readonly rows?: boolean;
};

export type RepairReport = Applied & {
  /** What was mended row by row; null where that was not asked for. */
  readonly rows: Pick<RowsReport, 'mended'> | null;
};

export type RepairRefusal = UnknownStream | AlreadyRunning;

/**
 * `repair` on the live projection of a Postgres, which is made if it is not there; then, where it is asked for, of rows. Errors: no such stream, or
 * another run is in the way of the rows' repair; then nothing was done. Throws `Outage`.
 */
export const repairDatabase = async (options: RepairDatabaseOptions): Promise<Result<RepairReport, RepairRefusal>> => {
  const { databaseUrl, source, scope = null, rows = false } = options;
  await ensureRoles(databaseUrl);
  const pool = openPool({ url: databaseUrl, role: 'projector' });
  const scans = openPool({ url: databaseUrl, work: 'scans' });
  try {
    await ensureSchemas(pool);
    const repaired = rows
      ? await soleRun(scans, () => applyThenMend(pool, options, scans))
      : await applyThenMend(pool, options, null);
    if (!repaired.ok) return repaired;
    const { ledger, applied, appliedStreams, unmended } = repaired.value;
    await noteQuarantine(scans, ledger, { foundBy: 'repair', source, scope });
    if (scope === null) {
      const behind = { streams: appliedStreams, receipts: applied };
      await noteOffset(pool, LIVE, { projector: 'repair', ledger, behind, differences: unmended.length });
    }
    return repaired;
  } finally {
    await Promise.all([pool.end(), scans.end()]);
  }
};

const applyThenMend = async (
  pool: pg.Pool,
  options: RepairDatabaseOptions,
  scans: pg.Pool | null,
): Promise<Result<RepairReport, UnknownStream>> => {
  const { scope = null } = options;
  const applied = await applyLacking(pool, options);
  if (scope !== null && applied.streams === 0) {
    const live = await withClient(pool, (client) => headsIn(client, LIVE, scope));
    if (live.size === 0) return err(unknownStream({ ...options, scope }));
  }
  if (scans === null) return ok({ ...applied, rows: null });
  const { mended, unmended } = await repairRows(scans, rowsIn(options));
  const done = new Set([...mended, ...unmended].map(({ stream }) => stream));
  const left = applied.unmended.filter(({ stream }) => !done.has(stream));
  return ok({ ...applied, unmended: [...left, ...unmended], rows: { mended } });
};

const rowsIn = ({ source, trust, scope = null }: RepairDatabaseOptions): RowsToRepair => ({ source, trust, scope });

const applyLacking = async (pool: pg.Pool, options: RepairOptions | RepairDatabaseOptions): Promise<Applied> => {
  const model = openReadModel({ pool });
  try {
    return await repair({ ...options, model });
  } finally {
    await model.close();
  }
};
