import { z } from 'zod';
import { identityIdFor, parseIdentityId } from '../../receipt/ids.ts';
import { accountStream } from '../../receipt/stream.ts';
import { acknowledge, acknowledged } from '../acknowledgement.ts';
import { jsonAnswer } from '../answer.ts';
import type { AccountCommand } from '../command-need.ts';
import { refusals } from '../command-refusal.ts';
import { identityIdSchema, userIdSchema } from '../id-schema.ts';
import { keyAfter, pageOf } from '../list-page.ts';
import { emptyBody, noBody, noQuery, operation } from '../operation.ts';
import { notFound } from '../problem.ts';
import type { AccountReader } from '../reader-need.ts';
import { identitySchema, pageSchema } from '../resource-schema.ts';
import { listQuery, readQuery } from '../schema.ts';
import { readOf } from '../success.ts';

const identityPath = (accountId: string, identityId: string): string => `/v1/accounts/${accountId}/identities/${identityId}`;

export const createIdentity = operation({
  id: 'createIdentity',
  tag: 'Identities',
  summary: 'Make an identity with a key of its own',
  description: 'The private key never leaves the signer. `controller` is the member who may sign with the identity.',
  successes: acknowledged({ identityId: identityIdSchema }, 'IdentityCreated'),
  problems: refusals.identity,
  query: noQuery,
  body: { presence: 'required', schema: z.strictObject({ controller: userIdSchema }) },
  handle: async (service, { context, accountId }: AccountCommand, { body: { controller } }) => {
    const outcome = await service.commands.createIdentity(context, accountId, controller);
    const identityId = identityIdFor(accountId, context.idempotencyKey);
    return acknowledge(service, 'createIdentity', outcome, () => ({
      location: identityPath(accountId, identityId),
      made: { identityId },
    }));
  },
});

export const listIdentities = operation({
  id: 'listIdentities',
  tag: 'Identities',
  summary: 'The identities of an account',
  successes: readOf(pageSchema('IdentityPage', identitySchema), 'A page in order of identity id'),
  problems: [],
  query: z.strictObject({ ...listQuery, ...readQuery }),
  body: noBody,
  handle: async ({ queries }, { accountId }: AccountReader, { query: { limit, cursor }, headers }) => {
    const after = keyAfter(cursor, parseIdentityId);
    if (!after.ok) return after.error;
    const head = await queries.head(accountStream(accountId)); // the head first, as in listMembers
    if (head === null) return notFound;
    const { rows, hasMore } = await queries.identities(accountId, { after: after.value, limit });
    const page = pageOf(rows, hasMore, ({ identityId }) => identityId);
    return jsonAnswer({ tag: head.hash, ifNoneMatch: headers.get('if-none-match') }, page);
  },
});

export const readIdentity = operation({
  id: 'readIdentity',
  tag: 'Identities',
  summary: 'One identity',
  successes: readOf(identitySchema, 'The identity'),
  problems: [],
  query: z.strictObject(readQuery),
  body: noBody,
  handle: async ({ queries }, { accountId }: AccountReader, { param, headers }) => {
    const identityId = parseIdentityId(param('identityId'));
    if (!identityId.ok) return notFound;
    const head = await queries.head(accountStream(accountId)); // the head first, as in listMembers
    const identity = await queries.identity(accountId, identityId.value);
    if (head === null || identity === null) return notFound;
    return jsonAnswer({ tag: head.hash, ifNoneMatch: headers.get('if-none-match') }, identity);
  },
});

export const rotateKey = operation({
  id: 'rotateKey',
  tag: 'Identities',
  summary: 'Give an identity a new key',
  description: 'The receipt carries the new key and is signed by the old one.',
  successes: acknowledged(),
  problems: refusals.identity,
  query: noQuery,
  body: emptyBody,
  handle: async (service, { context, accountId }: AccountCommand, { param }) => {
    const identityId = parseIdentityId(param('identityId'));
    if (!identityId.ok) return notFound;
    const outcome = await service.commands.rotateKey(context, accountId, identityId.value);
    return acknowledge(service, 'rotateKey', outcome, () => ({ location: identityPath(accountId, identityId.value) }));
  },
});

export const revokeIdentity = operation({
  id: 'revokeIdentity',
  tag: 'Identities',
  summary: 'Revoke an identity for good',
  description: 'Its key signs nothing more; what it signed stays valid.',
  successes: acknowledged(),
  problems: refusals.identity,
  query: noQuery,
  body: emptyBody,
  handle: async (service, { context, accountId }: AccountCommand, { param }) => {
    const identityId = parseIdentityId(param('identityId'));
    if (!identityId.ok) return notFound;
    const outcome = await service.commands.revokeIdentity(context, accountId, identityId.value);
    return acknowledge(service, 'revokeIdentity', outcome, () => ({ location: identityPath(accountId, identityId.value) }));
  },
});
