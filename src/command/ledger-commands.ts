import type { RedoItem } from '../port/redo-outbox.ts';
import type {
  AccountId,
  BookId,
  CardId,
  CodeId,
  CollectionId,
  DropId,
  EventId,
  IdempotencyKey,
  IdentityId,
  InstanceId,
  Instant,
  InvitationId,
  PackId,
  ReceiptHash,
  SeriesId,
  TradeId,
  UserId,
} from '../receipt/ids.ts';
import type { JsonObject } from '../receipt/json.ts';
import type { Stream } from '../receipt/stream.ts';
import type { Result } from '../result.ts';
import type { Plan, Role } from '../stream/account/event.ts';
import type { AccountRefusal } from '../stream/account/refusal.ts';
import type { CodeRefusal } from '../stream/code/decide.ts';
import type { CollectionRefusal } from '../stream/collection/decide.ts';
import type { Card, Series } from '../stream/collection/event.ts';
import type { PixbookRefusal } from '../stream/pixbook/decide.ts';
import type { Want } from '../stream/pixbook/event.ts';
import type { Refusal } from '../stream/refusal.ts';

/** A receipt that exists: durable in the store. `pending`: the projection will show it later. */
export type Acknowledged = {
  readonly eventId: EventId;
  readonly hash: ReceiptHash;
  readonly position: number;
  readonly stream: Stream;
  readonly projection: 'applied' | 'pending';
  /** The idempotency key had been used for this very request before: nothing was written now. */
  readonly replayed: boolean;
};

/** Why the append path refused, beyond the rules of the stream. */
export type AppendRefusal = Refusal<
  | 'not-found' // a missing stream and one the user may not know of: the same answer
  | 'forbidden'
  | 'idempotency-key-reused' // same key, other request
  | 'head-mismatch' // If-Match names another head
  | 'receipt-too-large'
  | 'queue-full' // too many commands wait for this stream; try again
  | 'contended' // rivals won every position we tried; try again
  | 'outcome-unknown' // the receipt may or may not come to exist; repeat with the same key
  | 'stream-stopped' // the store lost or changed a receipt of this stream: an operator must look
>;

/** What a collection's publication is refused for besides the rules of its stream. */
export type ArtRefusal = Refusal<'art-missing'>;

export type CommandRefusal = AccountRefusal | PixbookRefusal | CollectionRefusal | CodeRefusal | ArtRefusal | AppendRefusal;
export type CommandOutcome = Result<Acknowledged, CommandRefusal>;

/** Who asks, under which key, and the head they believe in (If-Match), if they said so. */
export type CommandContext = {
  readonly userId: UserId;
  readonly idempotencyKey: IdempotencyKey;
  readonly ifMatch: ReceiptHash | null;
};

/** A pixbook, and the account it belongs to. */
export type Book = { readonly accountId: AccountId; readonly bookId: BookId };

/** A trade, and the book it was offered from. */
export type Offer = Book & { readonly tradeId: TradeId };

/** What a catalogue says, whole. */
export type Catalogue = {
  readonly version: number;
  readonly title: string;
  readonly series: readonly Series[];
  readonly cards: readonly Card[];
};

/**
 * Every command of the ledger. Each authorises first, then recognises a replayed key, then decides; a refusal writes nothing. Throws
 * `Outage` when a dependency is missing before anything was written; never once a receipt is durable.
 */
export interface LedgerCommands {
  createAccount(context: CommandContext): Promise<CommandOutcome>;
  addMember(context: CommandContext, accountId: AccountId, member: { userId: UserId; role: Role }): Promise<CommandOutcome>;
  changeMemberRole(
    context: CommandContext,
    accountId: AccountId,
    member: { userId: UserId; role: Role },
  ): Promise<CommandOutcome>;
  removeMember(context: CommandContext, accountId: AccountId, userId: UserId): Promise<CommandOutcome>;
  closeAccount(context: CommandContext, accountId: AccountId): Promise<CommandOutcome>;
  /** The invitation's id is `invitationIdFor(accountId, key)`; its secret is the caller's to make. */
  inviteMember(context: CommandContext, accountId: AccountId, role: Role): Promise<CommandOutcome>;
  /** The user becomes a member. The caller has been shown the invitation's secret and has checked it. */
  acceptInvitation(context: CommandContext, accountId: AccountId, invitationId: InvitationId): Promise<CommandOutcome>;
  withdrawInvitation(context: CommandContext, accountId: AccountId, invitationId: InvitationId): Promise<CommandOutcome>;
  /** The commands of operators on any account but their own. A suspended account takes no commands until it is resumed. */
  suspendAccount(context: CommandContext, accountId: AccountId, reason: string): Promise<CommandOutcome>;
  resumeAccount(context: CommandContext, accountId: AccountId): Promise<CommandOutcome>;
  changePlan(context: CommandContext, accountId: AccountId, plan: Plan): Promise<CommandOutcome>;
  /** `controller` is the member who may sign with the identity. The new id is `identityIdFor(accountId, key)`. */
  createIdentity(context: CommandContext, accountId: AccountId, controller: UserId): Promise<CommandOutcome>;
  rotateKey(context: CommandContext, accountId: AccountId, identityId: IdentityId): Promise<CommandOutcome>;
  revokeIdentity(context: CommandContext, accountId: AccountId, identityId: IdentityId): Promise<CommandOutcome>;
  createPixbook(
    context: CommandContext,
    book: { accountId: AccountId; identityId: IdentityId; collectionId: CollectionId },
  ): Promise<CommandOutcome>;
  save(
    context: CommandContext,
    book: { accountId: AccountId; bookId: BookId },
    save: { state: JsonObject; baseEventId: EventId },
  ): Promise<CommandOutcome>;
  closePixbook(context: CommandContext, book: Book): Promise<CommandOutcome>;

