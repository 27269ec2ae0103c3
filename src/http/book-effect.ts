import type { Book } from '../command/ledger-commands.ts';
import type { Effect } from './acknowledgement.ts';
import type { BookDirectory } from './book-directory.ts';

export const bookPath = (bookId: string): string => `/v1/pixbooks/${bookId}`;
export const packPath = (bookId: string, packId: string): string => `${bookPath(bookId)}/packs/${packId}`;

/** What a receipt in a book has done: it has also shown whose the book is. */
export const effectOn = (
  { books }: { readonly books: Pick<BookDirectory, 'learn'> },
  { bookId, accountId }: Book,
  effect: Effect = { location: bookPath(bookId) },
): Effect => {
  books.learn(bookId, accountId);
  return effect;
};
