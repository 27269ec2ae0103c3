import type { Worker } from 'graphile-worker';
import type pg from 'pg';
import { limits } from '../../limits.ts';
import { JOB_SCHEMA } from '../job-row.ts';

/** Advisory locks of ours. Any numbers do: they spell "pxjm" (migration) and "pxjb" (jobs) in ASCII. */
const MIGRATION_LOCK = 0x70786a6d;
const JOBS_LOCK = 0x70786a62;

/** Runs `migrate` while nobody else does: the library's own answer to two at once is to try twice. */
export const migrateAlone = async (session: pg.Client, migrate: () => Promise<void>): Promise<void> => {
  await session.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK]);
  // A crash from here on frees the lock with its session. What throws ends the session too.
  await migrate();
  await session.query('SELECT pg_advisory_unlock($1)', [MIGRATION_LOCK]);
};

/** Says to all processes that a pool of workers lives. `poolId` is empty until the library has made the pool. */
export type PoolLock = { readonly plugin: GraphileConfig.Plugin; readonly poolId: () => string };

/**
 * Holds a lock in the pool's name for as long as the session lives, from before its first job. The library marks the jobs that a pool is doing with
 * the pool's id, and would leave those of a process that died alone for four hours.
 */
export const poolLock = (session: pg.Client): PoolLock => {
  let poolId = '';
  let held: Promise<unknown> | null = null;
  const hold = (id: string) => session.query('SELECT pg_try_advisory_lock($1, hashtext($2))', [JOBS_LOCK, id]);
  const startWorker = async (_context: unknown, { worker }: { worker: Worker }): Promise<void> => {
    poolId = worker.workerPool.id;
    held ??= hold(poolId);
    await held;
  };
  return { plugin: { name: 'pixpax-pool-lock', version: '1.0.0', worker: { hooks: { startWorker } } }, poolId: () => poolId };
};

/**
 * Looks after the queue, for all processes. Frees the jobs of pools that do not live; should one live after all, its jobs are done twice, which
 * is harmless. And caps the back-off of failed jobs, which the library would let grow to six hours before it gives up at the 25th try: a capped job begins to
 * count anew.
 */
export const tidy = async (session: pg.Client, ownPoolId: string): Promise<void> => {
  await session.query(
    `SELECT ${JOB_SCHEMA}.force_unlock_workers(array(
       SELECT locked_by FROM ${JOB_SCHEMA}.jobs
       WHERE locked_by <> $1 AND pg_try_advisory_xact_lock($2, hashtext(locked_by))))`,
    [ownPoolId, JOBS_LOCK],
  );
  await session.query(
    `SELECT count(*) FROM ${JOB_SCHEMA}.reschedule_jobs(array(
       SELECT id FROM ${JOB_SCHEMA}.jobs WHERE locked_at IS NULL AND run_at > now() + $1 * interval '1 ms'),
       run_at => now() + $1 * interval '1 ms', attempts => 1)`,
    [limits.jobRetryCapMs],
  );
};
