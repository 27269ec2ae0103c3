import { z } from 'zod';
import type { CommandContext } from '../../command/ledger-commands.ts';
import { type UserId, parseBookId } from '../../receipt/ids.ts';
import { acknowledge, acknowledged } from '../acknowledgement.ts';
import { hashedAnswer, jsonAnswer } from '../answer.ts';
import { pixbookAsOf } from '../as-of.ts';
import { bookPath, effectOn } from '../book-effect.ts';
import { coldPixbook } from '../cold-pixbook.ts';
import type { BookCommand } from '../command-need.ts';
import { refusals } from '../command-refusal.ts';
import { accountIdSchema, bookIdSchema, collectionIdSchema, eventIdSchema, identityIdSchema } from '../id-schema.ts';
import { keyAfter, pageOf } from '../list-page.ts';
import { emptyBody, noBody, noQuery, operation } from '../operation.ts';
import { notFound } from '../problem.ts';
import type { PixbookReader } from '../reader-need.ts';
import { pageSchema, pixbookSchema } from '../resource-schema.ts';
import { asOfQuery, bookQuery, jsonObjectSchema, listQuery, readQuery } from '../schema.ts';
import { readOf } from '../success.ts';

export const createPixbook = operation({
  id: 'createPixbook',
  tag: 'Pixbooks',
  summary: 'Open a pixbook',
  description:
    'Of a published collection; at most one is open for an identity and a collection. The id follows from both and the number of closed ones.',
  successes: acknowledged({ bookId: bookIdSchema }, 'PixbookCreated'),
  problems: refusals.newPixbook,
  query: noQuery,
  body: {
    presence: 'required',
    schema: z.strictObject({ accountId: accountIdSchema, identityId: identityIdSchema, collectionId: collectionIdSchema }),
  },
  accountOf: async (_service, { accountId }) => accountId,
  handle: async (service, context: CommandContext, { body }) =>
    acknowledge(service, 'createPixbook', await service.commands.createPixbook(context, body), ({ stream }) => {
      if (stream.type !== 'pixbook') return { location: '/v1/pixbooks' };
      service.books.learn(stream.bookId, stream.accountId);
      return { location: bookPath(stream.bookId), made: { bookId: stream.bookId } };
    }),
});

export const listPixbooks = operation({
  id: 'listPixbooks',
  tag: 'Pixbooks',
  summary: 'Pixbooks of your accounts',
  description: 'Of all accounts you have a role in, or of the one named; `identityId` and `collectionId` narrow.',
  successes: readOf(pageSchema('PixbookPage', pixbookSchema), 'A page in order of book id'),
  problems: ['not-found'],
  query: z.strictObject({
    ...listQuery,
    ...readQuery,
    accountId: accountIdSchema.optional(),
    identityId: identityIdSchema.optional(),
    collectionId: collectionIdSchema.optional(),
  }),
  body: noBody,
  handle: async ({ queries }, userId: UserId, { query, headers }) => {
    const after = keyAfter(query.cursor, parseBookId);
    if (!after.ok) return after.error;
    const own = (await queries.memberships(userId)).map(({ accountId }) => accountId);
    const accountIds = query.accountId === undefined ? own : own.filter((accountId) => accountId === query.accountId);
    if (query.accountId !== undefined && accountIds.length === 0) return notFound;
    const filter = { accountIds, identityId: query.identityId ?? null, collectionId: query.collectionId ?? null };
    const { rows, hasMore } = await queries.pixbooks(filter, { after: after.value, limit: query.limit });
    return hashedAnswer(
      headers.get('if-none-match'),
      pageOf(rows, hasMore, ({ bookId }) => bookId),
    );
  },
});

export const readPixbook = operation({
  id: 'readPixbook',
  tag: 'Pixbooks',
  summary: 'One pixbook, now or as of a moment',
  description:
    'With `asOf` the state is made from the receipts in the store, read strictly, and never changes again. With `accountId` the pixbook is answered from its receipts, verified, while the projection does not have it.',
  successes: readOf(pixbookSchema, 'The pixbook'),
  problems: ['as-of-not-found', 'as-of-too-far', 'receipt-lost'],
  query: z.strictObject({ ...readQuery, ...bookQuery, ...asOfQuery }),
  body: noBody,
  handle: async (service, { accountId, bookId, userId, cold }: PixbookReader, { query: { asOf, minEventId }, headers }) => {
    const place = { accountId, bookId };
    const now = cold ?? (await service.queries.pixbook(place)) ?? (await coldPixbook(service, userId, place, minEventId));
    if (now === null) return notFound;
    const then = asOf === undefined ? { ok: true as const, value: now } : await pixbookAsOf(service, now, asOf);
    if (!then.ok) return then.error;
    return jsonAnswer({ tag: then.value.head.hash, ifNoneMatch: headers.get('if-none-match') }, then.value);
  },
});

export const savePixbook = operation({
  id: 'savePixbook',
  tag: 'Pixbooks',
  summary: 'Save the client’s state of a pixbook',
  description: 'The state is kept as it is, with the head it was based on; a stale base is refused, never overwritten.',
  successes: acknowledged(),
  problems: refusals.save,
  query: z.strictObject(bookQuery),
  body: { presence: 'required', schema: z.strictObject({ state: jsonObjectSchema, baseEventId: eventIdSchema }) },
  handle: async (service, { context, book }: BookCommand, { body }) =>
    acknowledge(service, 'savePixbook', await service.commands.save(context, book, body), () => effectOn(service, book)),
});

export const closePixbook = operation({
  id: 'closePixbook',
  tag: 'Pixbooks',
  summary: 'Close a pixbook for good',
  description: 'The identity may then open a new one of the same collection; the history stays readable.',
  successes: acknowledged(),
  problems: refusals.closing,
  query: z.strictObject(bookQuery),
  body: emptyBody,
  handle: async (service, { context, book }: BookCommand) =>
    acknowledge(service, 'closePixbook', await service.commands.closePixbook(context, book), () => effectOn(service, book)),
});
