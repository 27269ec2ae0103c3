import type { Projected } from '../projection/project.ts';
import type { Head } from '../receipt/chain.ts';
import type {
  AccountId,
  BookId,
  CollectionId,
  EventId,
  IdempotencyKey,
  IdentityId,
  PublicKeyId,
  ReceiptHash,
  UserId,
} from '../receipt/ids.ts';
import type { KeyRecord } from '../receipt/key-history.ts';
import type { Stream, StreamOf } from '../receipt/stream.ts';
import type { Role } from '../stream/account/event.ts';
import type { AccountState } from '../stream/account/evolve.ts';
import type { CodeState } from '../stream/code/state.ts';
import type { CollectionState } from '../stream/collection/state.ts';
import type { Concerns } from '../stream/pixbook/concerns.ts';
import type { PixbookState } from '../stream/pixbook/state.ts';

/** The receipt that an idempotency key of a stream belongs to. */
export type Seen = {
  readonly eventId: EventId;
  readonly hash: ReceiptHash;
  readonly position: number;
  /** 32 bytes, `fingerprintOf` of the receipt. */
  readonly fingerprint: Uint8Array;
};

/** An identity as the signer and the access rules need it. */
export type IdentityRow = {
  readonly identityId: IdentityId;
  readonly accountId: AccountId;
  readonly status: 'active' | 'revoked';
  readonly controller: UserId | null;
  readonly publicKeyId: PublicKeyId;
  /** Standard base64 of the current SPKI DER. */
  readonly publicKey: string;
  readonly keyGeneration: number;
};

/** What one command may ask to see, in one snapshot. */
export type ViewRequest<S extends Stream = Stream> = {
  readonly stream: S;
  readonly idempotencyKey: IdempotencyKey;
  /** Who asks; null when the service itself does. */
  readonly userId: UserId | null;
  /** The identity a new pixbook is for. For an existing pixbook its own identity is shown, whatever is asked. */
  readonly identityId: IdentityId | null;
  /** Whose word the command is, when it is not the stream's own identity's: an issuer's, or the partner's in a trade. */
  readonly actor?: Actor | null;
};

/** An identity and the account it says it belongs to. */
export type Actor = { readonly accountId: AccountId; readonly identityId: IdentityId };

/** A view of a pixbook holds the part of it that is asked for: without `concerns`, no cards, packs or trades, and `openTrades` null. */
export type PixbookViewRequest = ViewRequest<StreamOf<'pixbook'>> & {
  /** For each trade that is named, the copies it keeps in escrow are shown too. */
  readonly concerns?: Concerns;
};

/** Everything that authorising, recognising and deciding one command need, read in **one** snapshot (receipt.md §5 step 3). */
export type View<State> = {
  /** Changes whenever the projection was swapped or made anew: what this process remembers of it is then void. */
  readonly epoch: string;
  readonly head: Head | null;
  readonly seen: Seen | null;
  readonly state: State;
  /** Whether the stream's account is open, and the asking user's role in it. */
  readonly accountStatus: AccountState['status'];
  readonly role: Role | null;
  /** The pixbook's identity (pixbook streams), or null. */
  readonly identity: IdentityRow | null;
  /** The operator's identity; null before genesis is applied. */
  readonly operator: IdentityRow | null;
  /** The actor that was asked for, as its account's stream shows it; null when none was. */
  readonly acting: Acting | null;
};

/** `role` is the asking user's in the actor's account; `identity` is null when that account has no such identity. */
export type Acting = {
  readonly accountStatus: AccountState['status'];
  readonly role: Role | null;
  readonly identity: IdentityRow | null;
};

/** Where a pixbook is, and what its id follows from. */
export type BookRef = {
  readonly accountId: AccountId;
  readonly bookId: BookId;
  readonly identityId: IdentityId;
  readonly collectionId: CollectionId;
  readonly generation: number;
  readonly status: 'open' | 'closed';
};

/** One receipt's effect, with the head it makes. */
export type Application = {
  readonly stream: Stream;
  readonly head: Head;
  readonly projected: Projected;
};

/**
 * `applied`: the head moved from the predecessor to this receipt and the rows were written, in one transaction. `already`: this very
 * receipt had been applied. `behind`: the predecessor is not applied yet; nothing was changed. `different`: another
 * receipt is applied at this position: the ledger or the projection is broken; nothing was changed.
 */
export type ApplyOutcome = 'applied' | 'already' | 'behind' | 'different';

/**
 * The projection as commands need it. Not the truth: it may lag, be wiped or be swapped at any moment, and the append stays right.
 *
 * Atomicity: a view is one snapshot; an application is all or nothing and keyed by position, so that it may be repeated by anyone at any
 * time. Durability: what `apply` answered `applied` for survives a crash of Postgres where fsync is on. Failure: every call may throw
 * `Outage` (`postgres-unavailable`); after a thrown `apply` it may or may not have been applied. Any number of calls may run at once;
 * adapters group them. The caller holds the deadline.
 */
export interface ReadModel {
  accountView(request: ViewRequest<StreamOf<'account'>>): Promise<View<AccountState>>;
  pixbookView(request: PixbookViewRequest): Promise<View<PixbookState>>;
  /** `accountStatus` is `absent`, `role` and `identity` null: collections and codes belong to no tenant. */
  collectionView(request: ViewRequest<StreamOf<'collection'>>): Promise<View<CollectionState>>;
  codeView(request: ViewRequest<StreamOf<'code'>>): Promise<View<CodeState>>;
  /** The last applied receipt of a stream. */
  head(stream: Stream): Promise<Head | null>;
  /** The key record behind an issuer, for verifying what catch-up reads. */
  keyRecord(identityId: IdentityId, publicKeyId: PublicKeyId): Promise<KeyRecord | null>;
  /** The highest generation of an identity's pixbooks of a collection that is applied, or null. */
  latestGeneration(identityId: IdentityId, collectionId: CollectionId): Promise<number | null>;
  /** Of these streams of one account, the one whose idempotency key this is, or null. */
  streamWithKey(streams: readonly Stream[], key: IdempotencyKey): Promise<Stream | null>;
  /** The pixbook with this id, whoever's it is, or null. */
  book(bookId: BookId): Promise<BookRef | null>;
  apply(application: Application): Promise<ApplyOutcome>;
  /** Resolves when Postgres answers and holds a projection; throws `Outage` otherwise. For health checks. */
  check(): Promise<void>;
  close(): Promise<void>;
}
