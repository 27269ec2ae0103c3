import { z } from 'zod';
import type { CommandContext } from '../../command/ledger-commands.ts';
import type { TradeResource } from '../../port/ledger-queries.ts';
import { type TradeId, type UserId, parseTradeId, tradeIdOf } from '../../receipt/ids.ts';
import { acknowledge, acknowledged } from '../acknowledgement.ts';
import { hashedAnswer } from '../answer.ts';
import { placedBook } from '../book-directory.ts';
import { effectOn } from '../book-effect.ts';
import {
  anyInstanceIdsBody,
  certificateSchema,
  instanceIdsBody,
  tradeSchema,
  tradeStatusSchema,
  wantBody,
} from '../card-schema.ts';
import { refusals } from '../command-refusal.ts';
import { accountIdSchema, bookIdSchema, instantSchema, tradeIdSchema } from '../id-schema.ts';
import { keyAfter, pageOf } from '../list-page.ts';
import { emptyBody, noBody, noQuery, operation } from '../operation.ts';
import { notFound } from '../problem.ts';
import { pageSchema } from '../resource-schema.ts';
import { listQuery, readQuery, tradeQuery } from '../schema.ts';
import { readOf } from '../success.ts';
import type { TradeCommand } from '../trade-need.ts';

const tradePath = (tradeId: TradeId): string => `/v1/trades/${tradeId}`;
const accountHint = accountIdSchema.optional().meta({ description: 'The account of the pixbook, if you know it' });

export const offerTrade = operation({
  id: 'offerTrade',
  tag: 'Trades',
  summary: 'Offer a trade to another pixbook',
  description:
    'What is given is in escrow from here on. `want` names copies of the other pixbook, or cards of which it chooses the copies; without it the offer is a gift.',
  successes: acknowledged({ tradeId: tradeIdSchema }, 'TradeOffered'),
  problems: refusals.offer,
  query: noQuery,
  body: {
    presence: 'required',
    schema: z.strictObject({
      bookId: bookIdSchema,
      accountId: accountHint,
      to: z.strictObject({ bookId: bookIdSchema, accountId: accountHint }),
      give: instanceIdsBody,
      want: wantBody.optional(),
      expiresAt: instantSchema,
    }),
  },
  accountOf: async ({ books }, { bookId, accountId }) => (await placedBook(books, bookId, accountId))?.accountId ?? null,
  handle: async (service, context: CommandContext, { body }) => {
    const { bookId, accountId, to, give, want = {}, expiresAt } = body;
    const book = await placedBook(service.books, bookId, accountId);
    if (book === null) return notFound;
    const offer = {
      to: { bookId: to.bookId, accountId: to.accountId ?? null },
      give,
      want: { instanceIds: want.instanceIds ?? [], cardIds: want.cardIds ?? [] },
      expiresAt,
    };
    return acknowledge(service, 'offerTrade', await service.commands.offerTrade(context, book, offer), ({ eventId }) => {
      const tradeId = tradeIdOf(eventId);
      return effectOn(service, book, { location: tradePath(tradeId), made: { tradeId } });
    });
  },
});

export const acceptTrade = operation({
  id: 'acceptTrade',
  tag: 'Trades',
  summary: 'Accept a trade',
  description:
    'By whoever may sign as the identity of the pixbook it was offered to. `give` names the copies for an offer that wants cards. The receipt is in the stream of the offering pixbook: from there on the exchange is made.',
  successes: acknowledged(),
  problems: refusals.acceptance,
  query: z.strictObject(tradeQuery),
  body: { presence: 'optional', schema: z.strictObject({ give: anyInstanceIdsBody.optional() }) },
  handle: async (service, { context, offer, to }: TradeCommand, { body: { give = [] } }) => {
    if (to === null) return notFound;
    const outcome = await service.commands.acceptTrade(context, offer, { ...to, give });
    return acknowledge(service, 'acceptTrade', outcome, () => effectOn(service, offer, { location: tradePath(offer.tradeId) }));
  },
});

