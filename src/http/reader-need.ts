import { mayRead } from '../access/authorise.ts';
import type { ReceiptPlace } from '../port/ledger-queries.ts';
import {
  type AccountId,
  type BookId,
  type EventId,
  type UserId,
  parseAccountId,
  parseBookId,
  parseEventId,
} from '../receipt/ids.ts';
import { type Stream, accountStream, pixbookStream } from '../receipt/stream.ts';
import { type Result, err, ok } from '../result.ts';
import { positionIn } from './event-position.ts';
import type { SignedInNeed } from './need.ts';
import { type Problem, invalid, notFound } from './problem.ts';
import type { Service } from './service.ts';
import { untilVisible } from './until-visible.ts';

type Hint = { readonly accountId?: AccountId | undefined };
type Reading = { readonly minEventId?: EventId | undefined };

const reading = { signedIn: true, isCommand: false, problems: ['not-found', 'projection-behind'] } as const;
const projectionBehind: Problem = { code: 'projection-behind', detail: 'the event of minEventId is not applied yet' };
const foreignEvent = invalid({
  in: 'query',
  pointer: '/minEventId',
  code: 'invalid',
  detail: 'this is no event of the stream that is read',
});

/** Whether the user has any role in the account: all of them may read. */
const readsIn = async ({ queries }: Service, userId: UserId, accountId: AccountId): Promise<boolean> =>
  mayRead({ userId, role: await queries.membership(userId, accountId), accountStatus: 'open' }).ok;

/** A session; what is answered is the user's own. */
export const session: SignedInNeed<UserId, Reading> = {
  ...reading,
  name: 'session',
  says: 'A session. What is answered is the user’s own.',
  problems: ['projection-behind'],
  grant: async (service, { userId }, { query: { minEventId } }) => {
    if (minEventId === undefined) return ok(userId);
    // An event that is not there and one of somebody else are both waited for in vain.
    const look = async () => {
      const place = await service.queries.receipt(minEventId);
      const own = place !== null && 'accountId' in place.stream && (await readsIn(service, userId, place.stream.accountId));
      return { seen: own, value: null };
    };
    return (await untilVisible(service.clock, look)).seen ? ok(userId) : err(projectionBehind);
  },
};

/**
 * Waits until the user reads in the stream's account and `minEventId` is applied there. When time is over, whoever does not read there is told
 * what everyone is told of what is not there.
 */
const visible = async <S extends Stream & { readonly accountId: AccountId }>(
  service: Service,
  userId: UserId,
  streamNow: () => Promise<S | null>,
  minEventId: EventId | undefined,
): Promise<Result<S, Problem>> => {
  const look = async (): Promise<{ seen: boolean; value: Result<S, Problem> }> => {
    const stream = await streamNow();
    const reads = stream !== null && (await readsIn(service, userId, stream.accountId));
    if (!reads) return { seen: minEventId === undefined, value: err(notFound) };
    if (minEventId === undefined) return { seen: true, value: ok(stream) };
    const position = positionIn(stream, minEventId);
    if (position === null) return { seen: true, value: err(foreignEvent) };
    const head = await service.queries.head(stream);
    const seen = head !== null && head.position >= position;
    return { seen, value: seen ? ok(stream) : err(projectionBehind) };
  };
  return (await untilVisible(service.clock, look)).value;
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
};

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
};

export type ReceiptReader = { readonly eventId: EventId; readonly place: ReceiptPlace };

/** Any role in the account whose stream the receipt of the path is in. */
export const receiptReader: SignedInNeed<ReceiptReader, unknown> = {
  ...reading,
  name: 'receipt reader',
  says: 'A session, and any role in the account whose stream the receipt is in.',
  problems: ['not-found'],
  grant: async (service, { userId }, { param }) => {
    const eventId = parseEventId(param('eventId'));
    const place = eventId.ok ? await service.queries.receipt(eventId.value) : null;
    if (!eventId.ok || place === null || !('accountId' in place.stream)) return err(notFound);
    return (await readsIn(service, userId, place.stream.accountId)) ? ok({ eventId: eventId.value, place }) : err(notFound);
  },
};
