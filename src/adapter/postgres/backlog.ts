import type pg from 'pg';
import { limits } from '../../limits.ts';
import type { Backlog } from '../../port/jobs.ts';
import { type RawRow, storedCount, storedText } from '../stored-column.ts';
import { guardOn } from './guard.ts';
import { queryOn } from './pool.ts';
import { noTenant } from './scope.ts';

/** What `ops` holds that is not done. The pool is from `openPool` and stays its caller's. */
export const openBacklog = (pool: pg.Pool): Backlog => {
  const guard = guardOn(pool, 'projection');
  const ask = (text: string, values: unknown[]) => guard(() => queryOn<RawRow>(pool, noTenant, { text, values }));
  return {
    redo: async () => {
      const [row] = await ask(
        `SELECT count(*) AS open, greatest(0, coalesce(extract(epoch FROM now() - min(created_at)) * 1000, 0))::bigint AS oldest_ms
         FROM (SELECT created_at FROM ops.redo_outbox WHERE done_at IS NULL ORDER BY created_at LIMIT $1) AS item`,
        [limits.countedRedoItems],
      );
      return {
        open: storedCount('redo_outbox count', row?.open),
        oldestMs: storedCount('redo_outbox age', row?.oldest_ms),
      };
    },
    standing: async () => {
      const [row] = await ask(
        `SELECT (SELECT count(*) FROM ops.quarantined_streams) AS quarantined,
           coalesce((SELECT CASE projector WHEN 'drift' THEN behind_receipts ELSE 0 END
                     FROM projection.projector_offsets ORDER BY updated_at DESC, projector LIMIT 1), 0) AS lag`,
        [],
      );
      return {
        quarantinedStreams: storedCount('quarantined_streams count', row?.quarantined),
        lagReceipts: storedCount('projector_offsets.behind_receipts', row?.lag),
      };
    },
    unfinishedBatches: async (limit) => {
      const rows = await ask(
        `SELECT batch_id FROM ops.batches WHERE status <> 'finished' ORDER BY created_at, batch_id LIMIT $1`,
        [limit],
      );
      return rows.map((row) => storedText('batches.batch_id', row.batch_id));
    },
  };
};
