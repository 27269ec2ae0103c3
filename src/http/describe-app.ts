import type { Env, Hono } from 'hono';
import { generateSpecs } from 'hono-openapi';
import { limits } from '../limits.ts';
import type { ApiDocument } from './api-document.ts';
import type { SchemaComponents } from './json-schema.ts';
import type { Tag } from './operation.ts';
import { problemComponents } from './problem-spec.ts';
import type { Route } from './route.ts';
import { signInPaths } from './sign-in-paths.ts';

const tags: { readonly [T in Tag]: string } = {
  'Sign-in': 'Users sign in; what they may do follows from the receipts of their accounts.',
  Accounts: 'A family or a workspace, its members and their roles.',
  Identities: 'Collectors: each with a key that signs its receipts.',
  Pixbooks: 'One identity’s collection of one card collection.',
  Packs: 'Cards that were drawn together for one pixbook: with its share of a drop, or for a code.',
  Cards: 'The copies a pixbook holds, and what it still lacks.',
  Trades: 'An exchange that one pixbook offers to another.',
  Codes: 'Printed secrets, each worth one pack. Issuers see their names, and nobody the codes again.',
  Collections: 'What issuers publish: cards in series, their art, and the drops in which packs are drawn.',
  Batches: 'Many packs or codes as one job, for issuers.',
  Billing: 'What an account uses of the service, for its owners.',
  Receipts: 'The truth, byte for byte.',
  Trust: 'What an auditor needs from us, and needs once.',
  Admin: 'For operators: accounts, limits, runs over the whole ledger. Each use is kept in the audit trail, refused ones too.',
  Operations: 'Health and metrics.',
  Pages: 'For people.',
};

const description = `An event-sourced ledger: every change is a signed receipt, chained to the one before it and kept where nothing is overwritten.

**Commands** are POSTs that need an \`Idempotency-Key\` and may carry \`If-Match\`, the ETag of the head they were decided on. They answer 201 as soon as
the receipt is durable. Repeating one with the same key gives the same answer with \`Idempotency-Replayed: true\`.
Batches answer 202 and are done in the background.

**Queries** are GETs that write nothing. \`ETag\` is the hash of the head; \`If-None-Match\` gives 304. \`?minEventId=\` waits up to
${limits.readYourWritesMs} ms until that event is visible. Lists come in pages with an opaque \`meta.cursor\`.

**Bodies** are I-JSON (RFC 7493), at most ${limits.requestBodyBytes} bytes; art alone is sent as it is. Refused are duplicate members, \`__proto__\`, \`constructor\` and
\`prototype\`, lone surrogates and noncharacters, numbers beyond ±(2^53−1) however they are spelled, and nesting over ${limits.jsonDepth - 1} levels.

**Limits** are counted by address (of IPv6 by /64), by user (an API key counts for its user) and by account, for reads and commands each. An account of
the plan free has ${limits.freeAccountPerMinute} a minute and ${limits.freeAccountBurstPoints} more in ${limits.accountBurstMs / 60_000} minutes once those are used up, one of the plan pro ${limits.proAccountPerMinute} and ${limits.proAccountBurstPoints}; sign-in and claims have fewer.
\`RateLimit\` and \`RateLimit-Policy\` tell how the allowances stand that a request drew on. One too many is answered with 429 \`rate-limited\` and
\`Retry-After\`, and has done nothing; a repeated command counts like any other.

**Errors** are RFC 9457 problem details with a stable \`code\`; /problems explains each. A path that is there but not with this method answers 405
\`method-not-allowed\` with \`Allow\`; OPTIONS answers 204 with \`Allow\`; HEAD answers as GET does, without the body.`;

const text = (what: string, extra: object = {}) => ({ description: what, schema: { type: 'string', ...extra } });
const HASH_TAG = { pattern: '^"sha256:[0-9a-f]{64}[+a-z]*"$' };

