import { limits } from '../limits.ts';
import { Outage } from '../port/outage.ts';
import type { Seen, View } from '../port/read-model.ts';
import type { RedoItem } from '../port/redo-outbox.ts';
import { fingerprintOf, project } from '../projection/project.ts';
import { headOf, nextPosition } from '../receipt/chain.ts';
import { eventIdAt, keyOf, prefixOf } from '../receipt/key-path.ts';
import { readReceipt } from '../receipt/read.ts';
import { type Result, err, ok } from '../result.ts';
import { evolveStream, requiredIssuer } from '../stream/fold.ts';
import { type ProjectedReceipt, applyDurable } from './apply.ts';
import { backOff } from './backoff.ts';
import { type CommitOutcome, commitReceipt } from './commit.ts';
import { fromReadModel, fromStore } from './deadline.ts';
import type { Intent } from './intent.ts';
import type { Acknowledged, AppendRefusal, CommandOutcome, CommandRefusal } from './ledger-commands.ts';
import type { CommandPorts } from './ports.ts';
import { createdAtAfter, signNext } from './sign-receipt.ts';
import type { StreamMemory } from './stream-memory.ts';
import type { StreamQueue } from './stream-queue.ts';
import { touchStreams } from './touch.ts';

export type AppendParts = CommandPorts & {
  readonly queue: StreamQueue;
  readonly memory: StreamMemory;
  /** Told when a command has done what a redo item asks for. Best effort: the redo worker would find it done. */
  readonly followed?: (item: RedoItem) => void;
};

/**
 * THE PATH: one command to one receipt (receipt.md §5). Answers once the receipt is durable; a refusal has written nothing. Throws `Outage`
 * when a dependency is missing before the create, never after it.
 */
export const append = async <State, Prepared>(parts: AppendParts, intent: Intent<State, Prepared>): Promise<CommandOutcome> => {
  const queued = parts.queue.run(prefixOf(intent.stream), () => appendInTurn(parts, intent));
  return queued ?? refuse('queue-full', 'too many commands wait for this stream; try again');
};

/** Refusals that no other look at the stream would change. */
const FINAL: ReadonlySet<CommandRefusal['code']> = new Set([
  ...(['idempotency-key-reused', 'receipt-too-large', 'contended', 'outcome-unknown', 'stream-stopped'] as const),
]);

/**
 * A refusal must rest on what the store holds now: a process on another Postgres may have gone on with the stream, this very command included,
 * since this one caught it up. So it is looked at once more before the command is refused: one read of the store.
 */
const appendInTurn = async <State, Prepared>(parts: AppendParts, intent: Intent<State, Prepared>): Promise<CommandOutcome> => {
  const outcome = await appendAsKnown(parts, intent);
  if (outcome.ok || FINAL.has(outcome.error.code)) return outcome;
  parts.memory.forget(prefixOf(intent.stream));
  return appendAsKnown(parts, intent);
};

const appendAsKnown = async <State, Prepared>(parts: AppendParts, intent: Intent<State, Prepared>): Promise<CommandOutcome> => {
  for (let attempt = 0; attempt < limits.appendAttempts; attempt++) {
    if (attempt > 0) await backOff(parts.clock, attempt);
    const shown = await look(parts, intent);
    if (!shown.ok) return shown;
    const view = shown.value;

    const authorised = intent.authorise(view);
    if (!authorised.ok) return authorised;
    if (view.seen !== null) return recognise(intent, view.seen);
    if (intent.ifMatch !== null && intent.ifMatch !== view.head?.hash)
      return refuse('head-mismatch', 'the head is not the one If-Match names; read it and try again');

    const made = await make(parts, intent, view);
    if (!made.ok) return made;
    const outcome = await commitReceipt(parts, keyOf(intent.stream, made.value.receipt.eventId), made.value.bytes);
    if (outcome === 'durable') return ok(await acknowledge(parts, intent, made.value));
    const over = await afterFailure(parts, intent, outcome);
    if (over !== null) return over;
  }
  return refuse('contended', 'other commands won every position that was tried; try again with the same key');
};

/** Head, idempotency row and state in one snapshot, of streams this process has caught up. */
const look = async <State, Prepared>(
  parts: AppendParts,
  intent: Intent<State, Prepared>,
): Promise<Result<View<State>, AppendRefusal>> => {
  for (let attempt = 0; attempt < limits.appendAttempts; attempt++) {
    const touched = await touchStreams(parts, intent.stream, intent.restsOn);
    if (!touched.ok) return touched;
    const view = await fromReadModel(parts, () => intent.view(parts.readModel));
    // A projection that was swapped, wiped or restored shows less than the store holds: forget, catch up, look again.
    if (!parts.memory.startsAnew(view.epoch) && !shrank(parts, intent, view)) return ok(view);
  }
  throw new Outage('postgres', 'postgres-unavailable', 'the projection keeps changing under this command');
};

const shrank = (parts: AppendParts, { stream }: Pick<Intent, 'stream'>, view: View<unknown>): boolean => {
  const own = parts.memory.isAheadOf(prefixOf(stream), view.head);
  const account = 'accountId' in stream ? prefixOf({ type: 'account', accountId: stream.accountId }) : null;
  const tenant = account !== null && view.accountStatus === 'absent' && parts.memory.isAheadOf(account, null);
  if (own) parts.memory.forget(prefixOf(stream));
  if (tenant && account !== null) parts.memory.forget(account);
  return own || tenant;
};

