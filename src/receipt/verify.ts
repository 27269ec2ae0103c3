import { type Result, err, ok } from '../result.ts';
import { type ChainFault, type Head, follows } from './chain.ts';
import { publicKeyIdOf } from './hash.ts';
import { OPERATOR_IDENTITY_ID, type PublicKeyId, parseIdentityId } from './ids.ts';
import { isJsonObject } from './json.ts';
import { type KeyFault, type KeyHistory, isGenesis, keyRecordOf, learnKeys, wasValidFor } from './key-history.ts';
import { type ReadFault, type ReadReceipt, readReceipt } from './read.ts';
import { parsePublicKeyText, verifySignature } from './signature.ts';

export type SignatureFault = {
  readonly code: 'signature-invalid' | 'genesis-malformed' | 'trust-mismatch';
  readonly detail: string;
};

/** Everything that can be wrong with one receipt in its place. */
export type ReceiptFault = ReadFault | ChainFault | KeyFault | SignatureFault;

/**
 * Verifies one stored object as the next receipt of its stream: strict reading, chain, key history, signature. `head` is the receipt
 * before (null at position 0). `keys` must hold what the account streams say up to here; for a receipt of an account stream call
 * `learnKeys` with the result before the next one. Genesis is checked by `verifyGenesis` instead.
 */
export const verifyReceipt = (
  bytes: Uint8Array,
  key: string,
  head: Head | null,
  keys: KeyHistory,
): Result<ReadReceipt, ReceiptFault> => {
  const read = readReceipt(bytes, key);
  if (!read.ok) return read;
  return verifyRead(read.value, head, keys);
};

/** As `verifyReceipt`, for a receipt that was strictly read before. */
export const verifyRead = (read: ReadReceipt, head: Head | null, keys: KeyHistory): Result<ReadReceipt, ReceiptFault> => {
  const linked = follows(head, read.position, read.receipt);
  return linked.ok ? verifyAlone(read, keys) : linked;
};

/**
 * Verifies a strictly read receipt by itself: whether it is truly its issuer's word, not whether it is in its place of a chain (its position
 * follows from its event id all the same). For receipts that are cited, or shown without their stream.
 */
export const verifyAlone = (read: ReadReceipt, keys: KeyHistory): Result<ReadReceipt, ReceiptFault> => {
  const record = keyRecordOf(keys, read.receipt.issuer);
  if (record === null)
    return err({ code: 'key-unknown', detail: `no account stream introduces ${read.receipt.issuer.publicKeyId}` });
  if (!wasValidFor(record, read))
    return err({ code: 'key-not-valid-then', detail: `${record.publicKeyId} was not the key of ${record.identityId} then` });
  return verifySignature(record.key, read.signed, read.rawSignature)
    ? ok(read)
    : err({ code: 'signature-invalid', detail: 'the signature is not by the issuer’s key over these bytes' });
};

/**
 * Verifies position 0 of `acc_operator`, which is signed by the key it carries, and puts that key into `keys`. Trust comes from outside:
 * with `trust` given, the key must have that fingerprint; without, the caller must show the returned one to whoever relies on it.
 */
export const verifyGenesis = (
  bytes: Uint8Array,
  key: string,
  keys: KeyHistory,
  trust: PublicKeyId | null,
): Result<{ genesis: ReadReceipt; fingerprint: PublicKeyId }, ReceiptFault> => {
  const read = readReceipt(bytes, key);
  if (!read.ok) return read;
  const fingerprint = genesisFingerprint(read.value);
  if (fingerprint === null)
    return err({ code: 'genesis-malformed', detail: 'not an ACCOUNT_CREATED of acc_operator that carries its own issuer’s key' });
  if (trust !== null && trust !== fingerprint)
    return err({ code: 'trust-mismatch', detail: `the operator’s first key is ${fingerprint}, not the pinned ${trust}` });
  const learned = learnKeys(keys, read.value);
  if (!learned.ok) return learned;
  const verified = verifyRead(read.value, null, keys);
  return verified.ok ? ok({ genesis: verified.value, fingerprint }) : verified;
};

const genesisFingerprint = ({ receipt, position }: ReadReceipt): PublicKeyId | null => {
  const operator = receipt.payload.operator;
  if (!isGenesis(receipt, position) || receipt.type !== 'ACCOUNT_CREATED' || !isJsonObject(operator)) return null;
  const identityId = parseIdentityId(operator.identityId);
  const key = typeof operator.publicKey === 'string' ? parsePublicKeyText(operator.publicKey) : null;
  if (!identityId.ok || identityId.value !== OPERATOR_IDENTITY_ID || !key?.ok) return null;
  const fingerprint = publicKeyIdOf(key.value.spki);
  const { issuer } = receipt;
  return issuer.identityId === identityId.value && issuer.publicKeyId === fingerprint ? fingerprint : null;
};
