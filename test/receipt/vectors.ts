import {
  type AccountId,
  type IdempotencyKey,
  type IdentityId,
  OPERATOR_ACCOUNT_ID,
  OPERATOR_IDENTITY_ID,
  type UserId,
  accountIdFor,
  bookIdFor,
  identityIdFor,
  parseCollectionId,
} from '../../src/receipt/ids.ts';
import type { JsonObject } from '../../src/receipt/json.ts';
import { eventIdAt } from '../../src/receipt/key-path.ts';
import { type Stream, accountStream, pixbookStream } from '../../src/receipt/stream.ts';
import { drawOfVectors, packsOfVectors } from './pack-vectors.ts';
import { type SignedReceipt, fixedKey, issuerOf } from './signed-receipt.ts';
import { chain } from './vector-chain.ts';

const collection = parseCollectionId('col_01JZ0000000000000000000000');
if (!collection.ok) throw new Error('not a collection id');

const user = 'usr_01JZ0000000000000000000000' as UserId;
const operatorKey = fixedKey(1);
const firstKey = fixedKey(2);
const secondKey = fixedKey(3);
const accountId: AccountId = accountIdFor(user, 'create-account' as IdempotencyKey);
const identityId: IdentityId = identityIdFor(accountId, 'create-identity' as IdempotencyKey);
const bookId = bookIdFor(identityId, collection.value, 1);
const STARTED_AT_MS = Date.UTC(2026, 0, 2, 3, 4, 5, 678);

const operator = [OPERATOR_IDENTITY_ID, operatorKey] as const;
const first = [identityId, firstKey] as const;
const second = [identityId, secondKey] as const;

/** What one object's `state` looks like when it is hard on canonicalisers: order by UTF-16, numbers, escapes, other scripts. */
const awkwardState: JsonObject = {
  '\u20ac': 'Euro Sign',
  '\r': 'Carriage Return',
  '\ufb33': 'Hebrew Letter Dalet With Dagesh',
  '1': 'One',
  '10': 'Ten',
  '9': 'Nine',
  '\u{1f600}': 'Emoji: Grinning Face',
  '\u0080': 'Control',
  ö: 'Latin Small Letter O With Diaeresis',
  numbers: [333333333.3333333, 1e30, 4.5, 0.002, 1e-27, 0, -1, 1e21, 9007199254740991],
  string: '\u20ac$\u000f\nA\'B"\\\\"/',
  literals: [null, true, false],
  signature: 'not a signature',
  hash: 'not a hash',
};

/**
 * A small whole ledger: genesis, an account, an identity whose key is rotated and revoked, a pixbook saved and closed; a collection with a
 * drop that is closed, a code, and a second pixbook that got a pack by each.
 */
export const ledgerOfVectors = (): readonly SignedReceipt[] => {
  const genesis = { operator: { identityId: OPERATOR_IDENTITY_ID, publicKey: operatorKey.publicKey, keyGeneration: 1 } };
  const book = pixbookStream(accountId, bookId);
  return [
    ...chain(accountStream(OPERATOR_ACCOUNT_ID), STARTED_AT_MS, [
      { type: 'ACCOUNT_CREATED', payload: genesis, by: operator, key: 'genesis' },
    ]),
    ...chain(accountStream(accountId), STARTED_AT_MS + 10_000, [
      { type: 'ACCOUNT_CREATED', payload: { owner: { userId: user } }, by: operator, key: 'create-account' },
      {
        type: 'IDENTITY_CREATED',
        payload: { identityId, publicKey: firstKey.publicKey, keyGeneration: 1, controller: user, by: user },
        by: operator,
        key: 'create-identity',
      },
      {
        type: 'IDENTITY_KEY_ROTATED',
        payload: { identityId, publicKey: secondKey.publicKey, keyGeneration: 2, by: user },
        by: first,
        key: 'rotate',
      },
      { type: 'IDENTITY_REVOKED', payload: { identityId, keyGeneration: 2, by: user }, by: operator, key: 'revoke' },
    ]),
    ...chain(book, STARTED_AT_MS + 11_500, [
      { type: 'PIXBOOK_CREATED', payload: { identityId, collectionId: collection.value, generation: 1 }, by: first, key: 'book' },
      { type: 'PIXBOOK_SAVE', payload: { state: awkwardState, baseEventId: eventIdAt(book, 0) }, by: second, key: '!~{"' },
      { type: 'PIXBOOK_CLOSED', payload: {}, by: second, key: 'close' },
    ]),
    ...packsOfVectors({
      accountId,
      identityId,
      collectionId: collection.value,
      startMs: STARTED_AT_MS + 20_000,
      operator,
      owner: second,
    }),
  ];
};

/** The vector file: every step of the format written out. Keys of the signers are 1, 2 and 3: test keys, worth nothing. */
export const vectorFile = (): JsonObject => ({
  about: 'Receipts of the PixPax ledger format, version 1; see README.md. The private keys are the numbers 1, 2 and 3.',
  fingerprint: issuerOf(OPERATOR_IDENTITY_ID, operatorKey).publicKeyId,
  eventIds: ['acc_01JZ0000000000000000000000'].flatMap((account) => {
    const prefix = `pixpax/pixbooks/${account}/bk_01JZ0000000000000000000001`;
    const stream = { type: 'pixbook', accountId: account, bookId: 'bk_01JZ0000000000000000000001' } as unknown as Stream;
    return [0, 1, 1000].map((position) => ({ prefix, position, eventId: eventIdAt(stream, position) }));
  }),
  ...drawOfVectors({ accountId, identityId, collectionId: collection.value }),
  receipts: ledgerOfVectors().map(({ key, position, bytes, signed, receipt }) => ({
    key,
    position,
    object: Buffer.from(bytes).toString('utf8'),
    signedBytes: Buffer.from(signed).toString('utf8'),
    hash: receipt.hash,
  })),
});

/** The text of `src/receipt/vectors.json`. */
export const vectorText = (): string => `${JSON.stringify(vectorFile(), null, 2)}\n`;
