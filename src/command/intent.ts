import type { Asking } from '../access/authorise.ts';
import type { IdentityRow, ReadModel, View } from '../port/read-model.ts';
import type { AccountId, IdempotencyKey, ReceiptHash, UserId } from '../receipt/ids.ts';
import type { JsonObject } from '../receipt/json.ts';
import type { Stream } from '../receipt/stream.ts';
import type { Result } from '../result.ts';
import type { LedgerEvent } from '../stream/event.ts';
import type { Signatory, StreamState } from '../stream/fold.ts';
import type { Here } from '../stream/here.ts';
import type { CommandRefusal } from './ledger-commands.ts';

/**
 * One command on its way to a receipt: what the append path must know and nothing of how it came in. `State` is what the stream's rules see,
 * `Prepared` what must exist before the decision (a new key pair).
 */
export type Intent<State = unknown, Prepared = unknown> = {
  readonly stream: Stream;
  readonly idempotencyKey: IdempotencyKey;
  readonly ifMatch: ReceiptHash | null;
  /** What the client asked for, in the words of the event: it makes the fingerprint (see `requestedPart`). */
  readonly asked: { readonly type: LedgerEvent['type']; readonly payload: JsonObject };
  readonly view: (readModel: ReadModel) => Promise<View<State>>;
  /** May the user do this? Runs before the idempotency key is looked at. */
  readonly authorise: (view: View<State>) => Result<void, CommandRefusal>;
  /** Side effects that a decision needs and that may happen twice: idempotent, and harmless when no receipt follows. */
  readonly prepare: (view: View<State>) => Promise<Prepared>;
  readonly decide: (view: View<State>, prepared: Prepared, here: Here) => Result<LedgerEvent, CommandRefusal>;
  readonly stateOf: (view: View<State>) => StreamState;
  /** Accounts besides the stream's own whose word the command takes: caught up before the view. */
  readonly restsOn?: readonly AccountId[];
  /** The identity that signs: the one `requiredIssuer` names (any of its account where it names none), as the view shows it. */
  readonly issuer: (view: View<State>, signatory: Signatory) => IdentityRow | null;
};

/** The user as the actor's account shows them. */
export const askingAs = (userId: UserId | null, { acting }: View<unknown>): Asking => ({
  userId,
  role: acting?.role ?? null,
  accountStatus: acting?.accountStatus ?? 'absent',
});

/** The acting identity, where it is the one whose word is needed. */
export const actingIssuer = ({ acting }: View<unknown>, { accountId, identityId }: Signatory): IdentityRow | null => {
  const identity = acting?.identity ?? null;
  const fits = identity?.accountId === accountId && (identityId === null || identity.identityId === identityId);
  return fits ? identity : null;
};
