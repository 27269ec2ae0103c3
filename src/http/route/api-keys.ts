import type { Session } from '../../port/authentication.ts';
import { epochMsOf } from '../../receipt/ids.ts';
import { freshAnswer } from '../answer.ts';
import { parseApiKeyId } from '../id-schema.ts';
import { pageOf } from '../list-page.ts';
import { emptyBody, noBody, noQuery, operation } from '../operation.ts';
import { invalid, notFound } from '../problem.ts';
import { pageSchema } from '../resource-schema.ts';
import { apiKeySchema, newApiKeySchema, wantedApiKeySchema } from '../sign-in-schema.ts';
import { freshOf } from '../success.ts';

export const listApiKeys = operation({
  id: 'listApiKeys',
  tag: 'Sign-in',
  summary: 'Your API keys',
  description: 'Those that are neither revoked nor expired, the newest first. None shows more than its first characters.',
  successes: freshOf(pageSchema('ApiKeyPage', apiKeySchema), 'All of them on one page'),
  problems: [],
  query: noQuery,
  body: noBody,
  handle: async ({ authentication }, { userId }: Session) =>
    freshAnswer(
      200,
      pageOf(await authentication.apiKeys(userId), false, ({ apiKeyId }) => apiKeyId),
    ),
});

export const createApiKey = operation({
  id: 'createApiKey',
  tag: 'Sign-in',
  summary: 'Make an API key',
  description:
    'For a program that acts for you: `Authorization: Bearer pixpax_…`. It may do what its scopes say, and never more than you may. The key is shown in this answer and never again; a repeated request makes another one.',
  successes: [
    {
      status: 201,
      description: 'The key',
      content: { 'application/json': newApiKeySchema },
      fields: ['Cache-Control'],
    },
  ],
  problems: ['too-many-api-keys'],
  query: noQuery,
  body: { presence: 'required', schema: wantedApiKeySchema },
  handle: async ({ authentication, clock }, { userId }: Session, { body: { name, scopes, expiresAt = null } }) => {
    if (expiresAt !== null && epochMsOf(expiresAt) <= clock.now()) return inThePast;
    const made = await authentication.createApiKey(userId, { name, scopes, expiresAt });
    return made.ok ? freshAnswer(201, made.value) : made.error;
  },
});

const inThePast = invalid({ in: 'body', pointer: '/expiresAt', code: 'invalid', detail: 'expected a moment to come' });

export const revokeApiKey = operation({
  id: 'revokeApiKey',
  tag: 'Sign-in',
  summary: 'End one of your API keys',
  description: 'At once and everywhere. Repeated, it is not there any more.',
  successes: [{ status: 204, description: 'It is over', fields: ['Cache-Control'] }],
  problems: ['not-found'],
  query: noQuery,
  body: emptyBody,
  handle: async ({ authentication }, { userId }: Session, { param }) => {
    const apiKeyId = parseApiKeyId(param('apiKeyId'));
    if (!apiKeyId.ok || !(await authentication.revokeApiKey(userId, apiKeyId.value))) return notFound;
    return { status: 204, headers: { 'Cache-Control': 'no-store' }, body: null };
  },
});
