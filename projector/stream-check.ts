import { tenantOf } from '../src/projection/project.ts';
import { type Head, follows, headOf } from '../src/receipt/chain.ts';
import { type AccountId, OPERATOR_ACCOUNT_ID, type PublicKeyId } from '../src/receipt/ids.ts';
import { type KeyHistory, isGenesis, keyRecordOf, learnKeys } from '../src/receipt/key-history.ts';
import { eventIdAtPrefix, prefixOf } from '../src/receipt/key-path.ts';
import type { ReadFault, ReadReceipt } from '../src/receipt/read.ts';
import type { Receipt } from '../src/receipt/receipt.ts';
import type { Stream } from '../src/receipt/stream.ts';
import { type ReceiptFault, verifyGenesis, verifyRead } from '../src/receipt/verify.ts';
import { type Result, err, ok } from '../src/result.ts';
import { type LedgerEvent, eventOf } from '../src/stream/event.ts';
import { type StreamState, emptyStream, requiredIssuer } from '../src/stream/fold.ts';
import { type ReplayFault, replayStep } from '../src/stream/replay-step.ts';

export type CheckFault = ReceiptFault | ReplayFault | { readonly code: 'idempotency-key-twice'; readonly detail: string };

const KEY_FAULTS: ReadonlySet<CheckFault['code']> = new Set([
  'key-unknown',
  'key-not-valid-then',
  'issuer-not-authorised',
  'identity-unknown',
  'key-already-introduced',
]);

/** Whether more receipts of the accounts' streams may do away with a fault. */
export const isAboutKeys = (code: CheckFault['code']): boolean => KEY_FAULTS.has(code);

/** A receipt that is true in its place, the key it lies under, and the event it holds. */
export type CheckedReceipt = { readonly key: string; readonly read: ReadReceipt; readonly event: LedgerEvent };

/** How far the check of one stream has come. `checkNext` and `skipGap` move it on; a refused receipt leaves it where it was. */
export type StreamCheck = {
  readonly stream: Stream;
  readonly prefix: string;
  /** Every key that may have signed here. The check of an account's stream adds the keys it introduces. */
  readonly keys: KeyHistory;
  /** The fingerprint that genesis must have, where the stream is the operator's. */
  readonly trust: PublicKeyId | null;
  /** The fingerprint that genesis has. */
  fingerprint: PublicKeyId | null;
  next: number;
  head: Head | null;
  /** Null once receipts are missing: what follows can be read and its signatures checked, but not replayed. */
  state: StreamState | null;
  readonly idempotencyKeys: Set<string>;
  /** The last position whose signature is taken as verified before; -1 for none. Set by `trustUpTo` alone. */
  trusted: number;
  /** Signatures that were verified. */
  signatures: number;
};

export const openCheck = (stream: Stream, keys: KeyHistory, trust: PublicKeyId | null = null): StreamCheck => ({
  stream,
  prefix: prefixOf(stream),
  keys,
  trust,
  fingerprint: null,
  next: 0,
  head: null,
  state: emptyStream(stream),
  idempotencyKeys: new Set(),
  trusted: -1,
  signatures: 0,
});

/**
 * Takes the signatures up to a position as verified before; chain and state are checked all the same. The caller must hold the hash that the
 * receipt there had then, and compare: it proves every byte before it but the signatures' own. Throws TypeError for a
 * check that has begun, and for an account's stream, on which others rest.
 */
export const trustUpTo = (check: StreamCheck, position: number): void => {
  if (check.next !== 0 || check.stream.type === 'account') throw new TypeError(`nothing is taken on trust in ${check.prefix}`);
  check.trusted = position;
};

/** Goes on behind receipts that are missing. */
export const skipGap = (check: StreamCheck, next: number): void => {
  check.next = next;
  check.state = null;
};

/**
 * Checks what `readReceipt` made of an object as the receipt at `check.next`: chain, signature, event, issuer, state, idempotency key.
 */
