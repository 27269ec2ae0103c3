import { z } from 'zod';
import { limits } from '../limits.ts';
import { parseEventId } from '../receipt/ids.ts';
import { type JsonObject, isJsonObject } from '../receipt/json.ts';
import { roles } from '../stream/account/event.ts';
import {
  accountIdSchema,
  apiKeyIdSchema,
  batchIdSchema,
  bookIdSchema,
  codeIdSchema,
  collectionIdSchema,
  dropIdSchema,
  eventIdSchema,
  identityIdSchema,
  invitationIdSchema,
  packIdSchema,
  publicKeyIdSchema,
  runIdSchema,
  sessionIdSchema,
  sha256Schema,
  tradeIdSchema,
  userIdSchema,
} from './id-schema.ts';

export const roleSchema = z
  .enum(roles)
  .meta({ description: 'operator and issuer exist in acc_operator only, the others elsewhere' });

/** A JSON object kept as it was sent: the I-JSON reader has been over it. */
export const jsonObjectSchema: z.ZodType<JsonObject> = z
  .custom<JsonObject>(isJsonObject, { error: 'expected an object' })
  .meta({ type: 'object', additionalProperties: true });

/** A member of a path, by the name routes use. A malformed one is a resource that is not there. */
export const pathParameters: { readonly [name: string]: z.ZodType } = {
  accountId: accountIdSchema,
  identityId: identityIdSchema,
  invitationId: invitationIdSchema,
  bookId: bookIdSchema,
  eventId: eventIdSchema,
  userId: userIdSchema,
  publicKeyId: publicKeyIdSchema,
  collectionId: collectionIdSchema,
  dropId: dropIdSchema,
  codeId: codeIdSchema,
  packId: packIdSchema,
  tradeId: tradeIdSchema,
  batchId: batchIdSchema,
  runId: runIdSchema,
  artHash: sha256Schema,
  sessionId: sessionIdSchema,
  apiKeyId: apiKeyIdSchema,
  code: z.string().meta({ description: 'The `code` of a problem', examples: ['stale-base'] }),
  script: z.string().meta({ description: 'A script that /sign-in names', examples: ['page.js'] }),
};

/** A moment of a stream: a position, or the event at it. */
export type AsOf = number | z.infer<typeof eventIdSchema>;

const asOfSchema = z
  .custom<string>((value) => parseAsOf(value) !== null, { error: 'expected a position or an event id' })
  .transform((text): AsOf => parseAsOf(text) ?? 0)
  .meta({
    type: 'string',
    pattern: String.raw`^(\d{1,15}|[0-7][0-9A-HJKMNP-TV-Z]{25})$`,
    description: 'A position or an event id of the stream: the answer is the state just after it.',
  });

/** 15 digits are a safe integer, and no event id is that short. */
const parseAsOf = (text: unknown): AsOf | null => {
  if (typeof text === 'string' && /^\d{1,15}$/.test(text)) return Number(text);
  const eventId = parseEventId(text);
  return eventId.ok ? eventId.value : null;
};

const limitSchema = z
  .string()
  .regex(/^[1-9]\d{0,5}$/, 'expected a whole number')
  .transform(Number)
  .pipe(z.int().min(1).max(limits.pageRows))
  .default(limits.defaultPageRows)
  .meta({ description: 'How many elements at most.' });

const cursorSchema = z.string().max(512).optional().meta({ description: 'meta.cursor of the page before, as it was received.' });

const minEventIdSchema = eventIdSchema.optional().meta({
  description: `Answer only once this event is visible; waits up to ${limits.readYourWritesMs} ms. Send the eventId of your last command to read what you wrote, on any pod.`,
});

const accountIdHint = accountIdSchema.optional().meta({
  description: 'The account of the pixbook, if you know it: the book is then found even while the projection is being rebuilt.',
});

const collectionIdHint = collectionIdSchema.optional().meta({
  description: 'The collection of the drop, if you know it: the drop is then found even while the projection is being rebuilt.',
});

const ofOfferer = accountIdSchema.optional().meta({ description: 'The account of `bookId`' });
const bookOfOfferer = bookIdSchema.optional().meta({
  description:
    'The pixbook that offers, and `toBookId` the one it was offered to, if you know them: the trade is then found even while the projection is being rebuilt.',
});
const ofPartner = accountIdSchema.optional().meta({ description: 'The account of `toBookId`' });
const bookOfPartner = bookIdSchema.optional().meta({ description: 'The pixbook the trade was offered to' });

/** Query parameters shared by routes. */
export const readQuery = { minEventId: minEventIdSchema };
export const listQuery = { limit: limitSchema, cursor: cursorSchema };
export const bookQuery = { accountId: accountIdHint };
export const collectionQuery = { collectionId: collectionIdHint };
export const tradeQuery = { accountId: ofOfferer, bookId: bookOfOfferer, toAccountId: ofPartner, toBookId: bookOfPartner };
export const asOfQuery = { asOf: asOfSchema.optional() };