/** A key that was used before: the original answer for the same request, a refusal for another. */
const recognise = (intent: Pick<Intent, 'asked' | 'stream'>, seen: Seen): CommandOutcome =>
  fingerprintOf(intent.asked).equals(seen.fingerprint)
    ? ok(acknowledgement(intent, seen, 'applied', true))
    : refuse('idempotency-key-reused', 'this Idempotency-Key belongs to another request; use a new one');

/** Decides, signs and rehearses the receipt: everything that can fail without a trace fails here. */
const make = async <State, Prepared>(
  parts: AppendParts,
  intent: Intent<State, Prepared>,
  view: View<State>,
): Promise<Result<ProjectedReceipt, Extract<CommandOutcome, { ok: false }>['error']>> => {
  const prepared = await intent.prepare(view);
  const here = { eventId: eventIdAt(intent.stream, nextPosition(view.head)), at: createdAtAfter(parts.clock, view.head) };
  const decided = intent.decide(view, prepared, here);
  if (!decided.ok) return decided;
  const event = decided.value;
  const before = intent.stateOf(view);
  const required = requiredIssuer(before, intent.stream, event);
  const issuer = required.ok ? intent.issuer(view, required.value) : null;
  if (issuer === null) throw new Error(`no issuer for ${event.type} in ${prefixOf(intent.stream)}`);

  const [stored, predecessorIsThere] = await Promise.all([
    signNext(parts, { ...here, stream: intent.stream, head: view.head, event, idempotencyKey: intent.idempotencyKey, issuer }),
    predecessorExists(parts, intent, view),
  ]);
  if (!predecessorIsThere) return lostReceipt(parts, intent, view);
  if (stored.bytes.length > limits.receiptBytes)
    return refuse('receipt-too-large', `the receipt would be over ${limits.receiptBytes} bytes`);
  // The rehearsal: what could not be read, replayed or projected must never become durable.
  const readable = readReceipt(stored.bytes, keyOf(intent.stream, stored.receipt.eventId));
  const evolved = evolveStream(before, intent.stream, event, { ...here, hash: stored.receipt.hash });
  const projected = project(stored);
  if (!readable.ok || !evolved.ok || !projected.ok) throw new Error(`${event.type} would not replay`);
  return ok({ ...stored, projected: projected.value });
};

/** HEAD of the predecessor, unless this process read or wrote it a moment ago: extending a lost receipt would bury the loss. */
const predecessorExists = async (
  parts: AppendParts,
  { stream }: Pick<Intent, 'stream'>,
  { head }: View<unknown>,
): Promise<boolean> => {
  if (head === null || parts.memory.trusts(prefixOf(stream), head)) return true;
  const there = await fromStore(parts, () => parts.store.exists(keyOf(stream, head.eventId)));
  if (there) parts.memory.remember(prefixOf(stream), head, true);
  return there;
};

const lostReceipt = (parts: AppendParts, { stream }: Pick<Intent, 'stream'>, { head }: View<unknown>) => {
  const detail = `receipt ${head?.eventId} is applied but not in the store`;
  parts.notify({ level: 'alarm', code: 'store-lost-receipt', stream: prefixOf(stream), detail });
  return refuse('stream-stopped', 'the store has lost a receipt of this stream; an operator must look');
};

/** The receipt is durable: from here on nothing may turn the answer into a failure. */
const acknowledge = async (
  parts: AppendParts,
  intent: Pick<Intent, 'stream'>,
  stored: ProjectedReceipt,
): Promise<Acknowledged> => {
  const projection = await applyDurable(parts, intent.stream, stored);
  return acknowledgement(intent, headOf(stored), projection, false);
};

const acknowledgement = (
  { stream }: Pick<Intent, 'stream'>,
  { eventId, hash, position }: Pick<Acknowledged, 'eventId' | 'hash' | 'position'>,
  projection: Acknowledged['projection'],
  replayed: boolean,
): Acknowledged => ({ eventId, hash, position, stream, projection, replayed });

/** Null means: look again and try the next position. */
const afterFailure = async (
  parts: AppendParts,
  { stream }: Pick<Intent, 'stream'>,
  outcome: Exclude<CommitOutcome, 'durable'>,
): Promise<CommandOutcome | null> => {
  const prefix = prefixOf(stream);
  if (outcome === 'busy') return null;
  if (outcome === 'unknown') {
    parts.memory.forget(prefix);
    parts.notify({
      level: 'warning',
      code: 'outcome-unknown',
      stream: prefix,
      detail: 'a create may or may not have been applied',
    });
    return refuse('outcome-unknown', 'the receipt may or may not come to exist; repeat the request with the same key');
  }
  parts.notify({ level: 'warning', code: 'position-lost', stream: prefix, detail: 'another receipt took the position' });
  parts.memory.forget(prefix);
  return null; // the next look catches up, and finds the rival's receipt, or our own from an earlier life
};

const refuse = (code: AppendRefusal['code'], detail: string): Result<never, AppendRefusal> => err({ code, detail });
