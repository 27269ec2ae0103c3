import type {
  AccountId,
  BookId,
  CollectionId,
  EventId,
  IdempotencyKey,
  IdentityId,
  ReceiptHash,
  UserId,
} from '../receipt/ids.ts';
import type { JsonObject } from '../receipt/json.ts';
import type { Stream } from '../receipt/stream.ts';
import type { Result } from '../result.ts';
import type { AccountRefusal } from '../stream/account/decide.ts';
import type { Role } from '../stream/account/event.ts';
import type { PixbookRefusal } from '../stream/pixbook/decide.ts';
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

export type CommandRefusal = AccountRefusal | PixbookRefusal | AppendRefusal;
export type CommandOutcome = Result<Acknowledged, CommandRefusal>;

/** Who asks, under which key, and the head they believe in (If-Match), if they said so. */
export type CommandContext = {
  readonly userId: UserId;
  readonly idempotencyKey: IdempotencyKey;
  readonly ifMatch: ReceiptHash | null;
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
  closePixbook(context: CommandContext, book: { accountId: AccountId; bookId: BookId }): Promise<CommandOutcome>;
}
