import { mayRead } from '../access/authorise.ts';
import type { Book, CommandContext, CommandOutcome } from '../command/ledger-commands.ts';
import { type AccountId, type EventId, OPERATOR_ACCOUNT_ID, type UserId } from '../receipt/ids.ts';
import type { Stream } from '../receipt/stream.ts';
import { type Result, err, ok } from '../result.ts';
import { positionIn } from './event-position.ts';
import { type Problem, invalid, notFound } from './problem.ts';
import type { Service } from './service.ts';
import { untilVisible } from './until-visible.ts';

export const projectionBehind: Problem = { code: 'projection-behind', detail: 'the event of minEventId is not applied yet' };
export const foreignEvent = invalid({
  in: 'query',
  pointer: '/minEventId',
  code: 'invalid',
  detail: 'this is no event of the stream that is read',
});

/** Whether the user has any role in the account: all of them may read. */
export const readsIn = async ({ queries }: Service, userId: UserId, accountId: AccountId): Promise<boolean> =>
  mayRead({ userId, role: await queries.membership(userId, accountId), accountStatus: 'open' }).ok;

/** Whether the user is an issuer or an operator, as the projection shows it. */
export const issues = async ({ queries }: Service, userId: UserId): Promise<boolean> => {
  const role = await queries.membership(userId, OPERATOR_ACCOUNT_ID);
  return role === 'issuer' || role === 'operator';
};

/** Collections are for all users, codes for issuers, and everything else for the members of its account. */
export const readsStream = async (service: Service, userId: UserId, stream: Stream): Promise<boolean> => {
  switch (stream.type) {
    case 'collection':
      return true;
    case 'code':
      return issues(service, userId);
    default:
      return readsIn(service, userId, stream.accountId);
  }
};

/**
 * What a user is told of an issuer's command in a book. That it is forbidden would tell that there is such a book: to those who neither issue nor
 * read there, it is not there.
 */
export const seenFrom = async (
  service: Service,
  { userId }: Pick<CommandContext, 'userId'>,
  { accountId }: Pick<Book, 'accountId'>,
  outcome: CommandOutcome,
): Promise<CommandOutcome> => {
  if (outcome.ok || outcome.error.code !== 'forbidden') return outcome;
  const knows = (await issues(service, userId)) || (await readsIn(service, userId, accountId));
  return knows ? outcome : err({ code: 'not-found', detail: notFound.detail });
};

/**
 * Waits until the user may read the stream and `minEventId` is applied there. When time is over, whoever may not read it is told what everyone
 * is told of what is not there.
 */
export const visible = async <S extends Stream>(
  service: Service,
  userId: UserId,
  streamNow: () => Promise<S | null>,
  minEventId: EventId | undefined,
): Promise<Result<S, Problem>> => {
  const look = async (): Promise<{ seen: boolean; value: Result<S, Problem> }> => {
    const stream = await streamNow();
    const reads = stream !== null && (await readsStream(service, userId, stream));
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
