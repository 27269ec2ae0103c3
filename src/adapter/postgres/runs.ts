import type pg from 'pg';
import { z } from 'zod';
import { type Run, type RunSummary, type Runs, runFailures, runKinds } from '../../port/runs.ts';
import { type Instant, parseUserId } from '../../receipt/ids.ts';
import { type JsonObject, isJsonObject } from '../../receipt/json.ts';
import {
  type RawRow,
  stored,
  storedCount,
  storedInstant,
  storedInstantOrNull,
  storedJson,
  storedText,
  storedWord,
} from '../stored-column.ts';
import { guardOn } from './guard.ts';
import { queryOn, withClient } from './pool.ts';
import { pageOf } from './query-page.ts';
import { queueJob } from './queue-job.ts';
import { noTenant } from './scope.ts';

/** All but the report, which a list does without. */
const SUMMARY = 'run_id, kind, user_id, status, created_at, started_at, finished_at, exit_code, reason';

/** The runs in `ops.runs`. The pool is from `openPool` and stays its caller's. The job library's schema must be there. */
export const openRuns = (pool: pg.Pool): Runs => {
  const guard = guardOn(pool, 'projection');
  const ask = (text: string, values: unknown[]) => guard(() => queryOn<RawRow>(pool, noTenant, { text, values }));
  return {
    order: (run, now) => guard(() => withClient(pool, (client) => takeRun(client, run, now))),
    read: async (runId) => {
      const [row] = await ask('SELECT * FROM ops.runs WHERE run_id = $1', [runId]);
      return row === undefined ? null : runOf(row);
    },
    list: async (page) => {
      const after = page.after === null ? '' : 'WHERE run_id < $2';
      const values = [page.limit + 1, ...(page.after === null ? [] : [page.after])];
      return pageOf(await ask(`SELECT ${SUMMARY} FROM ops.runs ${after} ORDER BY run_id DESC LIMIT $1`, values), page, summaryOf);
    },
    latest: async (kind) => {
      const [row] = await ask(`SELECT ${SUMMARY} FROM ops.runs WHERE kind = $1 ORDER BY run_id DESC LIMIT 1`, [kind]);
      return row === undefined ? null : summaryOf(row);
    },
    begin: async (runId, now) => {
      // A crash after this: whoever gets the job next finds the run begun, and ends it.
      const [row] = await ask(
        `UPDATE ops.runs SET status = 'running', started_at = $2 WHERE run_id = $1 AND status = 'queued' RETURNING kind`,
        [runId, now],
      );
      return row === undefined ? null : storedWord('runs.kind', runKinds, row.kind);
    },
    end: async (runId, { exitCode, reason, report, reportWhole }, now) => {
      const status = reason === null ? 'finished' : 'failed';
      await ask(
        `UPDATE ops.runs SET status = $2, exit_code = $3, reason = $4, report = $5, report_whole = $6, finished_at = $7
         WHERE run_id = $1 AND status = 'running'`,
        [runId, status, exitCode, reason, report === null ? null : JSON.stringify(report), reportWhole, now],
      );
    },
    unfinished: async (limit) => {
      const rows = await ask(
        `SELECT run_id FROM ops.runs WHERE status IN ('queued', 'running') ORDER BY created_at, run_id LIMIT $1`,
        [limit],
      );
      return rows.map(({ run_id }) => storedText('runs.run_id', run_id));
    },
  };
};

/** A crash in here leaves neither the run nor its job. */
const takeRun = async (
  client: pg.PoolClient,
  { runId, kind, userId }: Pick<RunSummary, 'runId' | 'kind' | 'userId'>,
  now: Instant,
): Promise<{ readonly taken: boolean; readonly run: Run }> => {
  await client.query('BEGIN');
  const { rows } = await client.query<RawRow>({
    text: `INSERT INTO ops.runs (run_id, kind, user_id, created_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING RETURNING *`,
    values: [runId, kind, userId, now],
  });
  const [taken] = rows;
  if (taken !== undefined) {
    await queueJob(client, { kind: 'run', runId });
    await client.query('COMMIT');
    return { taken: true, run: runOf(taken) };
  }
  // The latest of this kind: the one in the way, or, should that have ended meanwhile, what came of it.
  const { rows: others } = await client.query<RawRow>({
    text: 'SELECT * FROM ops.runs WHERE kind = $1 ORDER BY run_id DESC LIMIT 1',
    values: [kind],
  });
  await client.query('COMMIT');
  return { taken: false, run: runOf(others[0] ?? {}) };
};

const reportJson: z.ZodType<JsonObject> = z.custom<JsonObject>(isJsonObject);

const summaryOf = (row: RawRow): RunSummary => ({
  runId: storedText('runs.run_id', row.run_id),
  kind: storedWord('runs.kind', runKinds, row.kind),
  userId: stored('runs.user_id', parseUserId, row.user_id),
  status: storedWord('runs.status', ['queued', 'running', 'finished', 'failed'], row.status),
  createdAt: storedInstant('runs.created_at', row.created_at),
  startedAt: storedInstantOrNull('runs.started_at', row.started_at),
  finishedAt: storedInstantOrNull('runs.finished_at', row.finished_at),
  exitCode: row.exit_code === null ? null : storedCount('runs.exit_code', row.exit_code),
  reason: row.reason === null ? null : storedWord('runs.reason', runFailures, row.reason),
});

const runOf = (row: RawRow): Run => ({
  ...summaryOf(row),
  report: row.report === null ? null : storedJson('runs.report', reportJson, row.report),
  reportWhole: row.report_whole === true,
});
