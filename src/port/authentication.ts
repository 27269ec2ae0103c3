import type { Scope } from '../access/permission.ts';
import type { Instant, UserId } from '../receipt/ids.ts';
import type { Result } from '../result.ts';
import type { Refusal } from '../stream/refusal.ts';

/**
 * Whoever is signed in. `scopes` is what an API key may do; null for a person, who may do all that the user may. `sessionId` names the
 * session or the API key.
 */
export type Session = {
  readonly userId: UserId;
  readonly sessionId: string;
  readonly via: 'cookie' | 'bearer' | 'api-key';
  readonly scopes: ReadonlySet<Scope> | null;
};

/** A session of a user's, without its token. `clientAddress` and `userAgent` are of the request that made it. */
export type SessionResource = {
  readonly sessionId: string;
  readonly createdAt: Instant;
  readonly expiresAt: Instant;
  readonly clientAddress: string | null;
  readonly userAgent: string | null;
};

/** An API key, without the key: that is shown once and kept as a hash. `start` are its first characters, for people to know it by. */
export type ApiKeyResource = {
  readonly apiKeyId: string;
  readonly name: string;
  readonly start: string;
  readonly scopes: readonly Scope[];
  readonly createdAt: Instant;
  readonly expiresAt: Instant | null;
  /** When it was last used, to the minute; null: never. */
  readonly lastUsedAt: Instant | null;
};

/**
 * Sign-in, as HTTP needs it. Users, sessions, passkeys and API keys live in the schema `auth`, not in receipts. Throws `Outage`
 * (`postgres-unavailable`). A revoked or expired session or key is never answered: each call looks at the database.
 */
export interface Authentication {
  /** Whoever the request's cookie, bearer token or API key (`Authorization: Bearer pixpax_…`) belongs to, or null. */
  session(headers: Headers): Promise<Session | null>;
  /**
   * Serves everything below `/v1/auth`: sign-up, sign-in, sign-out, session, passkeys. Answers are better-auth's own, errors included.
   * `clientAddress` is the IP address that rate limits count by; without it all clients share one allowance.
   */
  handle(request: Request, clientAddress?: string | null): Promise<Response>;
  /** The user's live sessions, newest first. At most `limits.sessionsPerUser`. */
  sessions(userId: UserId): Promise<readonly SessionResource[]>;
  /** Ends a session of the user's at once. False when the user has no such session. */
  revokeSession(userId: UserId, sessionId: string): Promise<boolean>;
  /** The user's API keys that are neither revoked nor expired, newest first. At most `limits.apiKeysPerUser`. */
  apiKeys(userId: UserId): Promise<readonly ApiKeyResource[]>;
  /** Makes a key. `key` is answered here and never again. `expiresAt` null: until it is revoked. */
  createApiKey(
    userId: UserId,
    wanted: { readonly name: string; readonly scopes: readonly Scope[]; readonly expiresAt: Instant | null },
  ): Promise<Result<ApiKeyResource & { readonly key: string }, Refusal<'too-many-api-keys'>>>;
  /** Ends a key of the user's at once. False when the user has no such key. */
  revokeApiKey(userId: UserId, apiKeyId: string): Promise<boolean>;
  close(): Promise<void>;
}
