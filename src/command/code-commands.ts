import { maySignAs } from '../access/authorise.ts';
import { Outage } from '../port/outage.ts';
import type { Actor, BookRef, View } from '../port/read-model.ts';
import { type CodeId, OPERATOR_ACCOUNT_ID } from '../receipt/ids.ts';
import type { JsonObject } from '../receipt/json.ts';
import { prefixOf } from '../receipt/key-path.ts';
import { codeStream, pixbookStream } from '../receipt/stream.ts';
import { type Result, err, ok } from '../result.ts';
import type { CodeCommand } from '../stream/code/command.ts';
import { decideCode } from '../stream/code/decide.ts';
import type { CodeEvent, CodeEventType } from '../stream/code/event.ts';
import type { CodeState } from '../stream/code/state.ts';
import { poolOf } from '../stream/collection/draw.ts';
import { type AppendParts, append } from './append.ts';
import { authoriseIssuer } from './collection-commands.ts';
import type { Collections } from './collections.ts';
import { fromReadModel } from './deadline.ts';
import { derivedKey } from './derived-key.ts';
import { type Intent, actingIssuer, askingAs } from './intent.ts';
import type { Book, CommandContext, CommandOutcome, CommandRefusal, LedgerCommands } from './ledger-commands.ts';
import { bookAt } from './look-up.ts';
import type { PackIssue } from './pack-commands.ts';

type CodeView = View<CodeState>;

type CodeRequest = {
  readonly codeId: CodeId;
  readonly asked: { readonly type: CodeEventType; readonly payload: JsonObject };
  readonly actor: Actor;
  readonly authorise: (view: CodeView) => Result<void, CommandRefusal>;
  readonly command: (view: CodeView) => Promise<Result<CodeCommand, CommandRefusal>>;
};

type CodeCommands = Pick<LedgerCommands, 'createCode' | 'revokeCode' | 'claimCode'>;

/** The commands of code streams. `issuePack` follows a claim. */
export const codeCommands = (
  parts: AppendParts,
  collections: Collections,
  issuePack: (issue: PackIssue) => Promise<CommandOutcome>,
): CodeCommands => {
  const run = (context: CommandContext, request: CodeRequest) => append(parts, intentOf(context, request));
  return {
    createCode: (context, { identityId, codeId, collectionId, dropId, batchId }) => {
      const payload = { collectionId, dropId, batchId };
      return run(context, {
        ...{ codeId, asked: { type: 'CODE_CREATED', payload } },
        actor: { accountId: OPERATOR_ACCOUNT_ID, identityId },
        authorise: (view) => authoriseIssuer(context, view),
        command: async () => {
          const open = await dropIsOpen(collections, collectionId, dropId);
          return open.ok ? ok({ type: 'create-code', ...payload }) : open;
        },
      });
    },
    revokeCode: (context, { identityId, codeId }) =>
      run(context, {
        ...{ codeId, asked: { type: 'CODE_REVOKED', payload: {} } },
        actor: { accountId: OPERATOR_ACCOUNT_ID, identityId },
        authorise: (view) => authoriseIssuer(context, view),
        command: async () => ok({ type: 'revoke-code' }),
      }),
    claimCode: async (context, book, codeId) => {
      const found = await bookAt(parts, book);
      if (!found.ok) return found;
      const claimed = await claim(run, collections, context, { book, ref: found.value, codeId });
      if (!claimed.ok && claimed.error.code !== 'code-claimed') return claimed;
      const pending = claimed.ok ? ok({ ...claimed.value, projection: 'pending' as const }) : claimed;
      try {
        // A crash here: the claim's receipt has put the pack into the redo outbox, and a retry comes this way again.
        const issue = await claimOf(parts, codeId, book);
        if (issue === null) return pending;
        const issued = await issuePack(issue);
        const target = prefixOf(pixbookStream(book.accountId, book.bookId));
        if (issued.ok) parts.followed?.({ eventId: issue.claim.eventId, target, kind: 'issue-code-pack' });
        return issued;
      } catch (error) {
        // The claim is durable: that its pack must wait is no failure.
        if (claimed.ok && error instanceof Outage) return pending;
        throw error;
      }
    },
  };
};

