import type { AccountId, BookId, CollectionId, DropId, IdentityId } from '../../receipt/ids.ts';

/** What may be asked of a code. */
export type CodeCommand =
  | {
      readonly type: 'create-code';
      readonly collectionId: CollectionId;
      readonly dropId: DropId;
      readonly batchId: string | null;
    }
  /** `collectionId` is the book's. */
  | {
      readonly type: 'claim-code';
      readonly accountId: AccountId;
      readonly identityId: IdentityId;
      readonly bookId: BookId;
      readonly generation: number;
      readonly collectionId: CollectionId;
    }
  | { readonly type: 'revoke-code' };
