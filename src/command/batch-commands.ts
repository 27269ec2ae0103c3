import type { Batch } from '../port/batches.ts';
import type { AccountId, BookId, CodeId, CollectionId, DropId, IdentityId, UserId } from '../receipt/ids.ts';
import type { Result } from '../result.ts';
import type { Code } from '../stream/code/secret.ts';
import type { Refusal } from '../stream/refusal.ts';
import type { CommandContext } from './ledger-commands.ts';

/** Why a batch is not taken, not told about, or its codes are not shown. */
export type BatchRefusal = Refusal<
  | 'batch-missing' // and one that the user may not know of: the same answer
  | 'batch-not-finished'
  | 'codes-shown'
  | 'forbidden' // no issuer, or none who may sign with this identity: strangers to the operator's account too
  | 'identity-missing'
  | 'identity-revoked'
  | 'collection-missing'
  | 'drop-missing' // no such drop in this collection
  | 'drop-closed'
  | 'idempotency-key-reused' // same key, other order
>;

/** What an issuer asks for. `identityId` is the identity of `acc_operator` that signs. */
export type BatchRequest = {
  readonly identityId: IdentityId;
  readonly collectionId: CollectionId;
  readonly dropId: DropId;
} & (
  | {
      readonly kind: 'packs';
      /** 1 to `limits.packsPerBatch` books, none twice. */
      readonly books: readonly { readonly accountId: AccountId; readonly bookId: BookId }[];
    }
  /** 1 to `limits.codesPerBatch`. */
  | { readonly kind: 'codes'; readonly count: number }
);

/** A code as it is printed, and the id it is known by ever after. */
export type ShownCode = { readonly codeId: CodeId; readonly code: Code };

/**
 * Many packs or codes as one job. Nothing here writes a receipt: the job does, item by item, as the user who asked, with idempotency keys that
 * follow from `batchId` and the item. Each call authorises first. Throws `Outage`.
 */
export interface BatchCommands {
  /**
   * Takes an order, durably, once: `batchId` follows from the user and their idempotency key, and the same order under the same key is
   * answered with the batch that is there, as far as it has come. `context.ifMatch` plays no part.
   */
  order(context: CommandContext, request: BatchRequest): Promise<Result<Batch, BatchRefusal>>;
  /** For whoever ordered it, and for operators. */
  read(userId: UserId, batchId: string): Promise<Result<Batch, BatchRefusal>>;
  /**
   * The codes of a finished batch of codes that were made, in the order of their numbers: to one caller, once, and then never again. For
   * whoever ordered it, and for operators. `batch-missing` for a batch of packs.
   */
  showCodes(userId: UserId, batchId: string): Promise<Result<readonly ShownCode[], BatchRefusal>>;
}