  /**
   * The commands of issuers. `identityId` is the identity of `acc_operator` that signs; the user must be an issuer who controls it, or an
   * operator. A collection's id is `collectionIdFor(identityId, key)` when it is first published (`collectionId` null).
   */
  publishCollection(
    context: CommandContext,
    publication: { identityId: IdentityId; collectionId: CollectionId | null; catalogue: Catalogue },
  ): Promise<CommandOutcome>;
  retireSeries(
    context: CommandContext,
    series: { identityId: IdentityId; collectionId: CollectionId; seriesId: SeriesId },
  ): Promise<CommandOutcome>;
  /** The drop's id is `dropIdFor(collectionId, key)`. The seed is made and sealed here, and told to nobody. */
  openDrop(
    context: CommandContext,
    drop: { identityId: IdentityId; collectionId: CollectionId; title: string; packSize: number },
  ): Promise<CommandOutcome>;
  closeDrop(
    context: CommandContext,
    drop: { identityId: IdentityId; collectionId: CollectionId; dropId: DropId },
  ): Promise<CommandOutcome>;
  /** The drop must be open. */
  createCode(
    context: CommandContext,
    code: { identityId: IdentityId; codeId: CodeId; collectionId: CollectionId; dropId: DropId; batchId: string | null },
  ): Promise<CommandOutcome>;
  revokeCode(context: CommandContext, code: { identityId: IdentityId; codeId: CodeId }): Promise<CommandOutcome>;
  addCards(
    context: CommandContext,
    book: Book,
    grant: { identityId: IdentityId; cardIds: readonly CardId[]; reason: string },
  ): Promise<CommandOutcome>;
  removeCards(
    context: CommandContext,
    book: Book,
    removal: { identityId: IdentityId; instanceIds: readonly InstanceId[]; reason: string },
  ): Promise<CommandOutcome>;

  /**
   * The book's one pack of a drop. Asked for by whoever may sign as the book's identity (`identityId` null), or by an issuer. Its id is
   * `dropPackIdFor(dropId, bookId)`.
   */
  issuePack(
    context: CommandContext,
    book: Book,
    pack: { dropId: DropId; identityId: IdentityId | null },
  ): Promise<CommandOutcome>;
  openPack(context: CommandContext, book: Book, packId: PackId): Promise<CommandOutcome>;
  /**
   * Claims a code for the book, then issues its pack: answers the PACK_ISSUED. The same book claiming again, with this key or another, is
   * answered with the pack it has. `pending` when the claim is durable and the pack will follow.
   */
  claimCode(context: CommandContext, book: Book, codeId: CodeId): Promise<CommandOutcome>;

  /** Answers the offer, whose event id names the trade. `to.accountId` is a hint for a projection that was wiped. */
  offerTrade(
    context: CommandContext,
    book: Book,
    offer: {
      to: { bookId: BookId; accountId: AccountId | null };
      give: readonly InstanceId[];
      want: Want;
      expiresAt: Instant;
    },
  ): Promise<CommandOutcome>;
  /**
   * Reserves, accepts and settles: answers the CARD_TRADE_ACCEPTED, the commit point. `give` names the accepter's copies for an offer that
   * wants cards. Refused with what ended the offer when something else came first.
   * `outcome-unknown` when the reservation is durable and the acceptance not yet: the same key, or the redo worker, goes on from there.
   */
  acceptTrade(context: CommandContext, offer: Offer, acceptance: Book & { give: readonly InstanceId[] }): Promise<CommandOutcome>;
  /** By the partner: `book` is the one it was offered to. */
  declineTrade(context: CommandContext, offer: Offer, book: Book): Promise<CommandOutcome>;
  /** By the offerer. */
  cancelTrade(context: CommandContext, offer: Offer): Promise<CommandOutcome>;
}

/**
 * What the service itself does, without a user: what follows from receipts there are, and from time. Safe to call at any time, any number of
 * times, by any number of processes. Throws `Outage`.
 */
export interface LedgerUpkeep {
  /**
   * Does what is left to do for an item of the redo outbox: `done`; `later` when it must wait (the item stays open); or the refusal after
   * which nothing can ever follow.
   */
  redo(item: RedoItem): Promise<Result<'done' | 'later', CommandRefusal>>;
  /** Ends an offer whose time is over. Refused with what ended it when it is not open any more. */
  expireTrade(offer: Offer): Promise<CommandOutcome>;
}
