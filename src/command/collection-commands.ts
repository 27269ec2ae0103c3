import { randomBytes } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import pMap from 'p-map';
import { mayIssue } from '../access/authorise.ts';
import { limits } from '../limits.ts';
import type { View } from '../port/read-model.ts';
import { canonicalText } from '../receipt/canonical.ts';
import {
  type CollectionId,
  type DropId,
  type EventId,
  type IdentityId,
  OPERATOR_ACCOUNT_ID,
  type Sha256,
  collectionIdFor,
  dropIdFor,
} from '../receipt/ids.ts';
import type { JsonObject } from '../receipt/json.ts';
import { artKeyOf, keyAt, positionOf } from '../receipt/key-path.ts';
import { readReceipt } from '../receipt/read.ts';
import { collectionStream } from '../receipt/stream.ts';
import { type Result, err, ok } from '../result.ts';
import type { CollectionCommand } from '../stream/collection/command.ts';
import { decideCollection } from '../stream/collection/decide.ts';
import type { CollectionEvent, CollectionEventType } from '../stream/collection/event.ts';
import { newSeed, seedHashOf } from '../stream/collection/seed.ts';
import type { CollectionState } from '../stream/collection/state.ts';
import { type AppendParts, append } from './append.ts';
import { type Collections, sealingContext } from './collections.ts';
import { fromSigner, fromStore } from './deadline.ts';
import { type Intent, actingIssuer, askingAs } from './intent.ts';
import type { CommandContext, CommandOutcome, CommandRefusal, LedgerCommands } from './ledger-commands.ts';

type CollectionView = View<CollectionState>;

type CollectionRequest = {
  readonly collectionId: CollectionId;
  readonly identityId: IdentityId;
  readonly asked: { readonly type: CollectionEventType; readonly payload: JsonObject };
  /** What must exist before the decision, and the command it makes possible. */
  readonly command: (view: CollectionView) => Promise<Result<CollectionCommand, CommandRefusal>>;
};

type CollectionCommands = Pick<LedgerCommands, 'publishCollection' | 'retireSeries' | 'openDrop' | 'closeDrop'>;

/** The commands of collection streams. */
export const collectionCommands = (parts: AppendParts, collections: Collections): CollectionCommands => {
  const run = (context: CommandContext, request: CollectionRequest) => append(parts, intentOf(context, request));
  const artIsThere = artWatch(parts);
  return {
    publishCollection: async (context, { identityId, catalogue, ...publication }) => {
      const { version, title, series, cards } = catalogue;
      const payload = { version, title, series, cards };
      const collectionId = publication.collectionId ?? collectionIdFor(identityId, context.idempotencyKey);
      const asked = { type: 'COLLECTION_PUBLISHED', payload } as const;
      const outcome = await run(context, {
        ...{ collectionId, identityId, asked },
        command: async () => {
          const missing = await artIsThere(cards.map(({ artHash }) => artHash));
          return missing === null ? ok({ type: 'publish', ...payload }) : err(artMissing(missing));
        },
      });
      return !outcome.ok && outcome.error.code === 'version-published'
        ? ((await publishedBefore(parts, collections, collectionId, payload)) ?? outcome)
        : outcome;
    },
    retireSeries: (context, { identityId, collectionId, seriesId }) =>
      run(context, {
        ...{ collectionId, identityId, asked: { type: 'SERIES_RETIRED', payload: { seriesId } } },
        command: async () => ok({ type: 'retire-series', seriesId }),
      }),
    openDrop: (context, { identityId, collectionId, title, packSize }) => {
      const dropId = dropIdFor(collectionId, context.idempotencyKey);
      return run(context, {
        ...{ collectionId, identityId, asked: { type: 'DROP_OPENED', payload: { dropId, title, packSize } } },
        command: async () => ok({ type: 'open-drop', title, packSize, ...(await sealedSeed(parts, collectionId, dropId)) }),
      });
    },
    closeDrop: (context, { identityId, collectionId, dropId }) =>
      run(context, {
        ...{ collectionId, identityId, asked: { type: 'DROP_CLOSED', payload: { dropId } } },
        command: async ({ state }) => {
          const drop = state.status === 'published' ? state.drops.get(dropId) : undefined;
          const seed = drop === undefined ? '' : await collections.seedOf(collectionId, dropId, drop);
          return ok({ type: 'close-drop', dropId, seed });
        },
      }),
  };
};

