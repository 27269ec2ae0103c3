import type { Head } from '../receipt/chain.ts';
import type {
  AccountId,
  BookId,
  CardId,
  CodeId,
  CollectionId,
  DropId,
  EventId,
  IdentityId,
  InstanceId,
  Instant,
  InvitationId,
  PackId,
  PublicKeyId,
  ReceiptHash,
  Seed,
  SeriesId,
  Sha256,
  TradeId,
  UserId,
} from '../receipt/ids.ts';
import type { JsonObject } from '../receipt/json.ts';
import type { Stream } from '../receipt/stream.ts';
import type { Plan, Role } from '../stream/account/event.ts';
import type { AccountState } from '../stream/account/evolve.ts';
import type { Card } from '../stream/collection/event.ts';
import type { Instance, Want } from '../stream/pixbook/event.ts';

/** One page of a list: rows in key order, and whether more follow. `after` of the next request is the last row's key. */
export type Page<Row> = { readonly rows: readonly Row[]; readonly hasMore: boolean };
/** At most `limit` rows (1…`limits.pageRows`) whose key is greater than `after`. */
export type PageRequest<Key extends string | number> = { readonly after: Key | null; readonly limit: number };

export type AccountResource = {
  readonly accountId: AccountId;
  readonly status: Exclude<AccountState['status'], 'absent'>;
  readonly plan: Plan;
  readonly createdAt: Instant;
  readonly closedAt: Instant | null;
  /** While it is suspended: since when, and what the operators said. */
  readonly suspendedAt: Instant | null;
  readonly suspensionReason: string | null;
  readonly head: Head;
};

/** An invitation that was neither accepted nor withdrawn; its time may be over. */
export type InvitationResource = {
  readonly invitationId: InvitationId;
  readonly role: Role;
  readonly invitedBy: UserId;
  readonly createdAt: Instant;
  readonly expiresAt: Instant;
};

/** What an account wrote within a time: receipts of its streams, and the bytes they take in the store. */
export type WrittenResource = { readonly receipts: number; readonly bytes: number };

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

/** A collection in a list. */
export type CollectionSummary = {
  readonly collectionId: CollectionId;
  readonly version: number;
  readonly title: string;
  readonly publishedAt: Instant;
  readonly updatedAt: Instant;
};

/** A collection with its latest catalogue. */
export type CollectionResource = CollectionSummary & {
  readonly series: readonly { readonly seriesId: SeriesId; readonly title: string; readonly retiredAt: Instant | null }[];
  readonly cards: readonly Card[];
  readonly head: Head;
};

export type DropResource = {
  readonly dropId: DropId;
  readonly collectionId: CollectionId;
  readonly title: string;
  readonly status: 'open' | 'closed';
  readonly packSize: number;
  readonly seedHash: Sha256;
  readonly seed: Seed | null;
  readonly openedAt: Instant;
  readonly closedAt: Instant | null;
};

/** A code, for issuers: its secret is nowhere. */
export type CodeResource = {
  readonly codeId: CodeId;
  readonly collectionId: CollectionId;
  readonly dropId: DropId;
  readonly batchId: string | null;
  readonly status: 'open' | 'claimed' | 'revoked';
  readonly createdAt: Instant;
  readonly claimedAt: Instant | null;
  readonly revokedAt: Instant | null;
};

export type PackResource = {
  readonly packId: PackId;
  readonly bookId: BookId;
  readonly dropId: DropId;
  readonly codeId: CodeId | null;
  readonly status: 'issued' | 'opened';
  readonly cards: readonly Instance[];
  readonly eventId: EventId;
  readonly issuedAt: Instant;
  readonly openedAt: Instant | null;
};

/**
 * A copy in a book. `escrowed`: kept by an open trade, still the book's. `leaving`: its trade is accepted, it is the other book's as soon
 * as that settles. `arriving`: the reverse, a copy that an accepted trade brings.
 */
export type CardResource = {
  readonly instanceId: InstanceId;
  readonly cardId: CardId;
  readonly status: 'owned' | 'escrowed' | 'leaving' | 'arriving';
  readonly tradeId: TradeId | null;
  readonly source: 'pack' | 'grant' | 'trade';
  readonly sourceId: string;
  readonly since: Instant;
};

/** How many copies of a card a book owns, those in escrow included, and how many of them are. */
export type Holding = { readonly cardId: CardId; readonly copies: number; readonly inEscrow: number };

/** One status for both books: the offerer's, and once it says `accepted` or while the partner has reserved, the partner's. */
export const tradeStatuses = ['offered', 'reserved', 'accepted', 'settled', 'declined', 'cancelled', 'expired'] as const;
export type TradeStatus = (typeof tradeStatuses)[number];