type Claim = { readonly book: Book; readonly ref: BookRef | null; readonly codeId: CodeId };
type Run = (context: CommandContext, request: CodeRequest) => Promise<CommandOutcome>;

/** The claimant's key is theirs in the code's stream too, which they share with everybody who ever tries this code. */
const claim = (run: Run, collections: Collections, context: CommandContext, { book, ref, codeId }: Claim) => {
  const { accountId, bookId } = book;
  if (ref === null) return Promise.resolve(err(noSuchBook));
  const { identityId, generation } = ref;
  const idempotencyKey = derivedKey(`${bookId} ${context.idempotencyKey}`, prefixOf(codeStream(codeId)));
  return run(
    { ...context, idempotencyKey, ifMatch: null },
    {
      ...{ codeId, asked: { type: 'CODE_CLAIMED', payload: { accountId, bookId } } },
      actor: { accountId, identityId },
      authorise: (view) => maySignAs(askingAs(context.userId, view), view.acting?.identity ?? null),
      command: async ({ state }) => {
        if (ref.status === 'closed') return err({ code: 'pixbook-closed', detail: 'the pixbook is closed' });
        if (state.status === 'open') {
          const open = await dropIsOpen(collections, state.collectionId, state.dropId);
          if (!open.ok) return open;
          // The claim would use the code up, and bring nothing.
          if (open.value.pool < open.value.packSize) return err(poolTooSmall);
        }
        return ok({ type: 'claim-code', accountId, identityId, bookId, generation, collectionId: ref.collectionId });
      },
    },
  );
};

/** The pack that follows from a code's claim, if it was claimed for this book. */
const claimOf = async (parts: AppendParts, codeId: CodeId, book: Book): Promise<PackIssue | null> => {
  const stream = codeStream(codeId);
  const request = { stream, idempotencyKey: derivedKey(codeId, 'look'), userId: null, identityId: null };
  const { state } = await fromReadModel(parts, () => parts.readModel.codeView(request));
  if (state.status !== 'claimed' || state.claim.bookId !== book.bookId || state.claim.accountId !== book.accountId) return null;
  const { eventId, hash } = state.claim;
  return { book, dropId: state.dropId, claim: { codeId, eventId, hash } };
};

const noSuchBook: CommandRefusal = { code: 'not-found', detail: 'there is no such resource' };

/** An open drop: how many cards its packs hold, and how many there are to draw from. */
const dropIsOpen = async (
  collections: Collections,
  ...[collectionId, dropId]: [Parameters<Collections['of']>[0], Parameters<Collections['seedOf']>[1]]
): Promise<Result<{ readonly packSize: number; readonly pool: number }, CommandRefusal>> => {
  const seen = await collections.of(collectionId);
  if (!seen.ok) return seen;
  const { state } = seen.value;
  if (state.status === 'absent') return err({ code: 'collection-missing', detail: 'there is no such collection' });
  const drop = state.drops.get(dropId);
  if (drop === undefined) return err({ code: 'drop-missing', detail: 'the collection has no such drop' });
  return drop.status === 'open'
    ? ok({ packSize: drop.packSize, pool: poolOf(state).length })
    : err({ code: 'drop-closed', detail: 'the drop is closed' });
};

const poolTooSmall: CommandRefusal = {
  code: 'pool-too-small',
  detail: 'there are not enough cards left to draw a pack from: the others are retired',
};

const intentOf = (context: CommandContext, request: CodeRequest): Intent<CodeState, Result<CodeCommand, CommandRefusal>> => {
  const stream = codeStream(request.codeId);
  const { userId, idempotencyKey, ifMatch } = context;
  const { actor, asked, authorise } = request;
  return {
    ...{ stream, idempotencyKey, ifMatch, asked, authorise },
    restsOn: [actor.accountId],
    view: (readModel) => readModel.codeView({ stream, idempotencyKey, userId, identityId: null, actor }),
    prepare: request.command,
    decide: ({ state }, command): Result<CodeEvent, CommandRefusal> => (command.ok ? decideCode(state, command.value) : command),
    stateOf: ({ state }) => ({ type: 'code', state }),
    issuer: actingIssuer,
  };
};
