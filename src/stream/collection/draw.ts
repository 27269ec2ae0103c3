import { type KeyObject, createHmac, createSecretKey } from 'node:crypto';
import type { BookId, CardId, PackId, Seed } from '../../receipt/ids.ts';
import { seedBytesOf } from './seed.ts';
import type { CollectionState } from './state.ts';

/** What packs are drawn from: the cards of the latest version whose series is not retired, in byte order of their ids. */
export const poolOf = (state: CollectionState): readonly CardId[] =>
  state.status === 'absent'
    ? []
    : state.cards
        .filter(({ seriesId }) => !state.retired.has(seriesId))
        .map(({ cardId }) => cardId)
        .sort(); // card ids are ASCII: the order of UTF-16 units is that of bytes

/** What one pack is drawn with. */
export type Draw = {
  readonly seed: Seed;
  readonly bookId: BookId;
  readonly packId: PackId;
  readonly packSize: number;
};

/**
 * The cards of a pack, in order of their slots (domain rule 6). For an auditor to write again:
 *
 * The list starts as the pool, in byte order of the card ids. For slot k = 0, 1, … packSize − 1, with m cards left in the list:
 *
 * 1. message = bookId, byte 0, packId, byte 0, k in decimal (all ASCII);
 * 2. the 32 bytes of HMAC-SHA256(key = the 32 bytes of the seed, message) are 8 words of 32 bits, big-endian;
 * 3. take the words in order; word w is rejected when w ≥ ⌊2³² / m⌋ · m, since to take it would favour the first cards;
 * 4. should all 8 be rejected, do 2 and 3 again for message, byte 0, a in decimal, with a = 1, 2, … until a word is not rejected;
 * 5. the card at index w mod m (from 0) of the list is the slot's; it leaves the list, and the others keep their order.
 *
 * Throws RangeError when the pool is smaller than the pack.
 */
export const drawPack = (pool: readonly CardId[], { seed, bookId, packId, packSize }: Draw): readonly CardId[] => {
  if (pool.length < packSize) throw new RangeError(`${packSize} cards cannot be drawn from ${pool.length}`);
  const key = createSecretKey(seedBytesOf(seed)); // a key object: hashing with bare bytes takes five times as long
  const left = [...pool];
  const drawn: CardId[] = [];
  for (let slot = 0; slot < packSize; slot++) {
    const message = `${bookId}\0${packId}\0${slot}`;
    const index = drawnIndex(left.length, (attempt) => hmacHex(key, attempt === 0 ? message : `${message}\0${attempt}`));
    drawn.push(...left.splice(index, 1));
  }
  return drawn;
};

const hmacHex = (key: KeyObject, message: string): string => createHmac('sha256', key).update(message).digest('hex');

const WORDS = 2 ** 32;
const WORD_HEX_CHARS = 8;

/** The index that a 32-bit word chooses among `cards` (1 to 2³²), each as likely as any other; null when the word is rejected. */
export const indexOfWord = (word: number, cards: number): number | null => (word < WORDS - (WORDS % cards) ? word % cards : null);

/** Steps 2 to 4 of `drawPack`: the index that the first word not rejected chooses. `blockHex` is the HMAC of an attempt, as hex. */
export const drawnIndex = (cards: number, blockHex: (attempt: number) => string): number => {
  for (let attempt = 0; ; attempt++) {
    const block = blockHex(attempt);
    for (let at = 0; at < block.length; at += WORD_HEX_CHARS) {
      const index = indexOfWord(Number.parseInt(block.slice(at, at + WORD_HEX_CHARS), 16), cards);
      if (index !== null) return index;
    }
  }
};
