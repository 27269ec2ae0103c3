import type { Instant, UserId } from '../receipt/ids.ts';
import type { Session } from './authentication.ts';
import type { Page, PageRequest } from './ledger-queries.ts';

/**
 * That an operation of operators was asked for, or what came of it. `entryId` is `aud_` and a ULID. `askedId` is null in the entry that was
 * written before anything was done, and names that entry in the one that tells the outcome. `target` is the id the operation was about, when it
 * was one. `status` is the HTTP status, and `outcome` the code of the problem, `answered` without one, `asked` before. Nothing of what
 * was sent or answered is in an entry, nor any token: `sessionId` names the session or the API key.
 */
export type AuditEntry = {
  readonly entryId: string;
  readonly askedId: string | null;
  readonly at: Instant;
  readonly userId: UserId;
  readonly via: Session['via'];
  readonly sessionId: string;
  readonly operation: string;
  readonly target: string | null;
  readonly status: number | null;
  readonly outcome: string;
  readonly requestId: string;
};

export type AuditFilter = { readonly userId: UserId | null; readonly operation: string | null };

/**
 * Who did what as an operator, or tried to. Entries are added and never changed or taken out. Losing the database loses the trail: it is not
 * made from receipts, and is backed up like users. Throws `Outage` (`postgres-unavailable`).
 */
export interface AuditTrail {
  /** Durable once this resolves. When it throws, the entry may be there or not. */
  add(entry: AuditEntry): Promise<void>;
  /** Newest first. `after` of a page is the last entry id of the page before. */
  entries(filter: AuditFilter, page: PageRequest<string>): Promise<Page<AuditEntry>>;
}
