import { LRUCache } from 'lru-cache';
import type { Book } from '../command/ledger-commands.ts';
import { limits } from '../limits.ts';
import type { LedgerQueries } from '../port/ledger-queries.ts';
import type { AccountId, BookId } from '../receipt/ids.ts';

/** Which account a pixbook belongs to. It never changes, so what was seen once is remembered. */
export type BookDirectory = {
  /** The account of a book, or null when nobody knows the book (yet). Throws `Outage`. */
  accountOf(bookId: BookId): Promise<AccountId | null>;
  /** Takes down what a receipt has shown. */
  learn(bookId: BookId, accountId: AccountId): void;
};

export const bookDirectory = (queries: Pick<LedgerQueries, 'accountOfBook'>): BookDirectory => {
  // It takes its megabytes at once: they are taken when the first book is seen.
  let books: LRUCache<BookId, AccountId> | null = null;
  const learn = (bookId: BookId, accountId: AccountId): void => {
    books ??= new LRUCache({ max: limits.rememberedStreams });
    books.set(bookId, accountId);
  };
  return {
    accountOf: async (bookId) => {
      const remembered = books?.get(bookId);
      if (remembered !== undefined) return remembered;
      const accountId = await queries.accountOfBook(bookId);
      if (accountId !== null) learn(bookId, accountId);
      return accountId;
    },
    learn,
  };
};

/** A book and whose it is: as the client says, or as was seen before. */
export const placedBook = async (
  books: Pick<BookDirectory, 'accountOf'>,
  bookId: BookId | undefined,
  hint: AccountId | undefined,
): Promise<Book | null> => {
  if (bookId === undefined) return null;
  const accountId = hint ?? (await books.accountOf(bookId));
  return accountId === null ? null : { accountId, bookId };
};
