import { z } from 'zod';
import { parseEventId } from '../../receipt/ids.ts';
import { keyOf } from '../../receipt/key-path.ts';
import { type Stream, accountStream, collectionStream, pixbookStream } from '../../receipt/stream.ts';
import { type Result, err, ok } from '../../result.ts';
import { freshAnswer, taggedAnswer } from '../answer.ts';
import type { CollectionReader } from '../catalogue-need.ts';
import { positionIn } from '../event-position.ts';
import { keyAfter, pageMeta } from '../list-page.ts';
import { type Ask, noBody, noQuery, operation } from '../operation.ts';
import { type Problem, invalid, notFound } from '../problem.ts';
import type { AccountReader, BookReader, ReceiptReader } from '../reader-need.ts';
import { readReceiptPage, receiptsAsJson, receiptsAsLines } from '../receipt-page.ts';
import { pageSchema, receiptSchema, verificationSchema } from '../resource-schema.ts';
import { bookQuery, listQuery, readQuery } from '../schema.ts';
import type { Service } from '../service.ts';
import { freshOf, readAs, readOf } from '../success.ts';

const LINES = 'application/x-ndjson';
const pages = readAs(
  {
    'application/json': pageSchema('ReceiptPage', receiptSchema),
    [LINES]: z.string().meta({ description: 'One receipt a line; `Link` with rel="next" leads to the next page' }),
  },
  'Receipts in order of position, each byte for byte as the store has it',
);
const description = `Send \`Accept: ${LINES}\` for one receipt a line.`;

export const readReceipt = operation({
  id: 'readReceipt',
  tag: 'Receipts',
  summary: 'One receipt, byte for byte',
  description: 'Hash what you get: it is what was signed. It never changes.',
  successes: readOf(receiptSchema, 'The receipt as the store has it'),
  problems: ['receipt-lost'],
  query: noQuery,
  body: noBody,
  handle: async ({ store }, { eventId, place }: ReceiptReader, { headers }) => {
    const bytes = await store.read(keyOf(place.stream, eventId));
    if (bytes === null) return { code: 'receipt-lost', detail: `the receipt ${eventId} is not in the store` };
    return taggedAnswer({ tag: place.hash, ifNoneMatch: headers.get('if-none-match') }, 'application/json', () => bytes);
  },
});

type PageQuery = { readonly limit: number; readonly cursor?: string | undefined };

const receiptsOf = async (
  { queries, store }: Service,
  stream: Stream,
  { query, headers, mediaType, request }: Ask<PageQuery, unknown>,
) => {
  const from = positionAfter(stream, query.cursor);
  if (!from.ok) return from.error;
  const head = await queries.head(stream);
  if (head === null) return notFound;
  const page = await readReceiptPage(store, stream, head.position, from.value, query.limit);
  if (!page.ok) return page.error;
  const inLines = mediaType === LINES;
  const tagged = { tag: inLines ? `${head.hash}+ndjson` : head.hash, ifNoneMatch: headers.get('if-none-match'), vary: 'Accept' };
  const answer = taggedAnswer(tagged, mediaType, () => (inLines ? receiptsAsLines(page.value) : receiptsAsJson(page.value)));
  const { cursor } = pageMeta(page.value.last, page.value.hasMore);
  return inLines && cursor !== null ? { ...answer, headers: { ...answer.headers, Link: nextLink(request.url, cursor) } } : answer;
};

const nextLink = (url: string, cursor: string): string => {
  const { pathname, searchParams } = new URL(url);
  searchParams.set('cursor', cursor);
  return `<${pathname}?${searchParams}>; rel="next"`;
};

const foreignCursor = invalid({ in: 'query', pointer: '/cursor', code: 'invalid', detail: 'this is no cursor of this list' });

const positionAfter = (stream: Stream, cursor: string | undefined): Result<number, Problem> => {
  const after = keyAfter(cursor, parseEventId);
  if (!after.ok) return after;
  if (after.value === null) return ok(0);
  const position = positionIn(stream, after.value);
  return position === null ? err(foreignCursor) : ok(position + 1);
};

export const listPixbookReceipts = operation({
  id: 'listPixbookReceipts',
  tag: 'Pixbooks',
  summary: 'The receipts of a pixbook',
  description,
  successes: pages,
  problems: ['receipt-lost'],
  query: z.strictObject({ ...listQuery, ...readQuery, ...bookQuery }),
  body: noBody,
  handle: async (service, { accountId, bookId }: BookReader, ask) => receiptsOf(service, pixbookStream(accountId, bookId), ask),
});

export const listAccountReceipts = operation({
  id: 'listAccountReceipts',
  tag: 'Accounts',
  summary: 'The receipts of an account',
  description,
  successes: pages,
  problems: ['receipt-lost'],
  query: z.strictObject({ ...listQuery, ...readQuery }),
  body: noBody,
  handle: async (service, { accountId }: AccountReader, ask) => receiptsOf(service, accountStream(accountId), ask),
});

export const listCollectionReceipts = operation({
  id: 'listCollectionReceipts',
  tag: 'Collections',
  summary: 'The receipts of a collection',
  description,
  successes: pages,
  problems: ['receipt-lost'],
  query: z.strictObject({ ...listQuery, ...readQuery }),
  body: noBody,
  handle: async (service, { collectionId }: CollectionReader, ask) => receiptsOf(service, collectionStream(collectionId), ask),
});

const verified = freshOf(
  verificationSchema,
  'Whether every receipt of the stream is valid; an invalid stream is an answer, not an error',
);

const verificationOf = async ({ verifyIfFree }: Service, stream: Stream) => {
  const verification = await verifyIfFree(stream);
  if (verification === null) return { code: 'too-busy', detail: 'other streams are being verified' } as const;
  const { valid, receipts, head, fault = null } = verification;
  return freshAnswer(200, { valid, receipts, head, fault });
};

export const verifyPixbook = operation({
  id: 'verifyPixbook',
  tag: 'Pixbooks',
  summary: 'Verify every receipt of a pixbook',
  description: 'From the store: bytes, chain, key history and signatures.',
  successes: verified,
  problems: ['too-busy'],
  query: z.strictObject({ ...readQuery, ...bookQuery }),
  body: noBody,
  handle: async (service, { accountId, bookId }: BookReader) => verificationOf(service, pixbookStream(accountId, bookId)),
});

export const verifyAccount = operation({
  id: 'verifyAccount',
  tag: 'Accounts',
  summary: 'Verify every receipt of an account',
  description: 'From the store: bytes, chain, key history and signatures. Its pixbooks are streams of their own.',
  successes: verified,
  problems: ['too-busy'],
  query: z.strictObject(readQuery),
  body: noBody,
  handle: async (service, { accountId }: AccountReader) => verificationOf(service, accountStream(accountId)),
});

export const verifyCollection = operation({
  id: 'verifyCollection',
  tag: 'Collections',
  summary: 'Verify every receipt of a collection',
  description: 'From the store: bytes, chain, key history and signatures. A pack’s draw is verified with its pixbook.',
  successes: verified,
  problems: ['too-busy'],
  query: z.strictObject(readQuery),
  body: noBody,
  handle: async (service, { collectionId }: CollectionReader) => verificationOf(service, collectionStream(collectionId)),
});
