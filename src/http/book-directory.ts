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

export const bookDirectory = (queries: Pick<LedgerQueries, 'pixbook'>): BookDirectory => {
  const known = new LRUCache<BookId, AccountId>({ max: limits.rememberedStreams });
  return {
    accountOf: async (bookId) => {
      const remembered = known.get(bookId);
      if (remembered !== undefined) return remembered;
      const book = await queries.pixbook(bookId);
      if (book === null) return null;
      known.set(bookId, book.accountId);
      return book.accountId;
    },
    learn: (bookId, accountId) => void known.set(bookId, accountId),
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
