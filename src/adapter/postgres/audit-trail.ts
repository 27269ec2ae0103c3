import type pg from 'pg';
import type { AuditEntry, AuditTrail } from '../../port/audit-trail.ts';
import { parseUserId } from '../../receipt/ids.ts';
import { type RawRow, stored, storedCount, storedInstant, storedText, storedWord } from '../stored-column.ts';
import { guardOn } from './guard.ts';
import { queryOn } from './pool.ts';
import { pageOf } from './query-page.ts';
import { noTenant } from './scope.ts';

/** The trail in `ops.audit_trail`, where the service may add and read and no more. The pool is from `openPool` and stays its caller's. */
export const openAuditTrail = (pool: pg.Pool): AuditTrail => {
  const guard = guardOn(pool, 'projection');
  const ask = (text: string, values: unknown[]) => guard(() => queryOn<RawRow>(pool, noTenant, { text, values }));
  return {
    add: async (entry) => {
      const { entryId, askedId, at, userId, via, sessionId, operation, target, status, outcome, requestId } = entry;
      await ask(
        `INSERT INTO ops.audit_trail
           (entry_id, asked_id, at, user_id, via, session_id, operation, target, status, outcome, request_id)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
        [entryId, askedId, at, userId, via, sessionId, operation, target, status, outcome, requestId],
      );
    },
    // A statement for each filter: one that allows for all of them would have one plan, which suits none of the indices.
    entries: async ({ userId, operation }, page) => {
      const values: unknown[] = [page.limit + 1];
      const conditions = [
        ...equals('user_id', userId, values),
        ...equals('operation', operation, values),
        ...(page.after === null ? [] : [`entry_id < $${values.push(page.after)}`]),
      ];
      const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`;
      const rows = await ask(`SELECT * FROM ops.audit_trail ${where} ORDER BY entry_id DESC LIMIT $1`, values);
      return pageOf(rows, page, entryOf);
    },
  };
};

/** The condition on a column, if there is one; its value goes to the end of `values`. */
const equals = (column: string, value: string | null, values: unknown[]): readonly string[] =>
  value === null ? [] : [`${column} = $${values.push(value)}`];

const textOrNull = (column: string, value: unknown): string | null => (value === null ? null : storedText(column, value));

const entryOf = (row: RawRow): AuditEntry => ({
  entryId: storedText('audit_trail.entry_id', row.entry_id),
  askedId: textOrNull('audit_trail.asked_id', row.asked_id),
  at: storedInstant('audit_trail.at', row.at),
  userId: stored('audit_trail.user_id', parseUserId, row.user_id),
  via: storedWord('audit_trail.via', ['cookie', 'bearer', 'api-key'], row.via),
  sessionId: storedText('audit_trail.session_id', row.session_id),
  operation: storedText('audit_trail.operation', row.operation),
  target: textOrNull('audit_trail.target', row.target),
  status: row.status === null ? null : storedCount('audit_trail.status', row.status),
  outcome: storedText('audit_trail.outcome', row.outcome),
  requestId: storedText('audit_trail.request_id', row.request_id),
});
