import { z } from 'zod';
import { completionOf } from '../../projection/completion.ts';
import { grantInstanceIdFor, parseInstanceId } from '../../receipt/ids.ts';
import { pixbookStream } from '../../receipt/stream.ts';
import { acknowledge, acknowledged } from '../acknowledgement.ts';
import { hashedAnswer } from '../answer.ts';
import { bookPath, effectOn } from '../book-effect.ts';
import { cardIdsBody, cardSchema, completionSchema, instanceIdsBody, reasonBody } from '../card-schema.ts';
import { signerBody } from '../catalogue-schema.ts';
import type { BookCommand } from '../command-need.ts';
import { refusals } from '../command-refusal.ts';
import { instanceIdSchema } from '../id-schema.ts';
import { keyAfter, pageOf } from '../list-page.ts';
import { noBody, operation } from '../operation.ts';
import { notFound } from '../problem.ts';
import type { BookReader } from '../reader-need.ts';
import { pageSchema } from '../resource-schema.ts';
import { bookQuery, listQuery, readQuery } from '../schema.ts';
import { readOf } from '../success.ts';
import { seenFrom } from '../visible.ts';
import { signerOf } from './collections.ts';

export const listCards = operation({
  id: 'listCards',
  tag: 'Cards',
  summary: 'The copies a pixbook holds',
  description: 'Those in escrow, leaving and arriving included: every copy is shown in one place at least, at each moment.',
  successes: readOf(pageSchema('HeldCardPage', cardSchema), 'A page in order of instance id'),
  problems: [],
  query: z.strictObject({ ...listQuery, ...readQuery, ...bookQuery }),
  body: noBody,
  handle: async ({ queries }, { accountId, bookId }: BookReader, { query, headers }) => {
    const after = keyAfter(query.cursor, parseInstanceId);
    if (!after.ok) return after.error;
    if ((await queries.head(pixbookStream(accountId, bookId))) === null) return notFound; // as in listPacks
    const { rows, hasMore } = await queries.cards({ accountId, bookId }, { after: after.value, limit: query.limit });
    // The other book of a trade has its say: the head of this one is no tag for it.
    return hashedAnswer(
      headers.get('if-none-match'),
      pageOf(rows, hasMore, ({ instanceId }) => instanceId),
    );
  },
});

export const readCompletion = operation({
  id: 'readCompletion',
  tag: 'Cards',
  summary: 'How far a pixbook has come with its collection',
  description: 'Cards held and missing, by series; copies beyond the first, and which of them are free to give.',
  successes: readOf(completionSchema, 'The completion'),
  problems: ['collection-missing'],
  query: z.strictObject({ ...readQuery, ...bookQuery }),
  body: noBody,
  handle: async ({ queries }, { accountId, bookId }: BookReader, { headers }) => {
    const book = await queries.pixbook({ accountId, bookId });
    if (book === null) return notFound;
    const { collectionId } = book;
    const [collection, holdings] = await Promise.all([queries.collection(collectionId), queries.holdings({ accountId, bookId })]);
    if (collection === null) return { code: 'collection-missing', detail: 'the collection is not published' };
    const { version } = collection;
    return hashedAnswer(headers.get('if-none-match'), { bookId, collectionId, version, ...completionOf(collection, holdings) });
  },
});

export const addCards = operation({
  id: 'addCards',
  tag: 'Cards',
  summary: 'Add cards to a pixbook, with a reason',
  description: 'For issuers: a grant or a correction. A collector cannot mint.',
  successes: acknowledged({ instanceIds: z.array(instanceIdSchema) }, 'CardsAdded'),
  problems: refusals.cards,
  query: z.strictObject(bookQuery),
  body: { presence: 'required', schema: z.strictObject({ cardIds: cardIdsBody, reason: reasonBody, ...signerBody }) },
  handle: async (service, { context, book }: BookCommand, { body }) => {
    const { cardIds, reason } = body;
    const grant = { identityId: signerOf(body), cardIds, reason };
    const outcome = await seenFrom(service, context, book, await service.commands.addCards(context, book, grant));
    return acknowledge(service, 'addCards', outcome, ({ eventId }) => {
      const instanceIds = cardIds.map((_, index) => grantInstanceIdFor(eventId, index));
      return effectOn(service, book, { location: `${bookPath(book.bookId)}/cards`, made: { instanceIds } });
    });
  },
});

export const removeCards = operation({
  id: 'removeCards',
  tag: 'Cards',
  summary: 'Remove copies from a pixbook, with a reason',
  description: 'For issuers: a correction. Copies in escrow stay where they are.',
  successes: acknowledged(),
  problems: refusals.cards,
  query: z.strictObject(bookQuery),
  body: { presence: 'required', schema: z.strictObject({ instanceIds: instanceIdsBody, reason: reasonBody, ...signerBody }) },
  handle: async (service, { context, book }: BookCommand, { body }) => {
    const { instanceIds, reason } = body;
    const removal = { identityId: signerOf(body), instanceIds, reason };
    const outcome = await seenFrom(service, context, book, await service.commands.removeCards(context, book, removal));
    return acknowledge(service, 'removeCards', outcome, () =>
      effectOn(service, book, { location: `${bookPath(book.bookId)}/cards` }),
    );
  },
});
