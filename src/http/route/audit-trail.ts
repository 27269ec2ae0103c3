import { z } from 'zod';
import type { UserId } from '../../receipt/ids.ts';
import { auditEntrySchema, operationSchema } from '../admin-schema.ts';
import { freshAnswer } from '../answer.ts';
import { parseAuditId, userIdSchema } from '../id-schema.ts';
import { keyAfter, pageOf } from '../list-page.ts';
import { noBody, operation } from '../operation.ts';
import { pageSchema } from '../resource-schema.ts';
import { listQuery } from '../schema.ts';
import { freshOf } from '../success.ts';

export const listAuditTrail = operation({
  id: 'listAuditTrail',
  tag: 'Admin',
  summary: 'Who did what as an operator, or tried to, newest first',
  description:
    'Two entries for each use: one from before anything was done, and one that tells the outcome. Where the second is missing, a process died or the database went away: look at what the first is about.',
  successes: freshOf(pageSchema('AuditPage', auditEntrySchema), 'A page'),
  problems: [],
  query: z.strictObject({
    ...listQuery,
    userId: userIdSchema.optional().meta({ description: 'Only those of this user' }),
    operation: operationSchema.optional(),
  }),
  body: noBody,
  handle: async ({ auditTrail }, _operator: UserId, { query: { limit, cursor, userId = null, operation: only = null } }) => {
    const after = keyAfter(cursor, parseAuditId);
    if (!after.ok) return after.error;
    const { rows, hasMore } = await auditTrail.entries({ userId, operation: only }, { after: after.value, limit });
    return freshAnswer(
      200,
      pageOf(rows, hasMore, ({ entryId }) => entryId),
    );
  },
});
