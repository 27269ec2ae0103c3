import type { AccountId, BookId, CollectionId, DropId, IdentityId, Instant, UserId } from '../receipt/ids.ts';

/** A job of many packs or many codes, as it was asked for. `batchId` follows from who asked and their idempotency key. */
export type BatchOrder = {
  readonly batchId: string;
  readonly kind: 'packs' | 'codes';
  readonly userId: UserId;
  /** The issuer's identity that signs. */
  readonly identityId: IdentityId;
  readonly collectionId: CollectionId;
  readonly dropId: DropId;
  /** The books that get a pack; none for codes. */
  readonly books: readonly { readonly accountId: AccountId; readonly bookId: BookId }[];
  readonly total: number;
};

/** What could not be made: the item (a book id, or a code's number), and the refusal. */
export type BatchFailure = { readonly item: string; readonly code: string; readonly detail: string };

/** `done` counts the items that came to an end, failures included. */
export type Batch = BatchOrder & {
  readonly status: 'queued' | 'running' | 'finished';
  readonly done: number;
  readonly failures: readonly BatchFailure[];
  readonly createdAt: Instant;
  readonly finishedAt: Instant | null;
  readonly shownAt: Instant | null;
};

/**
 * The batches that were asked for and how far they have come. Throws `Outage` (`postgres-unavailable`). Losing them loses progress and
 * nothing that was made: the same order with the same idempotency key goes on where the receipts end.
 */
export interface Batches {
  /** Takes an order and puts its job into the queue, in one transaction; answers the batch that is there. `differs`: same id, another order. */
  order(order: BatchOrder, now: Instant): Promise<Batch | 'differs'>;
  read(batchId: string): Promise<Batch | null>;
  progress(batchId: string, done: number, failures: readonly BatchFailure[]): Promise<void>;
  finish(batchId: string, failures: readonly BatchFailure[], now: Instant): Promise<void>;
  /** True for exactly one caller, of a finished batch of codes. */
  claimShowing(batchId: string, now: Instant): Promise<boolean>;
}
