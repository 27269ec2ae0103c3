import { mayKeepAccount, mayReadUsage } from '../access/authorise.ts';
import type { PixbookResource, ReceiptPlace } from '../port/ledger-queries.ts';
import {
  type AccountId,
  type BookId,
  type EventId,
  type UserId,
  parseAccountId,
  parseBookId,
  parseEventId,
} from '../receipt/ids.ts';
import { accountStream, pixbookStream } from '../receipt/stream.ts';
import { err, ok } from '../result.ts';
import { placedBook } from './book-directory.ts';
import { coldPixbook } from './cold-pixbook.ts';
import type { SignedInNeed } from './need.ts';
import { notFound, refused } from './problem.ts';
import { untilVisible } from './until-visible.ts';
import { projectionBehind, readsStream, visible } from './visible.ts';

type Hint = { readonly accountId?: AccountId | undefined };
export type Reading = { readonly minEventId?: EventId | undefined };

export const reading = { signedIn: true, isCommand: false, problems: ['not-found', 'projection-behind'] } as const;

/** A session; what is answered is the user's own, or for all users. */
export const session: SignedInNeed<UserId, Reading> = {
  ...reading,
  name: 'session',
  says: 'A session. What is answered is the user’s own, or for all users.',
  problems: ['projection-behind'],
  grant: async (service, { userId }, { query: { minEventId } }) => {
    if (minEventId === undefined) return ok(userId);
    // An event that is not there and one of somebody else are both waited for in vain.
    const look = async () => {
      const place = await service.queries.receipt(minEventId);
      const reads = place !== null && (await readsStream(service, userId, place.stream));
      return { seen: reads, value: null };
    };
    return (await untilVisible(service.clock, look)).seen ? ok(userId) : err(projectionBehind);
  },
};

export type AccountReader = { readonly userId: UserId; readonly accountId: AccountId };

/** Any role in the account of the path. */
export const accountReader: SignedInNeed<AccountReader, Reading> = {
  ...reading,
  name: 'account reader',
  says: 'A session, and any role in the account.',
  grant: async (service, { userId }, { param, query }) => {
    const accountId = parseAccountId(param('accountId'));
    if (!accountId.ok) return err(notFound);
    const seen = await visible(service, userId, async () => accountStream(accountId.value), query.minEventId);
    return seen.ok ? ok({ userId, accountId: accountId.value }) : seen;
  },
  accountsOf: ({ accountId }) => [accountId],
};

/** Of those who read the account of the path, whom `may` lets. The others are told that it is not for them, and strangers that there is no such account. */
const readersWho = (name: string, may: typeof mayKeepAccount): SignedInNeed<AccountReader, Reading> => ({
  ...accountReader,
  name,
  says: 'A session, and the role of an owner in the account.',
  problems: [...reading.problems, 'forbidden'],
  grant: async (service, session, ask) => {
    const reader = await accountReader.grant(service, session, ask);
    if (!reader.ok) return reader;
    const { userId, accountId } = reader.value;
    const role = await service.queries.membership(userId, accountId);
    const allowed = may({ userId, role, accountStatus: 'open' });
    return allowed.ok ? reader : err(refused(allowed.error));
  },
});

/** Those who keep the account of the path: its owners, of the operator's account the operators. */
export const accountKeeper = readersWho('account keeper', mayKeepAccount);

/** The owners of the account of the path. */
export const accountOwner = readersWho('account owner', mayReadUsage);

export type BookReader = { readonly accountId: AccountId; readonly bookId: BookId };

/** Any role in the account of the pixbook in the path. */
export const bookReader: SignedInNeed<BookReader, Reading & Hint> = {
  ...reading,
  name: 'pixbook reader',
  says: 'A session, and any role in the pixbook’s account.',
  grant: async (service, { userId }, { param, query }) => {
    const bookId = parseBookId(param('bookId'));
    if (!bookId.ok) return err(notFound);
    const streamNow = async () => {
      const accountId = query.accountId ?? (await service.books.accountOf(bookId.value));
      return accountId === null ? null : pixbookStream(accountId, bookId.value);
    };
    return visible(service, userId, streamNow, query.minEventId);
  },
  accountsOf: ({ accountId }) => [accountId],
};

export type PixbookReader = BookReader & {
  readonly userId: UserId;
  /** The pixbook, where it was answered from the store because the projection does not show it. */
  readonly cold: PixbookResource | null;
};

/** As `bookReader`, and whoever would be that if the projection showed what the store has. */
export const pixbookReader: SignedInNeed<PixbookReader, Reading & Hint> = {
  ...reading,
  name: bookReader.name,
  says: bookReader.says,
  grant: async (service, session, ask) => {
    const { userId } = session;
    const shown = await bookReader.grant(service, session, ask);
    if (shown.ok) return ok({ ...shown.value, userId, cold: null });
    if (shown.error.code !== 'not-found' && shown.error.code !== 'projection-behind') return shown;
    const { accountId, minEventId } = ask.query;
    const bookId = parseBookId(ask.param('bookId'));
    const place = bookId.ok ? await placedBook(service.books, bookId.value, accountId) : null;
    const cold = place === null ? null : await coldPixbook(service, userId, place, minEventId);
    return place === null || cold === null ? shown : ok({ ...place, userId, cold });
  },
  accountsOf: ({ accountId }) => [accountId],
};

export type ReceiptReader = { readonly eventId: EventId; readonly place: ReceiptPlace };

/** Whoever may read the stream that the receipt of the path is in. */
export const receiptReader: SignedInNeed<ReceiptReader, unknown> = {
  ...reading,
  name: 'receipt reader',
  says: 'A session; any role in the account whose stream the receipt is in, for a code an issuer’s, for a collection none.',
  problems: ['not-found'],
  grant: async (service, { userId }, { param }) => {
    const eventId = parseEventId(param('eventId'));
    const place = eventId.ok ? await service.queries.receipt(eventId.value) : null;
    if (!eventId.ok || place === null) return err(notFound);
    return (await readsStream(service, userId, place.stream)) ? ok({ eventId: eventId.value, place }) : err(notFound);
  },
  accountsOf: ({ place: { stream } }) => ('accountId' in stream ? [stream.accountId] : []),
};
