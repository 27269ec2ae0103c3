import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { MemoryObjects } from '../src/adapter/memory/receipt-store.ts';
import { memorySigner } from '../src/adapter/memory/signer.ts';
import type { KeyName } from '../src/port/signer.ts';
import { publicKeyIdOf } from '../src/receipt/hash.ts';
import type { IdentityId } from '../src/receipt/ids.ts';
import { keyAt, keyOf } from '../src/receipt/key-path.ts';
import { type Receipt, type StoredReceipt, type UnsignedReceipt, sealReceipt, signedBytesOf } from '../src/receipt/receipt.ts';
import { signatureText, toLowS } from '../src/receipt/signature.ts';
import type { Stream } from '../src/receipt/stream.ts';
import { collectionId, fixtureLedger, userId } from '../test/ledger-fixture.ts';

const signer = memorySigner();

export const ANN = userId('ann');
export const BEN = userId('ben');

/** Two accounts with an identity and a book each; one key was rotated, and the new one used. */
export const smallLedger = async () => {
  const ledger = await fixtureLedger(signer);
  const a = await ledger.createAccount(ANN);
  const anna = await ledger.createIdentity(a.accountId, ANN);
  const bookA = await ledger.createPixbook(a.accountId, anna, collectionId('axolotls'));
  for (let page = 1; page <= 3; page++) await ledger.save(bookA, { page });
  const b = await ledger.createAccount(BEN);
  const bert = await ledger.createIdentity(b.accountId, BEN);
  const bookB = await ledger.createPixbook(b.accountId, bert, collectionId('axolotls'));
  for (let page = 1; page <= 2; page++) await ledger.save(bookB, { page });
  await ledger.rotateKey(a.accountId, anna, ANN);
  await ledger.save(bookA, { page: 4, note: 'with “the” new key\t\\ \u{1f98e}' });
  return { ledger, a, b, anna, bert, bookA, bookB };
};

export type SmallLedger = Awaited<ReturnType<typeof smallLedger>>;

export const objectsOf = (receipts: readonly StoredReceipt[]): MemoryObjects =>
  new Map(receipts.map((stored) => [keyOf(stored.receipt.stream, stored.receipt.eventId), stored.bytes]));

/** The bytes under a position's key, as text. */
export const textAt = (objects: MemoryObjects, stream: Stream, position: number): string =>
  Buffer.from(objects.get(keyAt(stream, position)) ?? []).toString('utf8');

export const setText = (objects: MemoryObjects, stream: Stream, position: number, text: string): void =>
  void objects.set(keyAt(stream, position), Buffer.from(text));

/** A receipt with other members, hashed and signed anew with a key of an identity: what a forger with that key could write. */
export const resigned = async (
  { hash: _hash, signature: _signature, ...unsigned }: Receipt,
  changes: Partial<UnsignedReceipt>,
  signedBy: { readonly identityId: IdentityId; readonly generation: number },
): Promise<Uint8Array> => {
  const name: KeyName = `pixpax-${signedBy.identityId}-${signedBy.generation}`;
  await signer.createKey(name);
  const receipt = { ...unsigned, ...changes };
  const signed = signedBytesOf(receipt);
  return sealReceipt(receipt, signed, toLowS(await signer.sign(name, signed))).bytes;
};

export const issuer = async (identityId: IdentityId, generation: number) => ({
  identityId,
  publicKeyId: publicKeyIdOf(await signer.createKey(`pixpax-${identityId}-${generation}`)),
});

const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

/** The other signature that proves the same: s → n − s. */
export const highSTwin = (signature: string): string => {
  const raw = Buffer.from(signature.slice('ecdsa-p256:'.length), 'base64');
  const s = BigInt(`0x${raw.subarray(32).toString('hex')}`);
  Buffer.from((ORDER - s).toString(16).padStart(64, '0'), 'hex').copy(raw, 32);
  return signatureText(raw);
};

/** The objects as plain files in a directory that goes when it is disposed of. */
export const asDirectory = (objects: MemoryObjects) => {
  const path = mkdtempSync(join(tmpdir(), 'pixpax ledger '));
  for (const [key, bytes] of objects) {
    mkdirSync(dirname(join(path, key)), { recursive: true });
    writeFileSync(join(path, key), bytes);
  }
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
};
