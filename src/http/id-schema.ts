import { z } from 'zod';
import {
  type MalformedId,
  parseAccountId,
  parseBookId,
  parseCardId,
  parseCodeId,
  parseCollectionId,
  parseDropId,
  parseEventId,
  parseIdentityId,
  parseInstanceId,
  parseInstant,
  parseInvitationId,
  parsePackId,
  parsePublicKeyId,
  parseReceiptHash,
  parseSeed,
  parseSeriesId,
  parseSha256,
  parseTradeId,
  parseUserId,
} from '../receipt/ids.ts';
import { type Result, err, ok } from '../result.ts';

type Parser<T> = (text: unknown) => Result<T, MalformedId>;
type Documented = { readonly name: string; readonly pattern: string; readonly example: string; readonly description: string };

/** Text that the parser of a branded id takes; `pattern` says the same to readers of the API description. */
const id = <T extends string>(parse: Parser<T>, { name, pattern, example, description }: Documented): z.ZodType<T> =>
  z
    .custom<T>((value) => parse(value).ok, { error: `expected ${description}` })
    .meta({ id: name, type: 'string', pattern, examples: [example], description });

const ULID = '[0-7][0-9A-HJKMNP-TV-Z]{25}';
const EXAMPLE = '01JZ0000000000000000000000';

/** An id that is a prefix and 26 Crockford characters. */
const prefixed = <T extends string>(parse: Parser<T>, name: string, prefix: string, what = ''): z.ZodType<T> =>
  id(parse, {
    name,
    pattern: `^${prefix}_${ULID}$`,
    example: `${prefix}_${EXAMPLE}`,
    description: `${prefix}_ and 26 Crockford characters${what}`,
  });

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
export const invitationIdSchema = prefixed(parseInvitationId, 'InvitationId', 'inv');
export const bookIdSchema = prefixed(parseBookId, 'BookId', 'bk');
export const collectionIdSchema = prefixed(parseCollectionId, 'CollectionId', 'col');
export const dropIdSchema = prefixed(parseDropId, 'DropId', 'drp');
export const codeIdSchema = prefixed(parseCodeId, 'CodeId', 'cod', ': a keyed hash of the code, which it does not tell');
export const packIdSchema = prefixed(parsePackId, 'PackId', 'pck');
export const instanceIdSchema = prefixed(parseInstanceId, 'InstanceId', 'ins', ': one owned copy of a card');
export const tradeIdSchema = prefixed(parseTradeId, 'TradeId', 'trd', ': the event id of the offer');

/** Batches are jobs, sessions and API keys are of sign-in, none of them streams: their ids are no part of the receipts’ format. */
const parserOf = (prefix: string): Parser<string> => {
  const pattern = new RegExp(`^${prefix}_${ULID}$`);
  return (text) =>
    typeof text === 'string' && pattern.test(text)
      ? ok(text)
      : err({ code: 'malformed-id', expected: `${prefix}_ and 26 Crockford characters` });
};
export const parseBatchId = parserOf('bat');
export const batchIdSchema = prefixed(parseBatchId, 'BatchId', 'bat');

/** Runs and entries of the audit trail are no part of the receipts’ format either. */
export const parseRunId: Parser<string> = (text) =>
  typeof text === 'string' && RUN_ID.test(text)
    ? ok(text)
    : err({ code: 'malformed-id', expected: 'run_ and 26 Crockford characters' });
const RUN_ID = new RegExp(`^run_${ULID}$`);
export const runIdSchema = prefixed(parseRunId, 'RunId', 'run');
export const parseAuditId: Parser<string> = (text) =>
  typeof text === 'string' && AUDIT_ID.test(text)
    ? ok(text)
    : err({ code: 'malformed-id', expected: 'aud_ and 26 Crockford characters' });
const AUDIT_ID = new RegExp(`^aud_${ULID}$`);
export const auditIdSchema = prefixed(parseAuditId, 'AuditId', 'aud');
export const parseSessionId = parserOf('ses');
export const sessionIdSchema = prefixed(parseSessionId, 'SessionId', 'ses');
export const parseApiKeyId = parserOf('key');
export const apiKeyIdSchema = prefixed(parseApiKeyId, 'ApiKeyId', 'key');

const CATALOGUE_NAME = { pattern: '^[a-z0-9][a-z0-9-]{0,63}$', description: '1 to 64 of a-z 0-9 -, not first a -' };
export const cardIdSchema = id(parseCardId, { name: 'CardId', ...CATALOGUE_NAME, example: 'red-fox' });
export const seriesIdSchema = id(parseSeriesId, { name: 'SeriesId', ...CATALOGUE_NAME, example: 'forest' });

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

const SHA256 = { pattern: '^sha256:[0-9a-f]{64}$', example: `sha256:${'5e'.repeat(32)}` };
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
export const sha256Schema = id(parseSha256, { name: 'Sha256', ...SHA256, description: 'sha256: and 64 lower-case hex' });
export const seedSchema = id(parseSeed, {
  name: 'Seed',
  pattern: '^[0-9a-f]{64}$',
  example: '5e'.repeat(32),
  description: '64 lower-case hex: the 32 bytes that packs were drawn with',
});
export const instantSchema = id(parseInstant, {
  name: 'Instant',
  pattern: String.raw`^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$`,
  example: '2026-01-31T12:00:00.000Z',
  description: 'UTC with milliseconds (RFC 3339)',
});
