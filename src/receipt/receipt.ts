import { canonicalBytes } from './canonical.ts';
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
  return { receipt, bytes: canonicalBytes(receipt) };
};
