import {
  type AccountId,
  type BookId,
  type CardId,
  type CodeId,
  type CollectionId,
  type IdempotencyKey,
  type IdentityId,
  type PackId,
  bookIdFor,
  codePackIdFor,
  dropIdFor,
  dropPackIdFor,
  grantInstanceIdFor,
  packInstanceIdFor,
  tradeIdOf,
} from '../../src/receipt/ids.ts';
import type { JsonObject } from '../../src/receipt/json.ts';
import { eventIdAt } from '../../src/receipt/key-path.ts';
import { codeStream, collectionStream, pixbookStream } from '../../src/receipt/stream.ts';
import { drawPack } from '../../src/stream/collection/draw.ts';
import { newSeed, seedHashOf } from '../../src/stream/collection/seed.ts';
import type { SignedReceipt } from './signed-receipt.ts';
import { type Signing, chain } from './vector-chain.ts';

type Owner = { readonly accountId: AccountId; readonly identityId: IdentityId; readonly collectionId: CollectionId };

const SEED = newSeed(Uint8Array.from({ length: 32 }, (_, i) => i));
const PACK_SIZE = 5;
const codeId = 'cod_01JZ0000000000000000000000' as CodeId;
const artHash = `sha256:${'a'.repeat(64)}`;
const series = [
  { seriesId: 'pond', title: 'In the pond' },
  { seriesId: 'sky', title: 'In the sky' },
];
/** Twelve, in the order of the catalogue, which is not that of the pool. */
const cards = series.flatMap(({ seriesId }) =>
  [10, 2, 1, 4, 3, 5].map((n) => ({ cardId: `${seriesId}-${n}`, seriesId, title: `Card ${n}`, artHash })),
);
const pool = cards.map(({ cardId }) => cardId as CardId).sort();

const idsOf = ({ identityId, collectionId }: Owner) => {
  const bookId = bookIdFor(identityId, collectionId, 2);
  const dropId = dropIdFor(collectionId, 'drop' as IdempotencyKey);
  return { bookId, dropId, dropPackId: dropPackIdFor(dropId, bookId), codePackId: codePackIdFor(codeId) };
};

const drawn = (bookId: BookId, packId: PackId): readonly CardId[] =>
  drawPack(pool, { seed: SEED, bookId, packId, packSize: PACK_SIZE });

const copiesIn = (bookId: BookId, packId: PackId) =>
  drawn(bookId, packId).map((cardId, slot) => ({ instanceId: packInstanceIdFor(packId, slot, cardId), cardId }));

/** Lists are written as words with a space between: none of them holds one. */
const joined = (...words: readonly string[]): string => words.join(' ');

/** Ids and draws with what they are made of. */
export const drawOfVectors = (owner: Owner): JsonObject => {
  const { identityId, collectionId, accountId } = owner;
  const { bookId, dropId, dropPackId, codePackId } = idsOf(owner);
  const eventId = eventIdAt(pixbookStream(accountId, bookId), 3);
  const [first] = copiesIn(bookId, dropPackId);
  const cardId = first?.cardId ?? ('' as CardId);
  return {
    derivedIds: [
      { id: bookId, of: joined('pixpax/book-id/v1', identityId, collectionId, '2') },
      { id: dropPackId, of: joined('pixpax/drop-pack-id/v1', dropId, bookId) },
      { id: codePackId, of: joined('pixpax/code-pack-id/v1', codeId) },
      { id: first?.instanceId ?? '', of: joined('pixpax/instance-id/v1', dropPackId, '0', cardId) },
      { id: grantInstanceIdFor(eventId, 1), of: joined('pixpax/instance-id/v1', eventId, '1') },
    ],
    tradeId: { offer: eventId, tradeId: tradeIdOf(eventId) },
    draws: [dropPackId, codePackId].map((packId) => ({
      ...{
        seed: SEED,
        seedHash: seedHashOf(SEED),
        pool: joined(...pool),
        packSize: PACK_SIZE,
        bookId,
        packId,
        cards: joined(...drawn(bookId, packId)),
      },
    })),
  };
};

/** A collection, a code of its drop, and a pixbook with a pack by each and two granted cards. The drop is closed at last. */
export const packsOfVectors = (
  owner: Owner & { readonly startMs: number; readonly operator: Signing; readonly owner: Signing },
): readonly SignedReceipt[] => {
  const { accountId, identityId, collectionId, startMs, operator } = owner;
  const { bookId, dropId, dropPackId, codePackId } = idsOf(owner);
  const drop = { dropId, title: 'A week in spring', packSize: PACK_SIZE, seedHash: seedHashOf(SEED), sealedSeed: 'sealed' };
  const catalogue = { version: 1, title: 'Small animals', series, cards };
  const collection = chain(collectionStream(collectionId), startMs, [
    { type: 'COLLECTION_PUBLISHED', payload: catalogue, by: operator, key: 'publish' },
    { type: 'DROP_OPENED', payload: drop, by: operator, key: 'drop' },
    { type: 'DROP_CLOSED', payload: { dropId, seed: SEED }, by: operator, key: 'close-drop' },
  ]);
  const claim = { accountId, identityId, bookId, generation: 2 };
  const code = chain(codeStream(codeId), startMs + 500, [
    { type: 'CODE_CREATED', payload: { collectionId, dropId, batchId: null }, by: operator, key: 'code' },
    { type: 'CODE_CLAIMED', payload: claim, by: owner.owner, key: 'claim' },
  ]);
  const pooled = citationOf(collection[1]);
  const book = pixbookStream(accountId, bookId);
  const grantedAt = eventIdAt(book, 3);
  const granted = ['sky-1', 'sky-1'].map((cardId, k) => ({ instanceId: grantInstanceIdFor(grantedAt, k), cardId }));
  const pack = (packId: PackId, claimed: JsonObject | null): JsonObject => ({
    ...{ packId, dropId, pool: pooled, claim: claimed, cards: copiesIn(bookId, packId) },
  });
  const books = chain(book, startMs + 700, [
    { type: 'PIXBOOK_CREATED', payload: { identityId, collectionId, generation: 2 }, by: owner.owner, key: 'book-2' },
    { type: 'PACK_ISSUED', payload: pack(dropPackId, null), by: operator, key: 'pack' },
    { type: 'PACK_ISSUED', payload: pack(codePackId, { codeId, ...citationOf(code[1]) }), by: operator, key: 'code-pack' },
    { type: 'CARD_ADDED', payload: { cards: granted, reason: 'a prize' }, by: operator, key: 'grant' },
  ]);
  return [...collection, ...code, ...books];
};

const citationOf = (signed: SignedReceipt | undefined) => {
  if (signed === undefined) throw new RangeError('no such receipt');
  return { eventId: signed.receipt.eventId, hash: signed.receipt.hash };
};
