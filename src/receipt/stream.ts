import type { AccountId, BookId, CodeId, CollectionId } from './ids.ts';

/** The four kinds of stream (receipt.md §1). */
export type Stream =
  | { readonly type: 'pixbook'; readonly accountId: AccountId; readonly bookId: BookId }
  | { readonly type: 'account'; readonly accountId: AccountId }
  | { readonly type: 'collection'; readonly collectionId: CollectionId }
  | { readonly type: 'code'; readonly codeId: CodeId };

export type StreamType = Stream['type'];

/** A stream of one type. */
export type StreamOf<T extends StreamType> = Extract<Stream, { type: T }>;

export const accountStream = (accountId: AccountId): StreamOf<'account'> => ({ type: 'account', accountId });

export const pixbookStream = (accountId: AccountId, bookId: BookId): StreamOf<'pixbook'> => ({
  type: 'pixbook',
  accountId,
  bookId,
});

export const collectionStream = (collectionId: CollectionId): StreamOf<'collection'> => ({ type: 'collection', collectionId });

export const codeStream = (codeId: CodeId): StreamOf<'code'> => ({ type: 'code', codeId });
