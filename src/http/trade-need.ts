import type { Book, CommandContext, Offer } from '../command/ledger-commands.ts';
import type { TradeResource } from '../port/ledger-queries.ts';
import { type AccountId, type BookId, type EventId, type TradeId, type UserId, parseTradeId } from '../receipt/ids.ts';
import { pixbookStream } from '../receipt/stream.ts';
import { type Result, err, ok } from '../result.ts';
import { placedBook } from './book-directory.ts';
import { commanding } from './command-need.ts';
import { positionIn } from './event-position.ts';
import type { SignedInNeed } from './need.ts';
import { commandContextOf } from './precondition.ts';
import { type Problem, notFound } from './problem.ts';
import { type Reading, reading } from './reader-need.ts';
import type { Service } from './service.ts';
import { untilVisible } from './until-visible.ts';
import { foreignEvent, projectionBehind, readsIn } from './visible.ts';

/** Any role in the account of either pixbook. */
export const tradeReader: SignedInNeed<TradeResource, Reading> = {
  ...reading,
  name: 'trade reader',
  says: 'A session, and any role in the account of one of the two pixbooks.',
  grant: async (service, { userId }, { param, query: { minEventId } }) => {
    const tradeId = parseTradeId(param('tradeId'));
    if (!tradeId.ok) return err(notFound);
    const look = () => tradeNow(service, userId, tradeId.value, minEventId);
    return (await untilVisible(service.clock, look)).value;
  },
  accountsOf: ({ from, to }) => [from.accountId, to.accountId],
};

/** A trade's events are in two streams: `minEventId` may be of either. */
const tradeNow = async (
  service: Service,
  userId: UserId,
  tradeId: TradeId,
  minEventId: EventId | undefined,
): Promise<{ seen: boolean; value: Result<TradeResource, Problem> }> => {
  const trade = await service.queries.trade(tradeId);
  const reads =
    trade !== null &&
    ((await readsIn(service, userId, trade.from.accountId)) || (await readsIn(service, userId, trade.to.accountId)));
  if (!reads) return { seen: minEventId === undefined, value: err(notFound) };
  if (minEventId === undefined) return { seen: true, value: ok(trade) };
  for (const { accountId, bookId } of [trade.from, trade.to]) {
    const stream = pixbookStream(accountId, bookId);
    const position = positionIn(stream, minEventId);
    if (position === null) continue;
    const head = await service.queries.head(stream);
    if (head === null || head.position < position) return { seen: false, value: err(projectionBehind) };
    const since = await service.queries.trade(tradeId); // what was read before may be older than the head
    return { seen: true, value: since === null ? err(notFound) : ok(since) };
  }
  return { seen: true, value: err(foreignEvent) };
};

/** A trade, and the book it was offered to when that is known. */
export type TradeCommand = { readonly context: CommandContext; readonly offer: Offer; readonly to: Book | null };

type Places = {
  readonly accountId?: AccountId | undefined;
  readonly bookId?: BookId | undefined;
  readonly toAccountId?: AccountId | undefined;
  readonly toBookId?: BookId | undefined;
};

/**
 * As `command`, for the trade in the path. With `?accountId=&bookId=` of the offerer (and `&toAccountId=&toBookId=` of the partner) the
 * projection is not asked, so a wiped one heals by use. Whose the books are is looked at where the receipts are made.
 */
export const tradeCommand: SignedInNeed<TradeCommand, Places> = {
  ...commanding,
  name: 'trade command',
  says: 'A session, and a role in the account of the pixbook that acts which may sign with its identity.',
  grant: async ({ books, queries }, { userId }, { headers, param, query }) => {
    const tradeId = parseTradeId(param('tradeId'));
    if (!tradeId.ok) return err(notFound);
    const context = commandContextOf(userId, headers);
    if (!context.ok) return context;
    const saidFrom = await placedBook(books, query.bookId, query.accountId);
    const saidTo = await placedBook(books, query.toBookId, query.toAccountId);
    const trade = saidFrom !== null && saidTo !== null ? null : await queries.trade(tradeId.value);
    const from = saidFrom ?? trade?.from ?? null;
    if (from === null) return err(notFound);
    return ok({ context: context.value, offer: { ...from, tradeId: tradeId.value }, to: saidTo ?? trade?.to ?? null });
  },
  accountsOf: ({ offer, to }) => (to === null ? [offer.accountId] : [offer.accountId, to.accountId]),
};
