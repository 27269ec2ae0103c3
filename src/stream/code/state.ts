import type { AccountId, BookId, CollectionId, DropId, EventId, IdentityId, Instant, ReceiptHash } from '../../receipt/ids.ts';

/** The claim that a code's pack rests on. */
export type CodeClaim = {
  readonly accountId: AccountId;
  readonly identityId: IdentityId;
  readonly bookId: BookId;
  readonly generation: number;
  readonly eventId: EventId;
  readonly hash: ReceiptHash;
  readonly at: Instant;
};

/** What the rules of a code need to know of it. */
export type CodeState =
  | { readonly status: 'absent' }
  | { readonly status: 'open' | 'revoked'; readonly collectionId: CollectionId; readonly dropId: DropId; readonly claim: null }
  | { readonly status: 'claimed'; readonly collectionId: CollectionId; readonly dropId: DropId; readonly claim: CodeClaim };

export const noCode: CodeState = { status: 'absent' };