const headers = {
  ETag: text('The hash of the head (of a list over many streams: of the body), quoted', HASH_TAG),
  Location: text('The created or changed resource', { format: 'uri-reference' }),
  'Idempotency-Replayed': text('true: the key had been used for this very request before, and nothing was written now', {
    enum: ['true'],
  }),
  'Cache-Control': text('How long this may be kept, and by whom'),
  Vary: text('Request fields that the answer depends on'),
  RateLimit: text(
    'What remains of each allowance (`r`), and the seconds until it is whole again (`t`): draft-ietf-httpapi-ratelimit-headers-10',
    {
      examples: ['"address";r=1193;t=42, "account-command";r=57;t=42'],
    },
  ),
  'RateLimit-Policy': text('Each allowance the request drew on: requests (`q`) in a window of seconds (`w`)', {
    examples: ['"address";q=1200;w=60, "account-command";q=60;w=60'],
  }),
  'Retry-After': text('Seconds after which trying again can help', { pattern: '^[0-9]+$' }),
  'WWW-Authenticate': text('Bearer'),
  'X-Request-Id': text('Under which this request is in our log: yours, if you sent one fit to be logged'),
};

const field = (name: string, what: string, schema: object, required = false) => ({
  in: 'header',
  name,
  required,
  description: what,
  schema: { type: 'string', ...schema },
});

const parameters = {
  IdempotencyKey: field(
    'Idempotency-Key',
    'A new random UUID for each new command; the same one when repeating it',
    { pattern: `^[!-~]{1,${limits.idempotencyKeyChars}}$`, examples: ['5f0c6d7e-7d0f-4f0b-9a39-0a4b7c1f2d3e'] },
    true,
  ),
  IfMatch: field(
    'If-Match',
    'The ETag of the head this was decided on: refused with 412 when the head is another. `*` is any.',
    {},
  ),
  IfNoneMatch: field('If-None-Match', 'ETags the client has: answered with 304 when one of them is current', {}),
  RequestId: field('X-Request-Id', 'Under which to log this request', { pattern: '^[A-Za-z0-9._:/+=@-]{1,128}$' }),
  Traceparent: field('traceparent', 'W3C Trace Context', {}),
};

const securitySchemes = {
  bearer: { type: 'http', scheme: 'bearer', description: 'The token that signing in answers, or an API key' },
  cookie: {
    type: 'apiKey',
    in: 'cookie',
    name: 'pixpax.session_token',
    description: 'The session cookie (`__Host-pixpax.session_token` over https)',
  },
};

/** The API description of an app that was made of this table. Its operations put the schemas they name into `schemas`. */
export const describeApp = async <E extends Env>(
  app: Hono<E>,
  table: readonly Route[],
  schemas: SchemaComponents,
): Promise<ApiDocument> => {
  const { components: _none, ...document } = await generateSpecs(app, { documentation: about, excludeStaticFile: false });
  const paths = sorted<object>({ ...document.paths, ...signInPaths(table, schemas) });
  const used = referredTo(paths, 'responses');
  const responses = Object.fromEntries(Object.entries(problemComponents(schemas)).filter(([name]) => used.has(name)));
  return plainData({
    ...document,
    components: { schemas: sorted(schemas), responses, headers, parameters, securitySchemes },
    paths,
  });
};

const about = {
  openapi: '3.1.0',
  info: {
    title: 'PixPax receipt ledger',
    version: '1',
    description,
    license: { name: 'UNLICENSED', identifier: 'LicenseRef-UNLICENSED' },
  },
  servers: [{ url: '/', description: 'This service' }],
  tags: Object.entries(tags).map(([name, what]) => ({ name, description: what })),
};

/** Names of the components of one kind that a part of the document refers to. */
const referredTo = (part: object, kind: string): ReadonlySet<string> =>
  new Set([...JSON.stringify(part).matchAll(new RegExp(`"#/components/${kind}/([^"]+)"`, 'g'))].map(([, name = '']) => name));

const sorted = <T>(members: { readonly [name: string]: T }): { readonly [name: string]: T } =>
  Object.fromEntries(Object.entries(members).sort(([a], [b]) => (a < b ? -1 : 1)));

/** Without members that are undefined and objects that are shared. */
const plainData = (document: object): ApiDocument => JSON.parse(JSON.stringify(document)) as ApiDocument;
