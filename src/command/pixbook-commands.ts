import { limits } from '../limits.ts';
import { Outage } from '../port/outage.ts';
import type { View } from '../port/read-model.ts';
import { bookIdFor } from '../receipt/ids.ts';
import { prefixOf } from '../receipt/key-path.ts';
import { type Stream, pixbookStream } from '../receipt/stream.ts';
import { type Result, err, ok } from '../result.ts';
import { noConcerns } from '../stream/pixbook/concerns.ts';
import { type AppendParts, append } from './append.ts';
import type { Collections } from './collections.ts';
import { fromReadModel } from './deadline.ts';
import type { AppendRefusal, CommandContext, LedgerCommands } from './ledger-commands.ts';
import { type PixbookRequest, pixbookIntent } from './pixbook-intent.ts';
import { touchStreams } from './touch.ts';

/** The commands of a pixbook itself; what its cards go through is in files of their own. */
export const pixbookCommands = (
  parts: AppendParts,
  collections: Collections,
): Pick<LedgerCommands, 'createPixbook' | 'save' | 'closePixbook'> => {
  const run = (context: CommandContext, request: PixbookRequest) => append(parts, pixbookIntent(context, request));
  return {
    createPixbook: async (context, book) => {
      const found = await generationFor(parts, context, book);
      if (!found.ok) return found;
      const { accountId, identityId, collectionId } = book;
      const generation = found.value;
      return run(context, {
        book: { accountId, bookId: bookIdFor(identityId, collectionId, generation) },
        newFor: identityId,
        asked: { type: 'PIXBOOK_CREATED', payload: { identityId, collectionId } },
        concerns: noConcerns,
        command: async () => {
          const seen = await collections.of(collectionId);
          if (!seen.ok) return seen;
          return seen.value.state.status === 'absent'
            ? err({ code: 'collection-missing', detail: 'there is no such collection to open a pixbook of' })
            : ok({ type: 'create-pixbook', identityId, collectionId, generation });
        },
      });
    },
    save: (context, book, { state, baseEventId }) =>
      run(context, {
        book,
        asked: { type: 'PIXBOOK_SAVE', payload: { state, baseEventId } },
        command: { type: 'save', state, baseEventId },
      }),
    closePixbook: (context, book) =>
      run(context, { book, asked: { type: 'PIXBOOK_CLOSED', payload: {} }, command: { type: 'close' } }),
  };
};

type NewBook = Parameters<LedgerCommands['createPixbook']>[1];

/**
 * Which generation a creation is for (domain rule 9): the one its idempotency key made before, else 1 more than the closed ones. Books beyond
 * what the projection shows are looked for in the store, so a wiped projection gives the same answer.
 */
const generationFor = async (
  parts: AppendParts,
  { idempotencyKey, userId }: CommandContext,
  { accountId, identityId, collectionId }: NewBook,
): Promise<Result<number, AppendRefusal>> => {
  const streamAt = (generation: number) => pixbookStream(accountId, bookIdFor(identityId, collectionId, generation));
  const known = await fromReadModel(parts, () => parts.readModel.latestGeneration(identityId, collectionId));
  const earlier = Array.from({ length: known ?? 0 }, (_, i) => streamAt(i + 1));
  const healed = await showAll(parts, earlier.slice(0, -1));
  if (!healed.ok) return healed;
  const replayed = await fromReadModel(parts, () => parts.readModel.streamWithKey(earlier, idempotencyKey));
  if (replayed !== null) {
    const generation = earlier.findIndex((stream) => replayed.type === 'pixbook' && stream.bookId === replayed.bookId) + 1;
    return ok(generation);
  }
  for (let generation = known ?? 1; generation <= limits.pixbookGenerations; generation++) {
    const stream = streamAt(generation);
    const shown = await shownNow(parts, stream, () =>
      parts.readModel.pixbookView({ stream, idempotencyKey, userId, identityId }),
    );
    if (!shown.ok) return shown;
    const { state, seen } = shown.value;
    if (state.status !== 'closed' || seen !== null) return ok(generation);
  }
  return err({ code: 'contended', detail: `an identity has at most ${limits.pixbookGenerations} pixbooks of one collection` });
};

/** Sees to it that the projection shows these streams: a wiped one heals by use, book by book, and a key may be of one that is not back yet. */
const showAll = async (parts: AppendParts, streams: readonly Stream[]): Promise<Result<void, AppendRefusal>> => {
  for (const stream of streams) {
    if ((await fromReadModel(parts, () => parts.readModel.head(stream))) !== null) continue;
    parts.memory.forget(prefixOf(stream));
    const touched = await touchStreams(parts, stream);
    if (!touched.ok) return touched;
  }
  return ok(undefined);
};

/** A stream's view, caught up; once more from the start where the projection shows less than this process had applied: it was wiped. */
const shownNow = async <State>(
  parts: AppendParts,
  stream: Stream,
  view: () => Promise<View<State>>,
): Promise<Result<View<State>, AppendRefusal>> => {
  for (let attempt = 0; attempt < limits.appendAttempts; attempt++) {
    const touched = await touchStreams(parts, stream);
    if (!touched.ok) return touched;
    const shown = await fromReadModel(parts, view);
    if (!parts.memory.isAheadOf(prefixOf(stream), shown.head)) return ok(shown);
    parts.memory.forget(prefixOf(stream));
  }
  throw new Outage('postgres', 'postgres-unavailable', 'the projection keeps changing under this command');
};
