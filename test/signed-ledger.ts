import type { KeyName, Signer } from '../src/port/signer.ts';
import { type Head, headOf, nextPosition } from '../src/receipt/chain.ts';
import { publicKeyIdOf } from '../src/receipt/hash.ts';
import { type IdempotencyKey, type IdentityId, OPERATOR_IDENTITY_ID, instantOf } from '../src/receipt/ids.ts';
import { eventIdAt, prefixOf } from '../src/receipt/key-path.ts';
import { type StoredReceipt, type UnsignedReceipt, sealReceipt, signedBytesOf } from '../src/receipt/receipt.ts';
import { toLowS } from '../src/receipt/signature.ts';
import { type Stream, accountStream } from '../src/receipt/stream.ts';
import { type Result, ok } from '../src/result.ts';
import type { LedgerEvent } from '../src/stream/event.ts';
import { type IdentityRef, type StreamState, emptyStream, evolveStream, requiredIssuer } from '../src/stream/fold.ts';
import type { Here } from '../src/stream/here.ts';
import type { IllegalEvent } from '../src/stream/refusal.ts';

/** Choices a test may make for one receipt; what is left out is different for each receipt and the same in every run. */
export type ReceiptChoices = {
  readonly key?: IdempotencyKey;
  readonly atMs?: number;
  /** Of what any identity of the operator's account may sign: the one that does. The operator's own when left out. */
  readonly issuer?: IdentityId;
};

/** Receipts as the append would write them, of events that somebody else decides. */
export type SignedLedger = {
  /** Every receipt, in the order in which they were made. */
  readonly receipts: readonly StoredReceipt[];
  readonly receiptsOf: (stream: Stream) => readonly StoredReceipt[];
  readonly stateOf: (stream: Stream) => StreamState;
  readonly headOf: (stream: Stream) => Head | null;
  /** The time of the next receipt, in milliseconds since 1970. */
  readonly nowMs: () => number;
  /** The next receipt is made at this time or later, and those after it follow. */
  readonly waitUntil: (atMs: number) => void;
  /** The idempotency key of the next receipt: ids may follow from it. */
  readonly nextKey: () => IdempotencyKey;
  /** Where the next receipt of a stream will be. */
  readonly hereIn: (stream: Stream, choices?: ReceiptChoices) => Here;
  /** Which of its keys an identity has by now. */
  readonly generationOf: (identity: IdentityRef) => number;
  /** Standard base64 of the SPKI DER that the signer has, or makes, for a key of an identity. */
  readonly publicKeyOf: (identityId: IdentityId, generation: number) => Promise<string>;
  /** A signed receipt that follows the head; the ledger does not take it in. */
  readonly build: (stream: Stream, signer: IdentityRef, event: LedgerEvent, choices?: ReceiptChoices) => Promise<StoredReceipt>;
  /** Signed by whom the event asks for, and taken in. Errors: `illegal-event` when it cannot come here. */
  readonly append: (stream: Stream, event: LedgerEvent, choices?: ReceiptChoices) => Promise<Result<StoredReceipt, IllegalEvent>>;
};

const START_MS = Date.UTC(2026, 0, 1);
const SPACING_MS = 1_000;

/** An empty ledger. Keys come from `signer` and are named as the append names them; `keyOf` makes the idempotency key of the n-th receipt. */
export const signedLedger = (signer: Signer, keyOf: (n: number) => IdempotencyKey): SignedLedger => {
  const receipts: StoredReceipt[] = [];
  const streams = new Map<string, { state: StreamState; receipts: StoredReceipt[] }>();
  let waitedMs = 0;

  const at = (stream: Stream) => {
    const prefix = prefixOf(stream);
    const found = streams.get(prefix) ?? { state: emptyStream(stream), receipts: [] };
    streams.set(prefix, found);
    return found;
  };
  const headAt = (stream: Stream): Head | null => {
    const last = at(stream).receipts.at(-1);
    return last === undefined ? null : headOf(last);
  };
  const nowMs = (): number => START_MS + receipts.length * SPACING_MS + waitedMs;
  const nextKey = (): IdempotencyKey => keyOf(receipts.length);

  /** Genesis is signed by the key it brings; everybody else's is in the account's state. */
  const generationOf = ({ accountId, identityId }: IdentityRef): number => {
    const account = at(accountStream(accountId)).state;
    return (account.type === 'account' ? account.state.identities.get(identityId)?.keyGeneration : undefined) ?? 1;
  };

  const build: SignedLedger['build'] = async (stream, issuer, event, choices = {}) => {
    const before = headAt(stream);
    const position = nextPosition(before);
    const name = keyNameOf(issuer.identityId, generationOf(issuer));
    const unsigned: UnsignedReceipt = {
      eventId: eventIdAt(stream, position),
      stream,
      type: event.type,
      payload: event.payload,
      createdAt: instantOf(choices.atMs ?? nowMs()),
      issuer: { identityId: issuer.identityId, publicKeyId: publicKeyIdOf(await signer.createKey(name)) },
      idempotencyKey: choices.key ?? nextKey(),
      prevEventId: before?.eventId ?? null,
      prevHash: before?.hash ?? null,
      schemaVersion: 1,
    };
    const signed = signedBytesOf(unsigned);
    return { ...sealReceipt(unsigned, signed, toLowS(await signer.sign(name, signed))), position };
  };

  const append: SignedLedger['append'] = async (stream, event, choices = {}) => {
    const here = at(stream);
    const required = requiredIssuer(here.state, stream, event);
    if (!required.ok) return required;
    const { accountId, identityId } = required.value;
    const issuer = { accountId, identityId: identityId ?? choices.issuer ?? OPERATOR_IDENTITY_ID };
    const stored = await build(stream, issuer, event, choices);
    const { eventId, hash, createdAt } = stored.receipt;
    const after = evolveStream(here.state, stream, event, { eventId, hash, at: createdAt });
    if (!after.ok) return after;
    here.state = after.value;
    here.receipts.push(stored);
    receipts.push(stored);
    return ok(stored);
  };

  return {
    receipts,
    receiptsOf: (stream) => at(stream).receipts,
    stateOf: (stream) => at(stream).state,
    headOf: headAt,
    nowMs,
    waitUntil: (atMs) => {
      waitedMs += Math.max(0, atMs - nowMs());
    },
    nextKey,
    hereIn: (stream, choices = {}) => ({
      eventId: eventIdAt(stream, nextPosition(headAt(stream))),
      at: instantOf(choices.atMs ?? nowMs()),
    }),
    generationOf,
    publicKeyOf: async (identityId, generation) =>
      Buffer.from(await signer.createKey(keyNameOf(identityId, generation))).toString('base64'),
    build,
    append,
  };
};

const keyNameOf = (identityId: IdentityId, generation: number): KeyName => `pixpax-${identityId}-${generation}`;
