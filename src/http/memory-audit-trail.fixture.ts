import type { AuditEntry, AuditTrail } from '../port/audit-trail.ts';
import { newestFirst } from './memory-page.fixture.ts';

/** A trail in RAM, for tests. */
export const memoryAuditTrail = (): AuditTrail => {
  const all: AuditEntry[] = [];
  return {
    add: async (entry) => void all.push(entry),
    entries: async ({ userId, operation }, page) => {
      const rows = all.filter(
        (entry) => (userId === null || entry.userId === userId) && (operation === null || entry.operation === operation),
      );
      return newestFirst(rows, ({ entryId }) => entryId, page);
    },
  };
};
