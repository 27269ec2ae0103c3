import { type KeyObject, generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { publicKeyIdOf } from '../../src/receipt/hash.ts';
import {
  type AccountId,
  type CollectionId,
  type IdempotencyKey,
  type IdentityId,
  OPERATOR_ACCOUNT_ID,
  OPERATOR_IDENTITY_ID,
  type PublicKeyId,
  bookIdFor,
  derivedUlid,
  instantOf,
} from '../../src/receipt/ids.ts';
import type { JsonObject } from '../../src/receipt/json.ts';
import { eventIdAt, keyAt } from '../../src/receipt/key-path.ts';
import { type Receipt, type UnsignedReceipt, sealReceipt, signedBytesOf } from '../../src/receipt/receipt.ts';
import { toLowS } from '../../src/receipt/signature.ts';
import { type Stream, accountStream, pixbookStream } from '../../src/receipt/stream.ts';

export type MadeLedger = { readonly receipts: number; readonly streams: number };

type Party = {
  readonly identityId: IdentityId;
  readonly publicKeyId: PublicKeyId;
  readonly publicKey: string;
  readonly key: KeyObject;
};

const START_MS = Date.UTC(2026, 0, 1);

/** Appends to one stream after another, counting what it made. */
const writerIn = (directory: string, made: { receipts: number; streams: number }) => (stream: Stream) => {
  let before: Receipt | null = null;
  let position = 0;
  made.streams += 1;
  return (by: Party, type: string, payload: JsonObject): Receipt => {
    const unsigned: UnsignedReceipt = {
      eventId: eventIdAt(stream, position),
      stream,
      type,
      payload,
      createdAt: instantOf(START_MS + position * 1_000),
      issuer: { identityId: by.identityId, publicKeyId: by.publicKeyId },
      idempotencyKey: randomUUID() as string as IdempotencyKey,
      prevEventId: before?.eventId ?? null,
      prevHash: before?.hash ?? null,
      schemaVersion: 1,
    };
    const signed = signedBytesOf(unsigned);
    const { receipt, bytes } = sealReceipt(
      unsigned,
      signed,
      toLowS(sign('sha256', signed, { key: by.key, dsaEncoding: 'ieee-p1363' })),
    );
    const path = join(directory, keyAt(stream, position));
    if (position === 0) mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, bytes);
    position += 1;
    made.receipts += 1;
    before = receipt;
    return receipt;
  };
};

/** Writes a true ledger as plain files, as fast as one thread can: for measuring, so without fsync. */
export const makeLedger = (
  directory: string,
  { accounts, booksPerAccount, savesPerBook }: { accounts: number; booksPerAccount: number; savesPerBook: number },
): MadeLedger => {
  const made = { receipts: 0, streams: 0 };
  const append = writerIn(directory, made);

  const operator = newParty(OPERATOR_IDENTITY_ID);
  const { identityId, publicKey } = operator;
  append(accountStream(OPERATOR_ACCOUNT_ID))(operator, 'ACCOUNT_CREATED', {
    operator: { identityId, publicKey, keyGeneration: 1 },
  });
  for (let a = 0; a < accounts; a++) {
    const accountId = `acc_${derivedUlid('bench/account', String(a))}` as AccountId;
    const owner = newParty(`idn_${derivedUlid('bench/identity', String(a))}` as IdentityId);
    const user = `user${a}`;
    const toAccount = append(accountStream(accountId));
    toAccount(operator, 'ACCOUNT_CREATED', { owner: { userId: user } });
    const introduced = { identityId: owner.identityId, publicKey: owner.publicKey, keyGeneration: 1 };
    toAccount(operator, 'IDENTITY_CREATED', { ...introduced, controller: user, by: user });
    for (let b = 0; b < booksPerAccount; b++) {
      const collectionId = `col_${derivedUlid('bench/collection', String(b))}` as CollectionId;
      const toBook = append(pixbookStream(accountId, bookIdFor(owner.identityId, collectionId, 1)));
      let last = toBook(owner, 'PIXBOOK_CREATED', { identityId: owner.identityId, collectionId, generation: 1 });
      for (let page = 0; page < savesPerBook; page++)
        last = toBook(owner, 'PIXBOOK_SAVE', { baseEventId: last.eventId, state: { cards: cardsOf(page), page } });
    }
  }
  return made;
};

/** Makes a receipt of about 1.1 KB, as a small book has. */
const cardsOf = (page: number): readonly string[] => Array.from({ length: 12 }, (_, i) => `card-${page}-${i}`);

const newParty = (identityId: IdentityId): Party => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const spki = publicKey.export({ format: 'der', type: 'spki' });
  return { identityId, publicKeyId: publicKeyIdOf(spki), publicKey: spki.toString('base64'), key: privateKey };
};
