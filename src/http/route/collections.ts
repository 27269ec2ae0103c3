import { z } from 'zod';
import type { CommandContext } from '../../command/ledger-commands.ts';
import { type IdentityId, OPERATOR_IDENTITY_ID, type UserId, parseCollectionId } from '../../receipt/ids.ts';
import { acknowledge, acknowledged } from '../acknowledgement.ts';
import { hashedAnswer, jsonAnswer } from '../answer.ts';
import type { CollectionCommand, CollectionReader } from '../catalogue-need.ts';
import { catalogueBody, collectionSchema, collectionSummarySchema, signerBody, versionSchema } from '../catalogue-schema.ts';
import { refusals } from '../command-refusal.ts';
import { collectionIdSchema, seriesIdSchema } from '../id-schema.ts';
import { keyAfter, pageOf } from '../list-page.ts';
import { noBody, noQuery, operation } from '../operation.ts';
import { notFound } from '../problem.ts';
import { pageSchema } from '../resource-schema.ts';
import { listQuery, readQuery } from '../schema.ts';
import { readOf } from '../success.ts';

const collectionPath = (collectionId: string): string => `/v1/collections/${collectionId}`;

/** Who signs what an issuer asks for. */
export const signerOf = ({ identityId }: { readonly identityId?: IdentityId | undefined }): IdentityId =>
  identityId ?? OPERATOR_IDENTITY_ID;

const firstVersion = z.literal(1).optional().meta({ description: 'The first is 1' });

export const createCollection = operation({
  id: 'createCollection',
  tag: 'Collections',
  summary: 'Publish a collection',
  description:
    'Its version 1. The id follows from the identity that signs and the Idempotency-Key. Send the art of its cards first.',
  successes: acknowledged({ collectionId: collectionIdSchema }, 'CollectionCreated'),
  problems: refusals.collection,
  query: noQuery,
  body: { presence: 'required', schema: z.strictObject({ version: firstVersion, ...catalogueBody, ...signerBody }) },
  handle: async (service, context: CommandContext, { body: { title, series, cards, identityId } }) => {
    const catalogue = { version: 1, title, series, cards };
    const publication = { identityId: signerOf({ identityId }), collectionId: null, catalogue };
    const outcome = await service.commands.publishCollection(context, publication);
    return acknowledge(service, 'createCollection', outcome, ({ stream }) => {
      const collectionId = stream.type === 'collection' ? stream.collectionId : '';
      return { location: collectionPath(collectionId), made: { collectionId } };
    });
  },
});

export const publishVersion = operation({
  id: 'publishVersion',
  tag: 'Collections',
  summary: 'Publish the next version of a collection',
  description: 'The whole catalogue again, with every card of the version before. A version never changes.',
  successes: acknowledged(),
  problems: refusals.collection,
  query: noQuery,
  body: { presence: 'required', schema: z.strictObject({ version: versionSchema, ...catalogueBody, ...signerBody }) },
  handle: async (service, { context, collectionId }: CollectionCommand, { body: { identityId, ...catalogue } }) => {
    const publication = { identityId: signerOf({ identityId }), collectionId, catalogue };
    const outcome = await service.commands.publishCollection(context, publication);
    return acknowledge(service, 'publishVersion', outcome, () => ({ location: collectionPath(collectionId) }));
  },
});

export const retireSeries = operation({
  id: 'retireSeries',
  tag: 'Collections',
  summary: 'Take a series out of later draws, for good',
  successes: acknowledged(),
  problems: refusals.series,
  query: noQuery,
  body: { presence: 'required', schema: z.strictObject({ seriesId: seriesIdSchema, ...signerBody }) },
  handle: async (service, { context, collectionId }: CollectionCommand, { body }) => {
    const series = { identityId: signerOf(body), collectionId, seriesId: body.seriesId };
    const outcome = await service.commands.retireSeries(context, series);
    return acknowledge(service, 'retireSeries', outcome, () => ({ location: collectionPath(collectionId) }));
  },
});

export const listCollections = operation({
  id: 'listCollections',
  tag: 'Collections',
  summary: 'All collections',
  successes: readOf(pageSchema('CollectionPage', collectionSummarySchema), 'A page in order of collection id'),
  problems: [],
  query: z.strictObject({ ...listQuery, ...readQuery }),
  body: noBody,
  handle: async ({ queries }, _userId: UserId, { query: { limit, cursor }, headers }) => {
    const after = keyAfter(cursor, parseCollectionId);
    if (!after.ok) return after.error;
    const { rows, hasMore } = await queries.collections({ after: after.value, limit });
    return hashedAnswer(
      headers.get('if-none-match'),
      pageOf(rows, hasMore, ({ collectionId }) => collectionId),
    );
  },
});

export const readCollection = operation({
  id: 'readCollection',
  tag: 'Collections',
  summary: 'One collection, with its latest catalogue',
  successes: readOf(collectionSchema, 'The collection'),
  problems: [],
  query: z.strictObject(readQuery),
  body: noBody,
  handle: async ({ queries }, { collectionId }: CollectionReader, { headers }) => {
    const collection = await queries.collection(collectionId);
    return collection === null
      ? notFound
      : jsonAnswer({ tag: collection.head.hash, ifNoneMatch: headers.get('if-none-match') }, collection);
  },
});
