import type pg from 'pg';
import { openPool } from '../src/adapter/postgres/pool.ts';

/** Runs `use` with a pool for whole tables, which ends with it. Throws as `use`. */
export const withPool = async <T>(databaseUrl: string, use: (pool: pg.Pool) => Promise<T>): Promise<T> => {
  const pool = openPool({ url: databaseUrl, work: 'scans' });
  try {
    return await use(pool);
  } finally {
    await pool.end();
  }
};
