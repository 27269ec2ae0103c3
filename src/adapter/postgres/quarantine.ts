import type pg from 'pg';
import type { NoteQuarantined } from '../../port/quarantine.ts';
import { guardOn } from './guard.ts';
import { queryOn } from './pool.ts';
import { noTenant } from './scope.ts';

/** Writes into `ops.quarantined_streams`. The pool is from `openPool` and stays its caller's. */
export const openQuarantine = (pool: pg.Pool): NoteQuarantined => {
  const guard = guardOn(pool, 'projection');
  return async (stream, { code, detail }, now) => {
    // A run of the projector knows more: where the fault is. What it wrote stays, but that the stream was met again.
    await guard(() =>
      queryOn(pool, noTenant, {
        text: `INSERT INTO ops.quarantined_streams AS q (stream, position, key, code, detail, found_by, since, seen_at)
               VALUES ($1, NULL, NULL, $2, $3, 'service', $4, $4)
               ON CONFLICT (stream) DO UPDATE SET found_by = 'service', seen_at = greatest(q.seen_at, EXCLUDED.seen_at)`,
        values: [stream, code, detail, now],
      }),
    );
  };
};
