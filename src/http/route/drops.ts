import { z } from 'zod';
import { limits } from '../../limits.ts';
import { dropIdFor, parseDropId } from '../../receipt/ids.ts';
import { collectionStream } from '../../receipt/stream.ts';
import { acknowledge, acknowledged } from '../acknowledgement.ts';
import { jsonAnswer } from '../answer.ts';
import type { CollectionCommand, CollectionReader, DropCommand, DropPlace } from '../catalogue-need.ts';
import { dropSchema, packSizeSchema, signerBody, titleSchema } from '../catalogue-schema.ts';
import { refusals } from '../command-refusal.ts';
import { dropIdSchema } from '../id-schema.ts';
import { keyAfter, pageOf } from '../list-page.ts';
import { noBody, noQuery, operation } from '../operation.ts';
import { notFound } from '../problem.ts';
import { pageSchema } from '../resource-schema.ts';
import { collectionQuery, listQuery, readQuery } from '../schema.ts';
import { readOf } from '../success.ts';
import { signerOf } from './collections.ts';

const dropPath = (dropId: string): string => `/v1/drops/${dropId}`;

export const openDrop = operation({
  id: 'openDrop',
  tag: 'Collections',
  summary: 'Open a drop',
  description:
    'Its seed is made and sealed here, told to nobody, and committed to by `seedHash`. The id follows from the collection and the Idempotency-Key.',
  successes: acknowledged({ dropId: dropIdSchema }, 'DropOpened'),
  problems: refusals.drop,
  query: noQuery,
  body: {
    presence: 'required',
    schema: z.strictObject({ title: titleSchema, packSize: packSizeSchema.optional(), ...signerBody }),
  },
  handle: async (service, { context, collectionId }: CollectionCommand, { body }) => {
    const { title, packSize = limits.defaultPackCards } = body;
    const drop = { identityId: signerOf(body), collectionId, title, packSize };
    const dropId = dropIdFor(collectionId, context.idempotencyKey);
    return acknowledge(service, 'openDrop', await service.commands.openDrop(context, drop), () => ({
      location: dropPath(dropId),
      made: { dropId },
    }));
  },
});

export const closeDrop = operation({
  id: 'closeDrop',
  tag: 'Collections',
  summary: 'Close a drop for good, and reveal its seed',
  description: 'From then on everyone can draw its packs again, and `verify` does.',
  successes: acknowledged(),
  problems: refusals.drop,
  query: z.strictObject(collectionQuery),
  body: { presence: 'optional', schema: z.strictObject(signerBody) },
  handle: async (service, { context, collectionId, dropId }: DropCommand, { body }) => {
    const drop = { identityId: signerOf(body), collectionId, dropId };
    return acknowledge(service, 'closeDrop', await service.commands.closeDrop(context, drop), () => ({
      location: dropPath(dropId),
    }));
  },
});

export const listDrops = operation({
  id: 'listDrops',
  tag: 'Collections',
  summary: 'The drops of a collection',
  successes: readOf(pageSchema('DropPage', dropSchema), 'A page in order of drop id'),
  problems: [],
  query: z.strictObject({ ...listQuery, ...readQuery }),
  body: noBody,
  handle: async ({ queries }, { collectionId }: CollectionReader, { query: { limit, cursor }, headers }) => {
    const after = keyAfter(cursor, parseDropId);
    if (!after.ok) return after.error;
    const head = await queries.head(collectionStream(collectionId)); // the head first, as in listMembers
    if (head === null) return notFound;
    const { rows, hasMore } = await queries.drops(collectionId, { after: after.value, limit });
    const page = pageOf(rows, hasMore, ({ dropId }) => dropId);
    return jsonAnswer({ tag: head.hash, ifNoneMatch: headers.get('if-none-match') }, page);
  },
});

export const readDrop = operation({
  id: 'readDrop',
  tag: 'Collections',
  summary: 'One drop',
  successes: readOf(dropSchema, 'The drop'),
  problems: [],
  query: z.strictObject({ ...readQuery, ...collectionQuery }),
  body: noBody,
  handle: async ({ queries }, { collectionId, dropId }: DropPlace, { headers }) => {
    const head = await queries.head(collectionStream(collectionId)); // the head first, as in listMembers
    const drop = await queries.drop(dropId);
    if (head === null || drop?.collectionId !== collectionId) return notFound;
    return jsonAnswer({ tag: head.hash, ifNoneMatch: headers.get('if-none-match') }, drop);
  },
});
