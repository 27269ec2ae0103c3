import { limits } from '../limits.ts';
import { project } from '../projection/project.ts';
import { type Head, headOf, nextPosition } from '../receipt/chain.ts';
import { type AccountId, type IdempotencyKey, OPERATOR_ACCOUNT_ID } from '../receipt/ids.ts';
import { type KeyHistory, emptyKeyHistory, isGenesis, keyHistoryOf } from '../receipt/key-history.ts';
import { keyAt, prefixOf } from '../receipt/key-path.ts';
import { type ReadReceipt, readReceipt } from '../receipt/read.ts';
import { type Stream, accountStream } from '../receipt/stream.ts';
import { type ReceiptFault, verifyGenesis, verifyRead } from '../receipt/verify.ts';
import { type Result, err, ok } from '../result.ts';
import { type LedgerEvent, eventOf } from '../stream/event.ts';
import { type StreamState, isPixbookEvent, requiredIssuer } from '../stream/fold.ts';
import { type Concerns, concernsNothing, concernsOfEvent, noConcerns } from '../stream/pixbook/concerns.ts';
import { type ReplayFault, replayStep } from '../stream/replay-step.ts';
import { fromReadModel, fromStore } from './deadline.ts';
import type { CommandPorts } from './ports.ts';

/** The store holds something that is not the next receipt: nobody may extend this stream until an operator has looked. */
export type StreamBroken = {
  readonly code: 'stream-broken';
  readonly stream: string;
  readonly fault:
    | ReceiptFault
    | ReplayFault
    | { readonly code: 'projection-different' | 'unexpected-object'; readonly detail: string };
};

/** Where a stream ends, and how many of its receipts were read from the store to get there. */
export type CaughtUp = { readonly head: Head | null; readonly applied: number };

/**
 * Applies to the projection what the store has beyond its head: point reads of computed keys until one is absent, or LIST with start-after
 * once the gap proves long. Each receipt is read strictly, verified and replayed by the same rules as in `verify`. Safe to run
 * at any time, by anyone, any number of times at once: applying is keyed by position. Throws `Outage`.
 */
export const catchUp = async (ports: CommandPorts, stream: Stream): Promise<Result<CaughtUp, StreamBroken>> => {
  let applied = 0;
  let head = await fromReadModel(ports, () => ports.readModel.head(stream));
  let state: StreamState | null = null;
  for (let gap = 0; ; gap++) {
    const found = await nextObjects(ports, stream, head, gap);
    if (!found.ok) return found;
    if (found.value.length === 0) return ok({ head, applied });
    for (const { key, bytes } of found.value) {
      const step = await verifyNext(ports, stream, { key, bytes }, head, state);
      if (!step.ok) return step;
      // A rival applied the very receipts that were just found: go on from where the projection is now.
      if (step.value === 'moved') return catchUp(ports, stream);
      const projected = project(step.value.read);
      if (!projected.ok) return broken(stream, projected.error);
      const next = headOf(step.value.read);
      // A crash before, in or after this: the next catch-up finds the head where it is and goes on from there.
      const outcome = await fromReadModel(ports, () => ports.readModel.apply({ stream, head: next, projected: projected.value }));
      if (outcome === 'different')
        return broken(stream, { code: 'projection-different', detail: `another receipt is applied at ${next.position}` });
      if (outcome === 'behind') return catchUp(ports, stream); // the projection was wiped or restored under our hands
      head = next;
      applied++;
      state = step.value.state;
    }
  }
};

type Found = { readonly key: string; readonly bytes: Uint8Array };

/** The next objects of a stream, in order; none when it ends here. */
const nextObjects = async (
  ports: CommandPorts,
  stream: Stream,
  head: Head | null,
  gap: number,
): Promise<Result<readonly Found[], StreamBroken>> => {
  const position = nextPosition(head);
  const read = (key: string): Promise<Uint8Array | null> => fromStore(ports, () => ports.store.read(key));
  if (gap < limits.pointReadGapReceipts) {
    const key = keyAt(stream, position);
    const bytes = await read(key);
    return ok(bytes === null ? [] : [{ key, bytes }]);
  }
  const prefix = `${prefixOf(stream)}/events/`;
  const startAfter = head === null ? prefix : keyAt(stream, head.position);
  const keys = await fromStore(ports, () => ports.store.list({ prefix, startAfter, limit: limits.parallelReads }));
  const stranger = keys.findIndex((key, i) => key !== keyAt(stream, position + i));
  if (stranger >= 0)
    return broken(stream, {
      code: 'unexpected-object',
      detail: `${keys[stranger]} is not the key of position ${position + stranger}`,
    });
  const objects = await Promise.all(keys.map(async (key) => ({ key, bytes: await read(key) })));
  return ok(objects.flatMap(({ key, bytes }) => (bytes === null ? [] : [{ key, bytes }])));
};

type Verified = { readonly read: ReadReceipt; readonly state: StreamState };

