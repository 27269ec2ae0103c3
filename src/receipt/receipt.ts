import { canonicalBytes, canonicalText } from './canonical.ts';
import { receiptHashOf } from './hash.ts';
import type { EventId, IdempotencyKey, IdentityId, Instant, PublicKeyId, ReceiptHash } from './ids.ts';
import type { JsonObject } from './json.ts';
import { signatureText } from './signature.ts';
import type { Stream } from './stream.ts';

/** Who signed: an identity and which of its keys. */
export type Issuer = { readonly identityId: IdentityId; readonly publicKeyId: PublicKeyId };

/** The envelope, schema version 1 (receipt.md §1), before it is hashed and signed. */
export type UnsignedReceipt = {
  readonly eventId: EventId;
  readonly stream: Stream;
  readonly type: string;
  readonly payload: JsonObject;
  readonly createdAt: Instant;
  readonly issuer: Issuer;
  readonly idempotencyKey: IdempotencyKey;
  readonly prevEventId: EventId | null;
  readonly prevHash: ReceiptHash | null;
  readonly schemaVersion: 1;
};

/** A whole receipt. `hash` and `signature` cover JCS of everything else. */
export type Receipt = UnsignedReceipt & { readonly hash: ReceiptHash; readonly signature: string };

/** A receipt with the exact bytes that were read or will be stored, and its place in the stream. */
export type StoredReceipt = { readonly receipt: Receipt; readonly position: number; readonly bytes: Uint8Array };

/** The very bytes that `hash` and `signature` cover. Throws as `canonicalBytes`. */
export const signedBytesOf = (unsigned: UnsignedReceipt): Uint8Array => canonicalBytes(unsigned);

/** Puts hash and signature on. `signed` must be `signedBytesOf(unsigned)`, `lowS` the 64 bytes r‖s with s ≤ n/2. */
export const sealReceipt = (
  unsigned: UnsignedReceipt,
  signed: Uint8Array,
  lowS: Uint8Array,
): { receipt: Receipt; bytes: Uint8Array } => {
  const receipt: Receipt = { ...unsigned, hash: receiptHashOf(signed), signature: signatureText(lowS) };
  return { receipt, bytes: spliced(receipt, signed) };
};

/**
 * JCS of the receipt out of JCS without `hash` and `signature`: members are in order, so `hash` comes after `createdAt` and `eventId`, and
 * `signature` before `stream` and `type`, which are ASCII and known.
 */
const spliced = (receipt: Receipt, signed: Uint8Array): Uint8Array => {
  const { createdAt, eventId, hash, signature, stream, type } = receipt;
  const head = `{"createdAt":"${createdAt}","eventId":"${eventId}",`;
  const tail = `"stream":${canonicalText(stream)},"type":${canonicalText(type)}}`;
  const text = Buffer.from(signed.buffer, signed.byteOffset, signed.byteLength);
  const middle = text.subarray(head.length, text.length - tail.length);
  if (text.toString('latin1', 0, head.length) !== head || text.toString('latin1', text.length - tail.length) !== tail)
    return canonicalBytes(receipt);
  return Buffer.concat([Buffer.from(`${head}"hash":"${hash}",`), middle, Buffer.from(`"signature":"${signature}",${tail}`)]);
};
