import type { Book, CommandContext } from '../command/ledger-commands.ts';
import { type AccountId, parseAccountId, parseBookId } from '../receipt/ids.ts';
import { err, ok } from '../result.ts';
import { placedBook } from './book-directory.ts';
import type { SignedInNeed } from './need.ts';
import { commandContextOf } from './precondition.ts';
import { notFound } from './problem.ts';

/** What the user may do is decided where the receipt is made, from the stream itself: what is established here is who asks, and how. */
export const commanding = { signedIn: true, isCommand: true, problems: [] } as const;

/** A session and an idempotency key. */
export const command: SignedInNeed<CommandContext, unknown> = {
  ...commanding,
  name: 'command',
  says: 'A session, and the role that the command demands.',
  grant: async (_service, { userId }, { headers }) => commandContextOf(userId, headers),
};

export type AccountCommand = { readonly context: CommandContext; readonly accountId: AccountId };

/** As `command`, for the account in the path. */
export const accountCommand: SignedInNeed<AccountCommand, unknown> = {
  ...commanding,
  name: 'account command',
  says: 'A session, and the role in the account that the command demands.',
  grant: async (_service, { userId }, { headers, param }) => {
    const accountId = parseAccountId(param('accountId'));
    if (!accountId.ok) return err(notFound);
    const context = commandContextOf(userId, headers);
    return context.ok ? ok({ context: context.value, accountId: accountId.value }) : context;
  },
  accountsOf: ({ accountId }) => [accountId],
};

export type BookCommand = { readonly context: CommandContext; readonly book: Book };

/** As `command`, for the pixbook in the path. With `?accountId=` the projection is not asked, so a wiped one heals by use. */
export const bookCommand: SignedInNeed<BookCommand, { readonly accountId?: AccountId | undefined }> = {
  ...commanding,
  name: 'pixbook command',
  says: 'A session, and a role in the pixbook’s account that may sign with its identity; for what issuers do, an issuer’s role.',
  grant: async ({ books }, { userId }, { headers, param, query }) => {
    const bookId = parseBookId(param('bookId'));
    if (!bookId.ok) return err(notFound);
    const context = commandContextOf(userId, headers);
    if (!context.ok) return context;
    const book = await placedBook(books, bookId.value, query.accountId);
    return book === null ? err(notFound) : ok({ context: context.value, book });
  },
  accountsOf: ({ book }) => [book.accountId],
};