const verifyNext = async (
  ports: CommandPorts,
  stream: Stream,
  { key, bytes }: Found,
  head: Head | null,
  known: StreamState | null,
): Promise<Result<Verified | 'moved', StreamBroken>> => {
  const read = readReceipt(bytes, key);
  if (!read.ok) return broken(stream, read.error);
  const event = eventOf(read.value.receipt);
  if (!event.ok) return broken(stream, event.error);
  const state = await stateFor(ports, stream, event.value, head, known);
  if (state === null) return ok('moved');
  const signatory = requiredIssuer(state, stream, event.value);
  const keys = await keysFor(ports, read.value, bytes, key, signatory.ok ? signatory.value.accountId : null);
  if (!keys.ok) return keys;
  const verified = verifyRead(read.value, head, keys.value);
  if (!verified.ok) return broken(stream, verified.error);
  const step = replayStep(state, verified.value.receipt, keys.value);
  return step.ok ? ok({ read: verified.value, state: step.value.state }) : broken(stream, step.error);
};

/** The key behind the issuer, from the projection of its account's stream; for genesis, from genesis itself if it is the trusted one. */
const keysFor = async (
  ports: CommandPorts,
  { receipt, position }: ReadReceipt,
  bytes: Uint8Array,
  key: string,
  signatory: AccountId | null,
): Promise<Result<KeyHistory, StreamBroken>> => {
  if (isGenesis(receipt, position)) {
    const keys = emptyKeyHistory();
    const genesis = verifyGenesis(bytes, key, keys, ports.trust);
    return genesis.ok ? ok(keys) : broken(receipt.stream, genesis.error);
  }
  const { identityId, publicKeyId } = receipt.issuer;
  const lookUp = () => fromReadModel(ports, () => ports.readModel.keyRecord(identityId, publicKeyId));
  let record = await lookUp();
  const isForeign = signatory !== null && prefixOf(accountStream(signatory)) !== prefixOf(receipt.stream);
  if (record === null && isForeign) {
    // Another account's identity signed this, and its stream may not be projected (yet, or any more).
    const caughtUp = await catchUp(ports, accountStream(signatory));
    if (!caughtUp.ok) return caughtUp;
    record = await lookUp();
  }
  return ok(keyHistoryOf(record === null ? [] : [record]));
};

/**
 * The state before an event, at `head`; null when the projection has moved on. What is known from the receipt before will do, unless the event
 * concerns a part of the book that must be looked up.
 */
const stateFor = async (
  ports: CommandPorts,
  stream: Stream,
  event: LedgerEvent,
  head: Head | null,
  known: StreamState | null,
): Promise<StreamState | null> => {
  const concerns = stream.type === 'pixbook' && isPixbookEvent(event) ? concernsOfEvent(event) : noConcerns;
  if (known !== null && concernsNothing(concerns)) return known;
  // Head and state must be of one snapshot.
  const shown = await shownBy(ports, stream, concerns);
  return nextPosition(shown.head) === nextPosition(head) ? shown.state : null;
};

const ANY_KEY = '-' as IdempotencyKey;

/** Head and state of a stream as the projection shows them, in one snapshot. */
const shownBy = async (
  ports: CommandPorts,
  stream: Stream,
  concerns: Concerns,
): Promise<{ head: Head | null; state: StreamState }> => {
  const rest = { idempotencyKey: ANY_KEY, userId: null, identityId: null };
  switch (stream.type) {
    case 'account': {
      const { head, state } = await fromReadModel(ports, () => ports.readModel.accountView({ stream, ...rest }));
      return { head, state: { type: 'account', state } };
    }
    case 'pixbook': {
      const { head, state } = await fromReadModel(ports, () => ports.readModel.pixbookView({ stream, concerns, ...rest }));
      return { head, state: { type: 'pixbook', state } };
    }
    case 'collection': {
      const { head, state } = await fromReadModel(ports, () => ports.readModel.collectionView({ stream, ...rest }));
      return { head, state: { type: 'collection', state } };
    }
    case 'code': {
      const { head, state } = await fromReadModel(ports, () => ports.readModel.codeView({ stream, ...rest }));
      return { head, state: { type: 'code', state } };
    }
  }
};

const broken = (stream: Stream, fault: StreamBroken['fault']): Result<never, StreamBroken> =>
  err({ code: 'stream-broken', stream: prefixOf(stream), fault });

/** The streams a command's authority rests on, in the order in which they must be caught up, the stream itself last. */
export const streamsBehind = (stream: Stream, restsOn: readonly AccountId[] = []): readonly Stream[] => {
  const own = stream.type === 'account' || stream.type === 'pixbook' ? [stream.accountId] : [];
  const accounts = new Set([OPERATOR_ACCOUNT_ID, ...restsOn, ...own]);
  const behind = [...accounts].map(accountStream);
  return stream.type === 'account' ? behind : [...behind, stream];
};
