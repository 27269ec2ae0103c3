import type { Head } from '../receipt/chain.ts';
import type {
  AccountId,
  BookId,
  CollectionId,
  EventId,
  IdentityId,
  Instant,
  PublicKeyId,
  ReceiptHash,
  UserId,
} from '../receipt/ids.ts';
import type { JsonObject } from '../receipt/json.ts';
import type { Stream } from '../receipt/stream.ts';
import type { Role } from '../stream/account/event.ts';

/** One page of a list: rows in key order, and whether more follow. `after` of the next request is the last row's key. */
export type Page<Row> = { readonly rows: readonly Row[]; readonly hasMore: boolean };
/** At most `limit` rows (1…`limits.pageRows`) whose key is greater than `after`. */
export type PageRequest<Key extends string | number> = { readonly after: Key | null; readonly limit: number };

export type AccountResource = {
  readonly accountId: AccountId;
  readonly status: 'open' | 'closed';
  readonly createdAt: Instant;
  readonly closedAt: Instant | null;
  readonly head: Head;
};

export type MemberResource = { readonly userId: UserId; readonly role: Role; readonly since: Instant };

export type IdentityResource = {
  readonly identityId: IdentityId;
  readonly accountId: AccountId;
  readonly status: 'active' | 'revoked';
  readonly controller: UserId | null;
  readonly publicKeyId: PublicKeyId;
  readonly publicKey: string;
  readonly keyGeneration: number;
  readonly createdAt: Instant;
  readonly revokedAt: Instant | null;
};

export type KeyResource = {
  readonly publicKeyId: PublicKeyId;
  readonly publicKey: string;
  readonly identityId: IdentityId;
  readonly accountId: AccountId;
  readonly keyGeneration: number;
  readonly validFrom: Instant;
  readonly validUntil: Instant | null;
};

export type PixbookResource = {
  readonly bookId: BookId;
  readonly accountId: AccountId;
  readonly identityId: IdentityId;
  readonly collectionId: CollectionId;
  readonly generation: number;
  readonly status: 'open' | 'closed';
  readonly state: JsonObject | null;
  readonly stateEventId: EventId | null;
  readonly createdAt: Instant;
  readonly savedAt: Instant | null;
  readonly closedAt: Instant | null;
  readonly head: Head;
};

/** Where a receipt is. */
export type ReceiptPlace = { readonly stream: Stream; readonly position: number; readonly hash: ReceiptHash };

/** The accounts a user belongs to, and as what. */
export type Membership = { readonly accountId: AccountId; readonly role: Role };

/**
 * Reads for HTTP. Each call is one snapshot, sees only applied receipts, writes nothing, and answers null or an empty page for what is not
 * there; who may see it is the caller's business. Throws `Outage` (`postgres-unavailable`). Any number of calls may run at once.
 */
export interface LedgerQueries {
  membership(userId: UserId, accountId: AccountId): Promise<Role | null>;
  memberships(userId: UserId): Promise<readonly Membership[]>;
  account(accountId: AccountId): Promise<AccountResource | null>;
  members(accountId: AccountId, page: PageRequest<UserId>): Promise<Page<MemberResource>>;
  identities(accountId: AccountId, page: PageRequest<IdentityId>): Promise<Page<IdentityResource>>;
  identity(identityId: IdentityId): Promise<IdentityResource | null>;
  /** The oldest record of a key: the same key in two identities is refused by `verify`, not by this. */
  key(publicKeyId: PublicKeyId): Promise<KeyResource | null>;
  /** Books of the accounts given, in order of book id; `identityId` and `collectionId` narrow. */
  pixbooks(
    filter: { accountIds: readonly AccountId[]; identityId: IdentityId | null; collectionId: CollectionId | null },
    page: PageRequest<BookId>,
  ): Promise<Page<PixbookResource>>;
  pixbook(bookId: BookId): Promise<PixbookResource | null>;
  receipt(eventId: EventId): Promise<ReceiptPlace | null>;
  /** The last applied receipt of a stream. */
  head(stream: Stream): Promise<Head | null>;
}
