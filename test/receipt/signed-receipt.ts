import { p256 } from '@noble/curves/nist.js';
import { publicKeyIdOf } from '../../src/receipt/hash.ts';
import type { IdentityId } from '../../src/receipt/ids.ts';
import type { JsonObject } from '../../src/receipt/json.ts';
import { keyOf, positionOf } from '../../src/receipt/key-path.ts';
import { type UnsignedReceipt, sealReceipt, signedBytesOf } from '../../src/receipt/receipt.ts';

/** A key pair that follows from a number, signing deterministically (RFC 6979), so that vectors are the same in every run. */
export type FixedKey = { readonly secret: Uint8Array; readonly spki: Uint8Array; readonly publicKey: string };

const SPKI_HEAD = Buffer.from('3059301306072a8648ce3d020106082a8648ce3d030107034200', 'hex');

export const fixedKey = (seed: number): FixedKey => {
  const secret = Buffer.alloc(32, 0);
  secret.writeUInt32BE(seed, 28);
  const spki = Buffer.concat([SPKI_HEAD, p256.getPublicKey(secret, false)]);
  return { secret, spki, publicKey: spki.toString('base64') };
};

export const issuerOf = (identityId: IdentityId, key: FixedKey) => ({ identityId, publicKeyId: publicKeyIdOf(key.spki) });

/** Signs by hand, through noble: the second implementation beside node:crypto. */
export const signedReceipt = (unsigned: UnsignedReceipt, key: FixedKey) => {
  const signed = signedBytesOf(unsigned);
  const lowS = p256.sign(signed, key.secret, { prehash: true, lowS: true });
  const stored = sealReceipt(unsigned, signed, lowS);
  return { ...stored, position: positionOf(unsigned.eventId), key: keyOf(unsigned.stream, unsigned.eventId), signed };
};

export type SignedReceipt = ReturnType<typeof signedReceipt>;

/** The same receipt with other members, hashed and signed anew: what a forger with the key could write. */
export const resigned = (receipt: SignedReceipt['receipt'], changes: JsonObject, key: FixedKey): SignedReceipt => {
  const { hash: _hash, signature: _signature, ...unsigned } = receipt;
  return signedReceipt({ ...unsigned, ...(changes as Partial<UnsignedReceipt>) }, key);
};
