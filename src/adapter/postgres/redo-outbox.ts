import type pg from 'pg';
import type { RedoItem, RedoOutbox } from '../../port/redo-outbox.ts';
import { redoKinds } from '../../projection/row-change.ts';
import { parseEventId } from '../../receipt/ids.ts';
import { LEDGER_ROOT } from '../../receipt/key-path.ts';
import { type RawRow, stored, storedText, storedWord } from '../stored-column.ts';
import { guardOn } from './guard.ts';
import { queryOn } from './pool.ts';
import { requireSchemaName } from './schema-text.ts';
import { noTenant } from './scope.ts';

/** The outbox in `ops.redo_outbox`, which `apply` fills. The pool is from `openPool` and stays its caller's. */
export const openRedoOutbox = (pool: pg.Pool): RedoOutbox => {
  const guard = guardOn(pool, 'projection');
  return {
    open: async (limit, openForMs) => {
      // `created_at` is the receipt's time: what a rebuild or a catch-up finds of long ago is open at once, as it should be.
      const rows = await guard(() =>
        queryOn<RawRow>(pool, noTenant, {
          text: `SELECT event_id, target, kind FROM ops.redo_outbox
                 WHERE done_at IS NULL AND created_at <= now() - $2 * interval '1 millisecond'
                 ORDER BY created_at, event_id, target LIMIT $1`,
          values: [limit, openForMs],
        }),
      );
      return rows.map(itemOf);
    },
    close: async ({ eventId, target }, outcome) => {
      // A crash before this leaves the row open: what follows is asked for once more, and answered with what there is.
      await guard(() =>
        queryOn(pool, noTenant, {
          text: `UPDATE ops.redo_outbox SET done_at = now(), outcome = $3 WHERE event_id = $1 AND target = $2 AND done_at IS NULL`,
          values: [eventId, target, outcome],
        }),
      );
    },
  };
};

const itemOf = (row: RawRow): RedoItem => ({
  eventId: stored('redo_outbox.event_id', parseEventId, row.event_id),
  target: storedText('redo_outbox.target', row.target),
  kind: storedWord('redo_outbox.kind', redoKinds, row.kind),
});

const targetSql = (accountId: string, bookId: string): string => `'${LEDGER_ROOT}pixbooks/' || ${accountId} || '/' || ${bookId}`;

/**
 * Makes the rows that were lost again from a projection: claims whose pack is not there, and reservations that are still open. What is there
 * already stays as it is, done or not. Answers how many it made. One statement; throws as `pg`.
 */
export const restoreRedo = async (client: pg.ClientBase, schema = 'projection'): Promise<number> => {
  requireSchemaName(schema);
  const { rowCount } = await client.query(`
    INSERT INTO ops.redo_outbox (event_id, target, kind, created_at)
    SELECT c.claim_event_id, ${targetSql('c.account_id', 'c.book_id')}, 'issue-code-pack', c.claimed_at
    FROM ${schema}.codes AS c
    WHERE c.status = 'claimed'
      AND NOT EXISTS (SELECT FROM ${schema}.packs AS k WHERE k.book_id = c.book_id AND k.code_id = c.code_id)
    UNION ALL
    SELECT v.event_id, ${targetSql('v.offer_account_id', 'v.offer_book_id')}, 'complete-trade', v.reserved_at
    FROM ${schema}.trade_reservations AS v
    WHERE v.status = 'reserved'
    ON CONFLICT DO NOTHING`);
  return rowCount ?? 0;
};