export const declineTrade = operation({
  id: 'declineTrade',
  tag: 'Trades',
  summary: 'Decline a trade',
  description: 'By whoever may sign as the identity of the pixbook it was offered to.',
  successes: acknowledged(),
  problems: refusals.trade,
  query: z.strictObject(tradeQuery),
  body: emptyBody,
  handle: async (service, { context, offer, to }: TradeCommand) => {
    if (to === null) return notFound;
    return acknowledge(service, 'declineTrade', await service.commands.declineTrade(context, offer, to), () =>
      effectOn(service, offer, { location: tradePath(offer.tradeId) }),
    );
  },
});

export const cancelTrade = operation({
  id: 'cancelTrade',
  tag: 'Trades',
  summary: 'Take an offer back',
  description: 'By whoever may sign as the identity of the pixbook that offered it.',
  successes: acknowledged(),
  problems: refusals.trade,
  query: z.strictObject(tradeQuery),
  body: emptyBody,
  handle: async (service, { context, offer }: TradeCommand) =>
    acknowledge(service, 'cancelTrade', await service.commands.cancelTrade(context, offer), () =>
      effectOn(service, offer, { location: tradePath(offer.tradeId) }),
    ),
});

export const listTrades = operation({
  id: 'listTrades',
  tag: 'Trades',
  summary: 'Trades of your accounts',
  description: 'On either side; of all accounts you have a role in, or of the account or the pixbook named. `status` narrows.',
  successes: readOf(pageSchema('TradePage', tradeSchema), 'A page in order of trade id'),
  problems: ['not-found'],
  query: z.strictObject({
    ...listQuery,
    ...readQuery,
    accountId: accountIdSchema.optional(),
    bookId: bookIdSchema.optional(),
    status: tradeStatusSchema.optional(),
  }),
  body: noBody,
  handle: async ({ queries, books }, userId: UserId, { query, headers }) => {
    const after = keyAfter(query.cursor, parseTradeId);
    if (!after.ok) return after.error;
    const own = (await queries.memberships(userId)).map(({ accountId }) => accountId);
    const accountIds = query.accountId === undefined ? own : own.filter((accountId) => accountId === query.accountId);
    if (query.accountId !== undefined && accountIds.length === 0) return notFound;
    const owner = query.bookId === undefined ? null : await books.accountOf(query.bookId);
    if (query.bookId !== undefined && (owner === null || !accountIds.includes(owner))) return notFound;
    const filter = { accountIds, bookId: query.bookId ?? null, status: query.status ?? null };
    const { rows, hasMore } = await queries.trades(filter, { after: after.value, limit: query.limit });
    return hashedAnswer(
      headers.get('if-none-match'),
      pageOf(rows, hasMore, ({ tradeId }) => tradeId),
    );
  },
});

export const readTrade = operation({
  id: 'readTrade',
  tag: 'Trades',
  summary: 'One trade',
  description: '`minEventId` may be an event of either pixbook.',
  successes: readOf(tradeSchema, 'The trade'),
  problems: [],
  query: z.strictObject(readQuery),
  body: noBody,
  handle: async (_service, trade: TradeResource, { headers }) => hashedAnswer(headers.get('if-none-match'), trade),
});

export const readTradeCertificate = operation({
  id: 'readTradeCertificate',
  tag: 'Trades',
  summary: 'The certificate of an accepted trade',
  description: 'The offer and the acceptance, and the keys they are signed with, from the store: verifies offline.',
  successes: readOf(certificateSchema, 'The certificate'),
  problems: ['certificate-missing', 'receipt-lost'],
  query: z.strictObject(readQuery),
  body: noBody,
  handle: async ({ certificates }, { tradeId, from }: TradeResource, { headers }) => {
    const certificate = await certificates.tradeCertificate({ ...from, tradeId });
    return certificate === null
      ? { code: 'certificate-missing', detail: 'the trade is not accepted' }
      : hashedAnswer(headers.get('if-none-match'), certificate);
  },
});
