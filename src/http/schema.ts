import { z } from 'zod';
import { limits } from '../limits.ts';
import {
  type MalformedId,
  parseAccountId,
  parseBookId,
  parseCollectionId,
  parseEventId,
  parseIdentityId,
  parseInstant,
  parsePublicKeyId,
  parseReceiptHash,
  parseUserId,
} from '../receipt/ids.ts';
import { type JsonObject, isJsonObject } from '../receipt/json.ts';
import type { Result } from '../result.ts';
import { roles } from '../stream/account/event.ts';

type Parser<T> = (text: unknown) => Result<T, MalformedId>;
type Documented = { readonly name: string; readonly pattern: string; readonly example: string; readonly description: string };

/** Text that the parser of a branded id takes; `pattern` says the same to readers of the API description. */
const id = <T extends string>(parse: Parser<T>, { name, pattern, example, description }: Documented): z.ZodType<T> =>
  z
    .custom<T>((value) => parse(value).ok, { error: `expected ${description}` })
    .meta({ id: name, type: 'string', pattern, examples: [example], description });

const ULID = '[0-7][0-9A-HJKMNP-TV-Z]{25}';
const EXAMPLE = '01JZ0000000000000000000000';
const SHA256 = { pattern: '^sha256:[0-9a-f]{64}$', example: `sha256:${'5e'.repeat(32)}` };

export const accountIdSchema = id(parseAccountId, {
  name: 'AccountId',
  pattern: `^acc_(operator|${ULID})$`,
  example: `acc_${EXAMPLE}`,
  description: 'acc_ and 26 Crockford characters',
});
export const identityIdSchema = id(parseIdentityId, {
  name: 'IdentityId',
  pattern: `^idn_(operator|${ULID})$`,
  example: `idn_${EXAMPLE}`,
  description: 'idn_ and 26 Crockford characters',
});
export const bookIdSchema = id(parseBookId, {
  name: 'BookId',
  pattern: `^bk_${ULID}$`,
  example: `bk_${EXAMPLE}`,
  description: 'bk_ and 26 Crockford characters',
});
export const collectionIdSchema = id(parseCollectionId, {
  name: 'CollectionId',
  pattern: `^col_${ULID}$`,
  example: `col_${EXAMPLE}`,
  description: 'col_ and 26 Crockford characters',
});
export const eventIdSchema = id(parseEventId, {
  name: 'EventId',
  pattern: `^${ULID}$`,
  example: '01HF7YAT00ZY2HFVSMAQJQ9NN0',
  description: 'an event id: 26 Crockford characters',
});
export const userIdSchema = id(parseUserId, {
  name: 'UserId',
  pattern: '^[A-Za-z0-9_-]{1,64}$',
  example: `usr_${EXAMPLE}`,
  description: 'a user id: 1 to 64 of A-Z a-z 0-9 _ -',
});
export const publicKeyIdSchema = id(parsePublicKeyId, {
  name: 'PublicKeyId',
  ...SHA256,
  description: 'sha256: and 64 lower-case hex, of the SPKI DER of a public key',
});
export const receiptHashSchema = id(parseReceiptHash, {
  name: 'ReceiptHash',
  ...SHA256,
  description: 'sha256: and 64 lower-case hex, the hash of a receipt',
});
export const instantSchema = id(parseInstant, {
  name: 'Instant',
  pattern: String.raw`^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$`,
  example: '2026-01-31T12:00:00.000Z',
  description: 'UTC with milliseconds (RFC 3339)',
});

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
  bookId: bookIdSchema,
  eventId: eventIdSchema,
  userId: userIdSchema,
  publicKeyId: publicKeyIdSchema,
  code: z.string().meta({ description: 'The `code` of a problem', examples: ['stale-base'] }),
};

/** A moment of a stream: a position, or the event at it. */
export type AsOf = number | z.infer<typeof eventIdSchema>;

const asOfSchema = z
  .custom<string>((value) => parseAsOf(value) !== null, { error: 'expected a position or an event id' })
  .transform((text): AsOf => parseAsOf(text) ?? 0)
  .meta({
    type: 'string',
    pattern: String.raw`^(\d{1,15}|${ULID})$`,
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

/** Query parameters shared by routes. */
export const readQuery = { minEventId: minEventIdSchema };
export const listQuery = { limit: limitSchema, cursor: cursorSchema };
export const bookQuery = { accountId: accountIdHint };
export const asOfQuery = { asOf: asOfSchema.optional() };
