import { z } from 'zod';
import type { CommandContext } from '../../command/ledger-commands.ts';
import { limits } from '../../limits.ts';
import { type AccountId, type BookId, type UserId, codePackIdFor, parseCodeId, parseDropId } from '../../receipt/ids.ts';
import { codeStream } from '../../receipt/stream.ts';
import { parseCode } from '../../stream/code/secret.ts';
import { acknowledge, acknowledged } from '../acknowledgement.ts';
import { type Answer, hashedAnswer, jsonAnswer } from '../answer.ts';
import { placedBook } from '../book-directory.ts';
import { effectOn, packPath } from '../book-effect.ts';
import type { CodeCommand, CodeReader } from '../catalogue-need.ts';
import { codeSchema, codeStatusSchema, signerBody } from '../catalogue-schema.ts';
import { refusals } from '../command-refusal.ts';
import { accountIdSchema, batchIdSchema, bookIdSchema, codeIdSchema, packIdSchema } from '../id-schema.ts';
import { keyAfter, pageOf } from '../list-page.ts';
import { noSooner } from '../no-sooner.ts';
import { noBody, noQuery, operation } from '../operation.ts';
import { type Problem, isProblem, notFound } from '../problem.ts';
import { pageSchema } from '../resource-schema.ts';
import { listQuery, readQuery } from '../schema.ts';
import type { Service } from '../service.ts';
import { readOf } from '../success.ts';
import { readsIn } from '../visible.ts';
import { signerOf } from './collections.ts';

/** One sentence, always the same: for what is no code at all, and for a code that nobody made. */
const codeMissing: Problem = { code: 'code-missing', detail: 'there is no such code' };

export const claimCode = operation({
  id: 'claimCode',
  tag: 'Codes',
  summary: 'Claim a code for a pixbook, and get its pack',
  description: `The first claim wins; claiming again for the same pixbook answers the same pack. Hyphens, spaces and small letters do not matter. A refusal takes at least ${limits.codeRefusalMs} ms.`,
  successes: acknowledged({ packId: packIdSchema, codeId: codeIdSchema }, 'CodeClaimed'),
  problems: refusals.claim,
  query: noQuery,
  body: {
    presence: 'required',
    schema: z.strictObject({
      code: z.string().meta({ description: 'As it is printed', examples: ['ABCD-EF12-3456'] }),
      bookId: bookIdSchema,
      accountId: accountIdSchema.optional().meta({ description: 'The account of the pixbook, if you know it' }),
    }),
  },
  accountOf: async ({ books }, { bookId, accountId }) => (await placedBook(books, bookId, accountId))?.accountId ?? null,
  handle: async (service, context: CommandContext, { body }) => {
    const beginMs = service.clock.now();
    const answer = await claim(service, context, body);
    // All refusals wait, lest the time tell which of them looked at a code.
    return isProblem(answer) ? noSooner(service.clock, beginMs, limits.codeRefusalMs, answer) : answer;
  },
});

type Claim = { readonly code: string; readonly bookId: BookId; readonly accountId?: AccountId | undefined };

const claim = async (
  service: Service,
  context: CommandContext,
  { code: typed, bookId, accountId }: Claim,
): Promise<Answer | Problem> => {
  const book = await placedBook(service.books, bookId, accountId);
  if (book === null) return notFound;
  const code = parseCode(typed);
  // Of a book that is not the user's nothing is told, as for a code that is one.
  if (!code.ok) return (await readsIn(service, context.userId, book.accountId)) ? codeMissing : notFound;
  const codeId = service.codeNames.codeIdOf(code.value);
  const answer = acknowledge(service, 'claimCode', await service.commands.claimCode(context, book, codeId), () => {
    const packId = codePackIdFor(codeId);
    return effectOn(service, book, { location: packPath(bookId, packId), made: { packId, codeId } });
  });
  return isProblem(answer) && answer.code === 'code-missing' ? codeMissing : answer;
};

export const revokeCode = operation({
  id: 'revokeCode',
  tag: 'Codes',
  summary: 'Revoke a code that nobody has claimed',
  successes: acknowledged(),
  problems: refusals.code,
  query: noQuery,
  body: { presence: 'optional', schema: z.strictObject(signerBody) },
  handle: async (service, { context, codeId }: CodeCommand, { body }) => {
    const outcome = await service.commands.revokeCode(context, { identityId: signerOf(body), codeId });
    return acknowledge(service, 'revokeCode', outcome, () => ({ location: `/v1/codes/${codeId}` }));
  },
});

export const listCodes = operation({
  id: 'listCodes',
  tag: 'Codes',
  summary: 'The codes of a drop, by name',
  description: '`status` and `batchId` narrow.',
  successes: readOf(pageSchema('CodePage', codeSchema), 'A page in order of code id'),
  problems: [],
  query: z.strictObject({
    ...listQuery,
    ...readQuery,
    status: codeStatusSchema.optional(),
    batchId: batchIdSchema.optional(),
  }),
  body: noBody,
  handle: async ({ queries }, _issuer: UserId, { param, query, headers }) => {
    const dropId = parseDropId(param('dropId'));
    const after = keyAfter(query.cursor, parseCodeId);
    if (!after.ok) return after.error;
    if (!dropId.ok || (await queries.drop(dropId.value)) === null) return notFound;
    const filter = { dropId: dropId.value, status: query.status ?? null, batchId: query.batchId ?? null };
    const { rows, hasMore } = await queries.codes(filter, { after: after.value, limit: query.limit });
    return hashedAnswer(
      headers.get('if-none-match'),
      pageOf(rows, hasMore, ({ codeId }) => codeId),
    );
  },
});

export const readCode = operation({
  id: 'readCode',
  tag: 'Codes',
  summary: 'One code, by name',
  successes: readOf(codeSchema, 'What is known of the code'),
  problems: [],
  query: z.strictObject(readQuery),
  body: noBody,
  handle: async ({ queries }, { codeId }: CodeReader, { headers }) => {
    const head = await queries.head(codeStream(codeId)); // the head first, as in listMembers
    const code = await queries.code(codeId);
    if (head === null || code === null) return notFound;
    return jsonAnswer({ tag: head.hash, ifNoneMatch: headers.get('if-none-match') }, code);
  },
});
