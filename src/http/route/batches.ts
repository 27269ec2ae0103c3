import pMap from 'p-map';
import { z } from 'zod';
import type { BatchRequest } from '../../command/batch-commands.ts';
import type { Book, CommandContext } from '../../command/ledger-commands.ts';
import { limits } from '../../limits.ts';
import type { Batch } from '../../port/batches.ts';
import type { AccountId, BookId, UserId } from '../../receipt/ids.ts';
import { type Result, err, ok } from '../../result.ts';
import { codeShown } from '../../stream/code/secret.ts';
import { freshAnswer, hashedAnswer } from '../answer.ts';
import { placedBook } from '../book-directory.ts';
import { batchSchema, shownCodesSchema, signerBody } from '../catalogue-schema.ts';
import { accountIdSchema, bookIdSchema, collectionIdSchema, dropIdSchema, parseBatchId } from '../id-schema.ts';
import { type Success, emptyBody, noBody, noQuery, operation } from '../operation.ts';
import { type InputFault, type Problem, invalid, notFound, refused } from '../problem.ts';
import type { ProblemCode } from '../problem-code.ts';
import type { Service } from '../service.ts';
import { freshOf, readOf } from '../success.ts';
import { issues } from '../visible.ts';
import { signerOf } from './collections.ts';

const ordered: readonly Success[] = [
  {
    status: 202,
    description:
      'The order is taken, and the batch as far as it has come. Repeating it with the same Idempotency-Key is the same order.',
    content: { 'application/json': batchSchema },
    fields: ['Location', 'Cache-Control'],
  },
];
const orderProblems = [
  ...['forbidden', 'identity-missing', 'identity-revoked', 'collection-missing', 'drop-missing', 'drop-closed'],
  'idempotency-key-reused',
] as const satisfies readonly ProblemCode[];

const forIssuers = 'For issuers. Nothing is made twice: a batch that was interrupted goes on where its receipts end.';
const ofDrop = { collectionId: collectionIdSchema, dropId: dropIdSchema, ...signerBody };

/** What is answered of a batch: its books were in the order. */
const shown = ({ books: _books, userId: _userId, ...batch }: Batch) => batch;

const forbidden: Problem = { code: 'forbidden', detail: 'only issuers may order batches' };

const order = async ({ batches }: Service, context: CommandContext, request: BatchRequest) => {
  const taken = await batches.order(context, request);
  if (!taken.ok) return taken.error.code === 'forbidden' ? forbidden : refused(taken.error);
  const { batchId } = taken.value;
  return freshAnswer(202, shown(taken.value), { Location: `/v1/batches/${batchId}` });
};

const bookSchema = z.strictObject({
  bookId: bookIdSchema,
  accountId: accountIdSchema.optional().meta({ description: 'The account of the pixbook, if you know it' }),
});

export const orderPacks = operation({
  id: 'orderPacks',
  tag: 'Batches',
  summary: 'Issue the pack of a drop to many pixbooks',
  description: forIssuers,
  successes: ordered,
  problems: orderProblems,
  query: noQuery,
  body: {
    presence: 'required',
    schema: z.strictObject({ ...ofDrop, books: z.array(bookSchema).min(1).max(limits.packsPerBatch) }),
  },
  handle: async (service, context: CommandContext, { body }) => {
    const books = await placedBooks(service, context.userId, body.books);
    if (!books.ok) return books.error;
    const { collectionId, dropId } = body;
    return order(service, context, { kind: 'packs', identityId: signerOf(body), collectionId, dropId, books: books.value });
  },
});

type SaidBook = { readonly bookId: BookId; readonly accountId?: AccountId | undefined };

/** The books and whose they are. Which of them there are is for issuers to know: to others all is forbidden alike. */
const placedBooks = async (
  service: Service,
  userId: UserId,
  said: readonly SaidBook[],
): Promise<Result<readonly Book[], Problem>> => {
  const place = ({ bookId, accountId }: SaidBook) => placedBook(service.books, bookId, accountId);
  const placed = await pMap(said, place, { concurrency: limits.parallelReads });
  const seen = new Set<BookId>();
  const faults = said.flatMap(({ bookId }, i): InputFault[] => {
    const twice = seen.has(bookId);
    seen.add(bookId);
    const detail = twice ? 'this pixbook is named twice' : 'there is no such pixbook';
    return twice || placed[i] === null ? [{ in: 'body', pointer: `/books/${i}/bookId`, code: 'invalid', detail }] : [];
  });
  if (faults.length === 0) return ok(placed.filter((book) => book !== null));
  return err((await issues(service, userId)) ? invalid(...faults.slice(0, LISTED_FAULTS)) : forbidden);
};

const LISTED_FAULTS = 20;

export const orderCodes = operation({
  id: 'orderCodes',
  tag: 'Batches',
  summary: 'Make many codes, each worth a pack of a drop',
  description: `${forIssuers} The codes are shown once, when the batch is finished.`,
  successes: ordered,
  problems: orderProblems,
  query: noQuery,
  body: {
    presence: 'required',
    schema: z.strictObject({ ...ofDrop, count: z.int().min(1).max(limits.codesPerBatch) }),
  },
  handle: async (service, context: CommandContext, { body }) => {
    const { collectionId, dropId, count } = body;
    return order(service, context, { kind: 'codes', identityId: signerOf(body), collectionId, dropId, count });
  },
});

export const readBatch = operation({
  id: 'readBatch',
  tag: 'Batches',
  summary: 'How far a batch has come',
  description: 'For whoever ordered it, and for operators.',
  successes: readOf(batchSchema, 'The batch'),
  problems: ['not-found'],
  query: noQuery,
  body: noBody,
  handle: async ({ batches }, userId: UserId, { param, headers }) => {
    const batchId = parseBatchId(param('batchId'));
    if (!batchId.ok) return notFound;
    const batch = await batches.read(userId, batchId.value);
    return batch.ok ? hashedAnswer(headers.get('if-none-match'), shown(batch.value)) : refused(batch.error);
  },
});

export const showCodes = operation({
  id: 'showCodes',
  tag: 'Batches',
  summary: 'Show the codes of a finished batch, once',
  description:
    'For whoever ordered it, and for operators. Keep the answer: it does not come again, whatever the Idempotency-Key.',
  successes: freshOf(shownCodesSchema, 'The codes, in the order of their numbers'),
  problems: ['not-found', 'batch-not-finished', 'codes-shown'],
  query: noQuery,
  body: emptyBody,
  handle: async ({ batches }, { userId }: CommandContext, { param }) => {
    const batchId = parseBatchId(param('batchId'));
    if (!batchId.ok) return notFound;
    const codes = await batches.showCodes(userId, batchId.value);
    if (!codes.ok) return refused(codes.error);
    const printed = codes.value.map(({ codeId, code }) => ({ codeId, code: codeShown(code) }));
    return freshAnswer(200, { batchId: batchId.value, codes: printed });
  },
});
