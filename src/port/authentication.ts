import type { UserId } from '../receipt/ids.ts';

/** A signed-in user. */
export type Session = { readonly userId: UserId; readonly sessionId: string; readonly via: 'cookie' | 'bearer' };

/**
 * Sign-in, as HTTP needs it. Sessions live in the schema `auth`, not in receipts. Throws `Outage` (`postgres-unavailable`).
 * A revoked or expired session is never answered: each call looks at the database.
 */
export interface Authentication {
  /** The session that the request's cookie or bearer token belongs to, or null. */
  session(headers: Headers): Promise<Session | null>;
  /**
   * Serves everything below `/v1/auth`: sign-up, sign-in, sign-out, session. Answers are better-auth's own, errors included.
   * `clientAddress` is the IP address that rate limits count by; without it all clients share one allowance.
   */
  handle(request: Request, clientAddress?: string | null): Promise<Response>;
  close(): Promise<void>;
}