export type TradeResource = {
  readonly tradeId: TradeId;
  readonly status: TradeStatus;
  readonly from: { readonly accountId: AccountId; readonly bookId: BookId };
  readonly to: { readonly accountId: AccountId; readonly bookId: BookId };
  readonly give: readonly Instance[];
  readonly want: Want;
  /** What the partner gives, once it has accepted. */
  readonly receive: readonly Instance[] | null;
  readonly offeredAt: Instant;
  readonly expiresAt: Instant;
  readonly endedAt: Instant | null;
  /** The receipts it consists of, as far as it has come; null for those that are not (yet) there. */
  readonly receipts: { readonly offer: EventId; readonly reservation: EventId | null; readonly end: EventId | null };
};

/** Where an offer is that may be ended because its time is over. */
export type DueTrade = { readonly accountId: AccountId; readonly bookId: BookId; readonly tradeId: TradeId };

/** Where a book is. */
export type BookPlace = { readonly accountId: AccountId; readonly bookId: BookId };

/** Where a receipt is. */
export type ReceiptPlace = { readonly stream: Stream; readonly position: number; readonly hash: ReceiptHash };

/** The accounts a user belongs to, and as what. */
export type Membership = { readonly accountId: AccountId; readonly role: Role };

/**
 * Reads for HTTP. Each call is one snapshot, sees applied receipts only, and of tenants those it names, writes nothing, and answers null or an
 * empty page for what is not there; who may see it is the caller's business. Throws `Outage` (`postgres-unavailable`). Any number at once.
 */
export interface LedgerQueries {
  membership(userId: UserId, accountId: AccountId): Promise<Role | null>;
  memberships(userId: UserId): Promise<readonly Membership[]>;
  account(accountId: AccountId): Promise<AccountResource | null>;
  members(accountId: AccountId, page: PageRequest<UserId>): Promise<Page<MemberResource>>;
  invitations(accountId: AccountId, page: PageRequest<InvitationId>): Promise<Page<InvitationResource>>;
  /** Receipts whose `createdAt` is from `from` on and before `until`. */
  written(accountId: AccountId, from: Instant, until: Instant): Promise<WrittenResource>;
  identities(accountId: AccountId, page: PageRequest<IdentityId>): Promise<Page<IdentityResource>>;
  /** An account's identity: another account's is not there. */
  identity(accountId: AccountId, identityId: IdentityId): Promise<IdentityResource | null>;
  /** The oldest record of a key: the same key in two identities is refused by `verify`, not by this. */
  key(publicKeyId: PublicKeyId): Promise<KeyResource | null>;
  /** Books of the accounts given, in order of book id; `identityId` and `collectionId` narrow. */
  pixbooks(
    filter: { accountIds: readonly AccountId[]; identityId: IdentityId | null; collectionId: CollectionId | null },
    page: PageRequest<BookId>,
  ): Promise<Page<PixbookResource>>;
  /** As everywhere below, a book in another account than said is not there. */
  pixbook(book: BookPlace): Promise<PixbookResource | null>;
  /** Whose a book is, whoever's it is: that never changes. */
  accountOfBook(bookId: BookId): Promise<AccountId | null>;
  collections(page: PageRequest<CollectionId>): Promise<Page<CollectionSummary>>;
  collection(collectionId: CollectionId): Promise<CollectionResource | null>;
  drops(collectionId: CollectionId, page: PageRequest<DropId>): Promise<Page<DropResource>>;
  drop(dropId: DropId): Promise<DropResource | null>;
  codes(
    filter: { dropId: DropId; status: CodeResource['status'] | null; batchId: string | null },
    page: PageRequest<CodeId>,
  ): Promise<Page<CodeResource>>;
  code(codeId: CodeId): Promise<CodeResource | null>;
  packs(filter: BookPlace & { status: PackResource['status'] | null }, page: PageRequest<PackId>): Promise<Page<PackResource>>;
  pack(book: BookPlace, packId: PackId): Promise<PackResource | null>;
  cards(book: BookPlace, page: PageRequest<InstanceId>): Promise<Page<CardResource>>;
  /** Of every card the book owns a copy of (status `owned` or `escrowed`), in order of card id. At most a catalogue's worth. */
  holdings(book: BookPlace): Promise<readonly Holding[]>;
  /** Trades in which these accounts' books, or this book of theirs alone, are on either side. */
  trades(
    filter: { accountIds: readonly AccountId[]; bookId: BookId | null; status: TradeStatus | null },
    page: PageRequest<TradeId>,
  ): Promise<Page<TradeResource>>;
  trade(tradeId: TradeId): Promise<TradeResource | null>;
  /** Offers that nobody ended and whose time was over at `now`, those due longest first. */
  dueTrades(now: Instant, limit: number): Promise<readonly DueTrade[]>;
  receipt(eventId: EventId): Promise<ReceiptPlace | null>;
  /** The last applied receipt of a stream. */
  head(stream: Stream): Promise<Head | null>;
}
