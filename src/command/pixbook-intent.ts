import { maySignAs } from '../access/authorise.ts';
import type { Actor, IdentityRow, View } from '../port/read-model.ts';
import type { IdentityId } from '../receipt/ids.ts';
import type { JsonObject } from '../receipt/json.ts';
import { pixbookStream } from '../receipt/stream.ts';
import { type Result, err, ok } from '../result.ts';
import type { Signatory } from '../stream/fold.ts';
import type { PixbookCommand } from '../stream/pixbook/command.ts';
import { type Concerns, concernsOfCommand } from '../stream/pixbook/concerns.ts';
import { decidePixbook } from '../stream/pixbook/decide.ts';
import type { PixbookEventType } from '../stream/pixbook/event.ts';
import type { PixbookState } from '../stream/pixbook/state.ts';
import { type Intent, actingIssuer, askingAs } from './intent.ts';
import type { Book, CommandContext, CommandRefusal } from './ledger-commands.ts';

export type PixbookView = View<PixbookState>;

/** Who asks; the service itself has no user. */
export type PixbookContext = Omit<CommandContext, 'userId'> & { readonly userId: CommandContext['userId'] | null };

/** What differs from one pixbook command to the next. */
export type PixbookRequest = {
  readonly book: Book;
  /** The identity a new book is for; absent for an existing book. */
  readonly newFor?: IdentityId;
  /** Whose word it is, when it is not the book's own identity's. */
  readonly actor?: Actor;
  readonly asked: { readonly type: PixbookEventType; readonly payload: JsonObject };
  readonly authorise?: (view: PixbookView) => Result<void, CommandRefusal>;
  /** What must be seen before the command is known; by default what the command itself needs. */
  readonly concerns?: Concerns;
  readonly command: PixbookCommand | ((view: PixbookView) => Promise<Result<PixbookCommand, CommandRefusal>>);
};

/** A command of a pixbook's stream on its way to a receipt. By default its own identity signs, and the user must be allowed to. */
export const pixbookIntent = (
  context: PixbookContext,
  request: PixbookRequest,
): Intent<PixbookState, Result<PixbookCommand, CommandRefusal>> => {
  const { book, command, actor = null } = request;
  const stream = pixbookStream(book.accountId, book.bookId);
  const { userId, idempotencyKey, ifMatch } = context;
  const concerns = request.concerns ?? (typeof command === 'function' ? undefined : concernsOfCommand(command));
  return {
    ...{ stream, idempotencyKey, ifMatch, asked: request.asked },
    ...(actor === null ? {} : { restsOn: [actor.accountId] }),
    view: (readModel) =>
      readModel.pixbookView({
        ...{ stream, idempotencyKey, userId, identityId: request.newFor ?? null, actor },
        ...(concerns === undefined ? {} : { concerns }),
      }),
    authorise: (view) => {
      const allowed = (request.authorise ?? ownSignature(context, book))(view);
      // A book that is not there has no identity: outsiders and members alike are told there is no such resource.
      return request.newFor === undefined && view.state.status === 'absent' ? noSuchBook : allowed;
    },
    prepare: async (view) => (typeof command === 'function' ? command(view) : ok(command)),
    decide: ({ state }, prepared, here) => (prepared.ok ? decidePixbook(state, prepared.value, here) : prepared),
    stateOf: ({ state }) => ({ type: 'pixbook', state }),
    issuer: (view, signatory) => ownIdentity(view, signatory) ?? actingIssuer(view, signatory),
  };
};

/** May the user sign as the book's identity? */
export const ownSignature =
  ({ userId }: PixbookContext, { accountId }: Book) =>
  (view: PixbookView): Result<void, CommandRefusal> =>
    maySignAs({ ...view, userId }, view.identity?.accountId === accountId ? view.identity : null);

/** May the user sign as the acting identity? */
export const actingSignature =
  ({ userId }: PixbookContext) =>
  (view: PixbookView): Result<void, CommandRefusal> =>
    maySignAs(askingAs(userId, view), view.acting?.identity ?? null);

/** The service carries on what was consented to before: it needs nobody's leave, but a revoked identity says nothing new. */
export const serviceWord = ({ acting, seen }: PixbookView): Result<void, CommandRefusal> =>
  seen !== null || acting?.identity?.status === 'active'
    ? ok(undefined)
    : err({ code: 'identity-revoked', detail: 'the identity is revoked; its history stays readable' });

const ownIdentity = ({ identity }: PixbookView, signatory: Signatory): IdentityRow | null =>
  identity?.identityId === signatory.identityId && identity.accountId === signatory.accountId ? identity : null;

const noSuchBook: Result<never, CommandRefusal> = err({ code: 'not-found', detail: 'there is no such resource' });
