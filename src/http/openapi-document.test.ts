import { describe, expect, it } from 'vitest';
import {
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
  parsePackId,
  parsePublicKeyId,
  parseReceiptHash,
  parseSeed,
  parseSeriesId,
  parseSha256,
  parseTradeId,
  parseUserId,
} from '../receipt/ids.ts';
import { routes } from './app.ts';
import { parseApiKeyId, parseBatchId, parseSessionId } from './id-schema.ts';
import { openApiDocument } from './openapi-document.ts';
import { problemCodes, problemKinds, spokenCode } from './problem-code.ts';
import { problemsOf } from './problem-spec.ts';

const document = await openApiDocument();
type Operation = { operationId: string; responses: Record<string, object>; security: unknown[]; parameters?: object[] };
const paths = document.paths as Record<string, Record<string, Operation>>;
const schemas = (document.components as { schemas: Record<string, { pattern?: string; examples?: string[]; enum?: string[] }> })
  .schemas;

describe('the API description', () => {
  it('has every route, with every status it may answer', () => {
    for (const route of routes.filter(({ path }) => !path.includes('*'))) {
      const described = paths[route.path.replaceAll(/:([A-Za-z]+)/g, '{$1}')]?.[route.method.toLowerCase()];
      const statuses = [
        ...route.operation.successes.map(({ status }) => status),
        ...problemsOf(route).map((code) => problemKinds[code].status),
      ];
      expect(Object.keys(described?.responses ?? {}).sort()).toEqual([...new Set(statuses.map(String))].sort());
      expect(described?.security.length).toBe(route.need.signedIn ? 2 : 0);
    }
  });

  it('names every code of the table, each at some route but the router’s own and those that only jobs meet', () => {
    expect(schemas.ProblemCode?.enum).toEqual(problemCodes);
    const atRoutes = new Set(routes.flatMap((route) => problemsOf(route)));
    expect(problemCodes.filter((code) => !atRoutes.has(code))).toEqual([
      'method-not-allowed',
      'code-exists',
      'trade-not-expired',
    ]);
  });

  it('gives every operation a name of its own', () => {
    const ids = Object.values(paths).flatMap((methods) => Object.values(methods).map(({ operationId }) => operationId));
    expect(ids).toHaveLength(new Set(ids).size);
  });

  it('refers to nothing that is not there, and has nothing that is not referred to', () => {
    const text = JSON.stringify(document);
    const references = new Set(
      [...text.matchAll(/"\$ref":"#\/components\/(\w+)\/([^"]+)"/g)].map(([, kind, name]) => `${kind}/${name}`),
    );
    const components = Object.entries(document.components as Record<string, object>)
      .filter(([kind]) => kind !== 'securitySchemes')
      .flatMap(([kind, named]) => Object.keys(named).map((name) => `${kind}/${name}`));
    expect([...references].sort()).toEqual(components.sort());
  });

  it('is the same each time it is made', async () => {
    expect(JSON.stringify(await openApiDocument())).toBe(JSON.stringify(document));
  });

  it.each([
    ['AccountId', parseAccountId],
    ['IdentityId', parseIdentityId],
    ['BookId', parseBookId],
    ['CollectionId', parseCollectionId],
    ['DropId', parseDropId],
    ['CodeId', parseCodeId],
    ['PackId', parsePackId],
    ['InstanceId', parseInstanceId],
    ['TradeId', parseTradeId],
    ['BatchId', parseBatchId],
    ['SessionId', parseSessionId],
    ['ApiKeyId', parseApiKeyId],
    ['CardId', parseCardId],
    ['SeriesId', parseSeriesId],
    ['Sha256', parseSha256],
    ['Seed', parseSeed],
    ['EventId', parseEventId],
    ['UserId', parseUserId],
    ['PublicKeyId', parsePublicKeyId],
    ['ReceiptHash', parseReceiptHash],
    ['Instant', parseInstant],
  ] as const)('says of %s what its parser takes', (name, parse) => {
    const { pattern = '', examples = [] } = schemas[name] ?? {};
    const [example = ''] = examples;
    const variants = [
      example,
      `${example}0`,
      example.slice(1),
      example.toLowerCase(),
      example.toUpperCase(),
      example.replace(/.$/, 'I'),
      'acc_operator',
      'idn_operator',
      '',
    ];
    for (const text of variants) expect([text, new RegExp(pattern).test(text)]).toEqual([text, parse(text).ok]);
    expect(parse(example).ok).toBe(true);
  });
});

describe('the table of problems', () => {
  it('asks to come back exactly where that can help', () => {
    for (const code of problemCodes) {
      const { status, retryAfterSeconds } = problemKinds[code];
      expect([code, retryAfterSeconds !== undefined]).toEqual([code, status === 503 || status === 429]);
    }
  });

  it('does not tell a missing account, pixbook, trade or batch from one that the user may not know of', () => {
    for (const code of ['account-missing', 'pixbook-missing', 'trade-missing', 'trade-not-yours', 'batch-missing'] as const)
      expect(spokenCode(code)).toBe('not-found');
  });
});