/** A crash after this forgets the seed, which nobody has seen: the retry makes another. */
const sealedSeed = async (parts: AppendParts, collectionId: CollectionId, dropId: DropId) => {
  const bytes = randomBytes(32);
  const sealed = await fromSigner(parts, () => parts.sealer.seal(sealingContext(collectionId, dropId), bytes));
  return { dropId, seedHash: seedHashOf(newSeed(bytes)), sealedSeed: sealed };
};

/** Answers the first art that is not in the store, or null. What was seen once stays: nothing deletes it. */
const artWatch = (parts: AppendParts): ((hashes: readonly Sha256[]) => Promise<Sha256 | null>) => {
  const seen = new LRUCache<Sha256, true>({ max: limits.rememberedArt });
  return async (hashes) => {
    const unknown = [...new Set(hashes)].filter((hash) => !seen.has(hash));
    const found = await pMap(unknown, (hash) => fromStore(parts, () => parts.store.exists(artKeyOf(hash))), {
      concurrency: limits.parallelReads,
    });
    for (const [i, hash] of unknown.entries()) if (found[i] === true) seen.set(hash, true);
    return unknown.find((_, i) => found[i] !== true) ?? null;
  };
};

const artMissing = (hash: Sha256): CommandRefusal => ({
  code: 'art-missing',
  detail: `the art ${hash} is not in the store: put it under /v1/art first`,
});

/** The same version with the same content, under another key: what was published then is the answer (and nothing is written). */
const publishedBefore = async (
  parts: AppendParts,
  collections: Collections,
  collectionId: CollectionId,
  payload: JsonObject,
): Promise<CommandOutcome | null> => {
  const seen = await collections.of(collectionId);
  const state = seen.ok ? seen.value.state : null;
  const eventId = state?.status === 'published' ? publicationOf(state, Number(payload.version)) : null;
  if (eventId === null) return null;
  const stream = collectionStream(collectionId);
  const position = positionOf(eventId);
  const key = keyAt(stream, position);
  const bytes = await fromStore(parts, () => parts.store.read(key));
  const read = bytes === null ? null : readReceipt(bytes, key);
  if (!read?.ok || canonicalText(read.value.receipt.payload) !== canonicalText(payload)) return null;
  return ok({ eventId, hash: read.value.receipt.hash, position, stream, projection: 'applied', replayed: true });
};

const publicationOf = (state: Extract<CollectionState, { status: 'published' }>, version: number): EventId | null =>
  state.publications[version - 1] ?? null;

const intentOf = (
  context: CommandContext,
  request: CollectionRequest,
): Intent<CollectionState, Result<CollectionCommand, CommandRefusal>> => {
  const stream = collectionStream(request.collectionId);
  const { userId, idempotencyKey, ifMatch } = context;
  const actor = { accountId: OPERATOR_ACCOUNT_ID, identityId: request.identityId };
  return {
    ...{ stream, idempotencyKey, ifMatch, asked: request.asked },
    view: (readModel) => readModel.collectionView({ stream, idempotencyKey, userId, identityId: null, actor }),
    authorise: (view) => authoriseIssuer(context, view),
    prepare: request.command,
    decide: ({ state }, command): Result<CollectionEvent, CommandRefusal> =>
      command.ok ? decideCollection(state, command.value) : command,
    stateOf: ({ state }) => ({ type: 'collection', state }),
    issuer: actingIssuer,
  };
};

/** May the user issue with the acting identity? */
export const authoriseIssuer = ({ userId }: CommandContext, view: View<unknown>): Result<void, CommandRefusal> =>
  mayIssue(askingAs(userId, view), view.acting?.identity ?? null);
