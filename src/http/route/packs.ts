import { z } from 'zod';
import { dropPackIdFor, parsePackId } from '../../receipt/ids.ts';
import { pixbookStream } from '../../receipt/stream.ts';
import { acknowledge, acknowledged } from '../acknowledgement.ts';
import { hashedAnswer, jsonAnswer } from '../answer.ts';
import { effectOn, packPath } from '../book-effect.ts';
import { certificateSchema, packSchema, packStatusSchema } from '../card-schema.ts';
import type { BookCommand } from '../command-need.ts';
import { refusals } from '../command-refusal.ts';
import { dropIdSchema, identityIdSchema, packIdSchema } from '../id-schema.ts';
import { keyAfter, pageOf } from '../list-page.ts';
import { noBody, operation } from '../operation.ts';
import { notFound } from '../problem.ts';
import type { BookReader } from '../reader-need.ts';
import { pageSchema } from '../resource-schema.ts';
import { bookQuery, listQuery, readQuery } from '../schema.ts';
import { readOf } from '../success.ts';
import { seenFrom } from '../visible.ts';

export const issuePack = operation({
  id: 'issuePack',
  tag: 'Packs',
  summary: 'Get a pixbook’s one pack of a drop',
  description:
    'Asked for by whoever may sign as the pixbook’s identity; issuers name the identity of acc_operator that signs. The cards are drawn from the drop’s seed: nobody can choose or foresee them.',
  successes: acknowledged({ packId: packIdSchema }, 'PackIssued'),
  problems: refusals.pack,
  query: z.strictObject(bookQuery),
  body: {
    presence: 'required',
    schema: z.strictObject({
      dropId: dropIdSchema,
      identityId: identityIdSchema.optional().meta({ description: 'For issuers: the identity of acc_operator that signs' }),
    }),
  },
  handle: async (service, { context, book }: BookCommand, { body: { dropId, identityId = null } }) => {
    const outcome = await seenFrom(
      service,
      context,
      book,
      await service.commands.issuePack(context, book, { dropId, identityId }),
    );
    const packId = dropPackIdFor(dropId, book.bookId);
    return acknowledge(service, 'issuePack', outcome, () =>
      effectOn(service, book, { location: packPath(book.bookId, packId), made: { packId } }),
    );
  },
});

export const openPack = operation({
  id: 'openPack',
  tag: 'Packs',
  summary: 'Open a pack',
  description: 'Reveals it, and changes nothing else: its cards were the pixbook’s from the start.',
  successes: acknowledged(),
  problems: refusals.opening,
  query: z.strictObject(bookQuery),
  body: { presence: 'required', schema: z.strictObject({ packId: packIdSchema }) },
  handle: async (service, { context, book }: BookCommand, { body: { packId } }) =>
    acknowledge(service, 'openPack', await service.commands.openPack(context, book, packId), () =>
      effectOn(service, book, { location: packPath(book.bookId, packId) }),
    ),
});

export const listPacks = operation({
  id: 'listPacks',
  tag: 'Packs',
  summary: 'The packs of a pixbook',
  description: '`status` narrows.',
  successes: readOf(pageSchema('PackPage', packSchema), 'A page in order of pack id'),
  problems: [],
  query: z.strictObject({ ...listQuery, ...readQuery, ...bookQuery, status: packStatusSchema.optional() }),
  body: noBody,
  handle: async ({ queries }, { accountId, bookId }: BookReader, { query, headers }) => {
    const after = keyAfter(query.cursor, parsePackId);
    if (!after.ok) return after.error;
    // The head first, as in listMembers; and without one there is no such book in this account.
    const head = await queries.head(pixbookStream(accountId, bookId));
    if (head === null) return notFound;
    const filter = { accountId, bookId, status: query.status ?? null };
    const { rows, hasMore } = await queries.packs(filter, { after: after.value, limit: query.limit });
    const page = pageOf(rows, hasMore, ({ packId }) => packId);
    return jsonAnswer({ tag: head.hash, ifNoneMatch: headers.get('if-none-match') }, page);
  },
});

export const readPack = operation({
  id: 'readPack',
  tag: 'Packs',
  summary: 'One pack',
  successes: readOf(packSchema, 'The pack'),
  problems: [],
  query: z.strictObject({ ...readQuery, ...bookQuery }),
  body: noBody,
  handle: async ({ queries }, { accountId, bookId }: BookReader, { param, headers }) => {
    const packId = parsePackId(param('packId'));
    const head = await queries.head(pixbookStream(accountId, bookId)); // the head first, as in listPacks
    const pack = packId.ok && head !== null ? await queries.pack({ accountId, bookId }, packId.value) : null;
    if (head === null || pack === null) return notFound;
    return jsonAnswer({ tag: head.hash, ifNoneMatch: headers.get('if-none-match') }, pack);
  },
});

export const readPackCertificate = operation({
  id: 'readPackCertificate',
  tag: 'Packs',
  summary: 'The certificate of a pack',
  description: 'The receipts that issued it and those they rest on, from the store: verifies offline.',
  successes: readOf(certificateSchema, 'The certificate'),
  problems: ['receipt-lost'],
  query: z.strictObject({ ...readQuery, ...bookQuery }),
  body: noBody,
  handle: async ({ queries, certificates }, { accountId, bookId }: BookReader, { param, headers }) => {
    const packId = parsePackId(param('packId'));
    const head = await queries.head(pixbookStream(accountId, bookId)); // as in listPacks
    if (!packId.ok || head === null) return notFound;
    const certificate = await certificates.packCertificate({ accountId, bookId }, packId.value);
    return certificate === null ? notFound : hashedAnswer(headers.get('if-none-match'), certificate);
  },
});
