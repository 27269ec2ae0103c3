import { digestTables } from '../../src/adapter/postgres/digest.ts';
import { openPool, withClient } from '../../src/adapter/postgres/pool.ts';
import type { LiveDatabase } from '../projection.fixture.ts';
import type { RebuildProcess } from './rebuild-process.fixture.ts';

/** Digests of the live projection. */
export const digestsOf = async ({ url }: LiveDatabase) => {
  const pool = openPool({ url, work: 'scans', connections: 1 });
  try {
    return await withClient(pool, async (client) => {
      await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
      return digestTables(client, 'projection');
    });
  } finally {
    await pool.end();
  }
};

/** How many units of a filling are done; null when there is no filling. */
export const unitsDone = async ({ pool }: LiveDatabase): Promise<number | null> => {
  const { rows } = await pool.query<{ there: boolean }>(
    `SELECT to_regclass('projection_next_filling.units') IS NOT NULL AS there`,
  );
  if (rows[0]?.there !== true) return null;
  const done = await pool.query<{ n: number }>(
    'SELECT count(*) AS n FROM projection_next_filling.units WHERE done_at IS NOT NULL',
  );
  return done.rows[0]?.n ?? null;
};

/** Resolves once at least so many units are done, or the process has ended. */
export const untilDone = async (live: LiveDatabase, units: number, process: RebuildProcess): Promise<void> => {
  while (!process.hasEnded() && ((await unitsDone(live).catch(() => null)) ?? 0) < units)
    await new Promise((resolve) => setTimeout(resolve, 5));
};