export const checkNext = (
  check: StreamCheck,
  key: string,
  read: Result<ReadReceipt, ReadFault>,
): Result<CheckedReceipt, CheckFault> => {
  if (!read.ok) return read;
  const verified = verifyHere(check, key, read.value);
  if (!verified.ok) return verified;
  const { receipt } = verified.value;
  if (check.idempotencyKeys.has(receipt.idempotencyKey))
    return err({ code: 'idempotency-key-twice', detail: 'an earlier receipt of this stream has the same idempotency key' });
  const step = check.state === null ? stepUnseen(check, verified.value) : replayStep(check.state, receipt, check.keys);
  if (!step.ok) return step;
  if (receipt.stream.type === 'account' && !isGenesis(receipt, check.next)) {
    const learned = learnKeys(check.keys, verified.value);
    if (!learned.ok) return learned;
  }
  check.idempotencyKeys.add(receipt.idempotencyKey);
  check.head = headOf(verified.value);
  check.state = step.value.state;
  check.next += 1;
  return ok({ key, read: verified.value, event: step.value.event });
};

const verifyHere = (check: StreamCheck, key: string, read: ReadReceipt): Result<ReadReceipt, ReceiptFault> => {
  // Behind a gap the hash at the trusted position proves nothing of what is before the gap.
  if (check.next <= check.trusted && check.state !== null) {
    const linked = follows(check.head, read.position, read.receipt);
    return linked.ok ? ok(read) : linked;
  }
  check.signatures += 1;
  if (check.next === 0 && check.stream.type === 'account' && check.stream.accountId === OPERATOR_ACCOUNT_ID) {
    const genesis = verifyGenesis(read.bytes, key, check.keys, check.trust);
    if (!genesis.ok) return genesis;
    check.fingerprint = genesis.value.fingerprint;
    return ok(genesis.value.genesis);
  }
  return verifyRead(read, headFor(check, read), check.keys);
};

/** The head that must come before; right behind a gap, what the receipt says of it, as far as that can be true. */
const headFor = (check: StreamCheck, { receipt }: ReadReceipt): Head | null => {
  const before = check.next - 1;
  if (before < 0 || check.head?.position === before || receipt.prevHash === null) return check.head;
  const createdAt = check.head?.createdAt ?? receipt.createdAt;
  return { position: before, eventId: eventIdAtPrefix(check.prefix, before), hash: receipt.prevHash, createdAt };
};

/**
 * The accounts besides the operator's that tell whether the next receipt's signature is right: the stream's own, and the one of whoever's
 * word the event is (the partner in a trade, the claimant of a code). For an account's stream none: it brings its own keys.
 */
export const accountsBehind = ({ stream, state }: StreamCheck, receipt: Receipt): readonly AccountId[] => {
  if (stream.type === 'account') return [];
  const accountIds = new Set<AccountId>();
  const tenant = tenantOf(stream);
  if (tenant !== null) accountIds.add(tenant);
  const event = eventOf(receipt);
  const required = event.ok ? requiredIssuer(state ?? emptyStream(stream), stream, event.value) : null;
  if (required?.ok) accountIds.add(required.value.accountId);
  accountIds.delete(OPERATOR_ACCOUNT_ID);
  return [...accountIds];
};

/**
 * Behind a gap the state is unknown, and with it who exactly must sign: an identity of the account, the operator or an issuer; of a claim
 * whom it names; of a partner's word in a trade, whoever that is.
 */
const stepUnseen = (
  check: StreamCheck,
  { receipt }: ReadReceipt,
): Result<{ readonly state: null; readonly event: LedgerEvent }, ReplayFault> => {
  const event = eventOf(receipt);
  if (!event.ok) return event;
  const signer = keyRecordOf(check.keys, receipt.issuer)?.accountId;
  const isPartners = event.value.type === 'CARD_TRADE_ACCEPTED' || event.value.type === 'CARD_TRADE_DECLINED';
  const mayHaveSigned = [OPERATOR_ACCOUNT_ID, tenantOf(check.stream), ...accountsBehind(check, receipt)];
  return isPartners || mayHaveSigned.some((accountId) => accountId === signer)
    ? ok({ state: null, event: event.value })
    : err({ code: 'issuer-not-authorised', detail: `${receipt.type} is signed by an identity of another account` });
};
