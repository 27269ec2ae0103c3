import { maySignAs } from '../access/authorise.ts';
import { limits } from '../limits.ts';
import type { View } from '../port/read-model.ts';
import { type AccountId, type BookId, type IdentityId, bookIdFor } from '../receipt/ids.ts';
import type { JsonObject } from '../receipt/json.ts';
import { pixbookStream } from '../receipt/stream.ts';
import { type Result, err, ok } from '../result.ts';
import type { PixbookCommand } from '../stream/pixbook/command.ts';
import { decidePixbook } from '../stream/pixbook/decide.ts';
import type { PixbookEventType } from '../stream/pixbook/event.ts';
import type { PixbookState } from '../stream/pixbook/evolve.ts';
import { type AppendParts, append } from './append.ts';
import { fromReadModel } from './deadline.ts';
import type { Intent } from './intent.ts';
import type { AppendRefusal, CommandContext, CommandRefusal, LedgerCommands } from './ledger-commands.ts';
import { touchStreams } from './touch.ts';

type PixbookView = View<PixbookState>;

type PixbookRequest = {
  readonly accountId: AccountId;
  readonly bookId: BookId;
  /** The identity a new book is for; null for an existing book. */
  readonly identityId: IdentityId | null;
  readonly asked: { readonly type: PixbookEventType; readonly payload: JsonObject };
  readonly command: PixbookCommand;
};

/** The commands of pixbook streams. */
export const pixbookCommands = (parts: AppendParts): Pick<LedgerCommands, 'createPixbook' | 'save' | 'closePixbook'> => {
  const run = (context: CommandContext, request: PixbookRequest) => append(parts, intentOf(context, request));
  return {
    createPixbook: async (context, book) => {
      const found = await generationFor(parts, context, book);
      if (!found.ok) return found;
      const { identityId, collectionId } = book;
      const generation = found.value;
      return run(context, {
        accountId: book.accountId,
        bookId: bookIdFor(identityId, collectionId, generation),
        identityId,
        asked: { type: 'PIXBOOK_CREATED', payload: { identityId, collectionId } },
        command: { type: 'create-pixbook', identityId, collectionId, generation },
      });
    },
    save: (context, book, { state, baseEventId }) =>
      run(context, {
        ...book,
        identityId: null,
        asked: { type: 'PIXBOOK_SAVE', payload: { state, baseEventId } },
        command: { type: 'save', state, baseEventId },
      }),
    closePixbook: (context, book) =>
      run(context, {
        ...book,
        identityId: null,
        asked: { type: 'PIXBOOK_CLOSED', payload: {} },
        command: { type: 'close' },
      }),
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
  const replayed = await fromReadModel(parts, () => parts.readModel.streamWithKey(earlier, idempotencyKey));
  if (replayed !== null) {
    const generation = earlier.findIndex((stream) => replayed.type === 'pixbook' && stream.bookId === replayed.bookId) + 1;
    return ok(generation);
  }
  for (let generation = known ?? 1; generation <= limits.pixbookGenerations; generation++) {
    const stream = streamAt(generation);
    const touched = await touchStreams(parts, stream);
    if (!touched.ok) return touched;
    const { state, seen } = await fromReadModel(parts, () =>
      parts.readModel.pixbookView({ stream, idempotencyKey, userId, identityId }),
    );
    if (state.status !== 'closed' || seen !== null) return ok(generation);
  }
  return err({ code: 'contended', detail: `an identity has at most ${limits.pixbookGenerations} pixbooks of one collection` });
};

const intentOf = (context: CommandContext, request: PixbookRequest): Intent<PixbookState, null> => {
  const stream = pixbookStream(request.accountId, request.bookId);
  const { userId, idempotencyKey, ifMatch } = context;
  return {
    stream,
    idempotencyKey,
    ifMatch,
    asked: request.asked,
    view: (readModel) => readModel.pixbookView({ stream, idempotencyKey, userId, identityId: request.identityId }),
    authorise: (view) => authorise(context, request, view),
    prepare: async () => null,
    decide: ({ state }) => decidePixbook(state, request.command),
    stateOf: ({ state }) => ({ type: 'pixbook', state }),
    issuer: (view, ref) => (view.identity?.identityId === ref.identityId ? view.identity : null),
  };
};

const authorise = (
  { userId }: CommandContext,
  { accountId, identityId }: PixbookRequest,
  view: PixbookView,
): Result<void, CommandRefusal> => {
  const existing = identityId === null;
  const ours = view.identity?.accountId === accountId ? view.identity : null;
  const signs = maySignAs({ ...view, userId }, ours);
  // A book that is not there has no identity: outsiders and members alike are told there is no such resource.
  if (existing && view.state.status === 'absent') return err({ code: 'not-found', detail: 'there is no such resource' });
  return signs;
};
