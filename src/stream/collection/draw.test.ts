import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BookId, CardId, PackId, Seed, SeriesId, Sha256 } from '../../receipt/ids.ts';
import { drawPack, drawnIndex, indexOfWord, poolOf } from './draw.ts';
import { newSeed } from './seed.ts';
import { type CollectionState, noCollection } from './state.ts';

const cardsUpTo = (count: number): readonly CardId[] =>
  Array.from({ length: count }, (_, i) => `card-${String(i + 1).padStart(3, '0')}` as CardId);
const ulid = (n: number) => `01JZ${String(n).padStart(22, '0')}`;
const book = (n: number) => `bk_${ulid(n)}` as BookId;
const pack = (n: number) => `pck_${ulid(n)}` as PackId;
const seedOf = (fill: number) => newSeed(new Uint8Array(32).fill(fill));
const counting = newSeed(Uint8Array.from({ length: 32 }, (_, i) => i));

describe('a pool', () => {
  const artHash = `sha256:${'0'.repeat(64)}` as Sha256;
  const card = (cardId: string, seriesId: string) => ({
    cardId: cardId as CardId,
    seriesId: seriesId as SeriesId,
    title: 'T',
    artHash,
  });
  const collection = (retired: readonly string[]): CollectionState => ({
    status: 'published',
    version: 1,
    title: 'T',
    series: ['sea', 'sky'].map((seriesId) => ({ seriesId: seriesId as SeriesId, title: 'T' })),
    cards: [card('b', 'sea'), card('a-1', 'sky'), card('a', 'sea'), card('a1', 'sky'), card('0', 'sky')],
    retired: new Set(retired as SeriesId[]),
    drops: new Map(),
    publications: [],
  });

  it('is in byte order of the card ids, however the catalogue is arranged', () => {
    expect(poolOf(collection([]))).toEqual(['0', 'a', 'a-1', 'a1', 'b']);
  });

  it('is without the cards of retired series (domain rule 7)', () => {
    expect(poolOf(collection(['sky']))).toEqual(['a', 'b']);
    expect(poolOf(collection(['sky', 'sea']))).toEqual([]);
  });

  it('of no collection is empty', () => {
    expect(poolOf(noCollection)).toEqual([]);
  });
});

describe('a draw (domain rule 6)', () => {
  it('gives the cards that another program gives', () => {
    // Made with Python’s hmac and hashlib from the description of drawPack: any other draw breaks what is verified already.
    const draw = { seed: counting, bookId: book(0), packId: pack(1) };
    expect(drawPack(cardsUpTo(50), { ...draw, packSize: 5 })).toEqual([
      'card-024',
      'card-047',
      'card-004',
      'card-003',
      'card-029',
    ]);
    expect(drawPack(cardsUpTo(50), { ...draw, packSize: 50 }).slice(-5)).toEqual([
      'card-005',
      'card-001',
      'card-036',
      'card-045',
      'card-027',
    ]);
  });

  const pools = fc.uniqueArray(fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,8}$/), { minLength: 1, maxLength: 120 });
  const seeds = fc.uint8Array({ minLength: 32, maxLength: 32 }).map(newSeed);
  const draws = pools.chain((pool) =>
    fc.record({
      pool: fc.constant(pool.toSorted() as CardId[]),
      seed: seeds,
      bookId: fc.nat(1e6).map(book),
      packId: fc.nat(1e6).map(pack),
      packSize: fc.integer({ min: 1, max: Math.min(50, pool.length) }),
    }),
  );

  it('gives no card twice, none that is not in the pool, as many as asked for, and leaves the pool as it is', () => {
    fc.assert(
      fc.property(draws, ({ pool, ...draw }) => {
        const before = [...pool];
        const drawn = drawPack(Object.freeze(pool), draw);
        expect(drawn).toHaveLength(draw.packSize);
        expect(new Set(drawn).size).toBe(draw.packSize);
        expect(pool).toEqual(before);
        for (const cardId of drawn) expect(pool).toContain(cardId);
      }),
    );
  });

  it('gives the same cards again, and those that its description says', () => {
    fc.assert(
      fc.property(draws, ({ pool, ...draw }) => {
        expect(drawPack(pool, draw)).toEqual(drawPack([...pool], draw));
        expect(drawPack(pool, draw)).toEqual(writtenAgain(pool, draw.seed, draw.bookId, draw.packId, draw.packSize));
      }),
    );
  });

  it('depends on the seed, the book and the pack', () => {
    const draw = { seed: seedOf(1), bookId: book(1), packId: pack(1), packSize: 20 };
    const others = [draw, { ...draw, seed: seedOf(2) }, { ...draw, bookId: book(2) }, { ...draw, packId: pack(2) }];
    expect(new Set(others.map((each) => drawPack(cardsUpTo(50), each).join())).size).toBe(others.length);
  });

  it('of a whole pool gives each of its cards', () => {
    const draw = { seed: seedOf(1), bookId: book(1), packId: pack(1), packSize: 50 };
    expect(drawPack(cardsUpTo(50), draw).toSorted()).toEqual(cardsUpTo(50));
  });

  it('is refused when the pool is smaller than the pack (domain rule 7)', () => {
    const draw = { seed: seedOf(1), bookId: book(1), packId: pack(1), packSize: 5 };
    expect(() => drawPack(cardsUpTo(4), draw)).toThrow(RangeError);
  });
});

/** The description of `drawPack`, written again without any of its parts. */
const writtenAgain = (pool: readonly CardId[], seed: Seed, bookId: string, packId: string, packSize: number) => {
  let left = pool;
  return Array.from({ length: packSize }, (_, k) => {
    const message = Buffer.from([bookId, packId, String(k)].join('\0'), 'ascii');
    const block = createHmac('sha256', Buffer.from(seed, 'hex')).update(message).digest();
    const m = BigInt(left.length);
    const words = Array.from({ length: 8 }, (_word, i) => BigInt(block.readUInt32BE(4 * i)));
    const word = words.find((w) => w < (2n ** 32n / m) * m);
    if (word === undefined) throw new Error('eight words rejected: not in the lifetime of this test');
    const at = Number(word % m);
    const card = left[at];
    left = left.filter((_card, i) => i !== at);
    return card;
  });
};

describe('the index that a word chooses', () => {
  it('is rejected at and above the last multiple, where a plain remainder would favour the first cards', () => {
    for (let cards = 1; cards <= 300; cards++) {
      const edge = Math.floor(2 ** 32 / cards) * cards;
      expect(indexOfWord(0, cards)).toBe(0);
      expect(indexOfWord(edge - 1, cards)).toBe(cards - 1);
      if (edge < 2 ** 32) {
        expect(indexOfWord(edge, cards)).toBeNull();
        expect(indexOfWord(2 ** 32 - 1, cards)).toBeNull();
      }
    }
  });

  it('rejects no word when the cards divide them evenly', () => {
    for (const cards of [1, 2, 4, 64, 128, 256]) expect(indexOfWord(2 ** 32 - 1, cards)).toBe(cards - 1);
  });

  // Of 3 · 2³⁰ cards a remainder alone would give the first third twice the chance.
  it('is exactly as likely as any other, also where a remainder alone is not by far', () => {
    const cards = 3 * 2 ** 30;
    expect(indexOfWord(cards - 1, cards)).toBe(cards - 1);
    expect(indexOfWord(cards, cards)).toBeNull();
    expect(indexOfWord(2 ** 32 - 1, cards)).toBeNull();
  });
});

describe('the index that a block of words chooses', () => {
  const rejected = 'ffffffff';
  const blockOf = (...words: readonly string[]) => words.join('').padEnd(64, '0');

  it.each([
    ['the first word', 2, ['00000005']],
    ['the third when two are rejected', 1, [rejected, rejected, '00000004']],
    ['the last when seven are rejected', 0xfffffffe % 3, [...Array.from({ length: 7 }, () => rejected), 'fffffffe']],
  ])('is that of %s', (_which, index, words) => {
    expect(drawnIndex(3, () => blockOf(...words))).toBe(index);
  });

  it('is that of the next attempt when all eight are rejected', () => {
    const asked: number[] = [];
    const block = (attempt: number) => {
      asked.push(attempt);
      return attempt < 2 ? rejected.repeat(8) : blockOf('00000001');
    };
    expect(drawnIndex(3, block)).toBe(1);
    expect(asked).toEqual([0, 1, 2]);
  });
});

/**
 * Pearson's test on fixed seeds: what fails fails always. The critical values are the 0.999 quantiles of the chi-square distribution, as in
 * NIST/SEMATECH, e-Handbook of Statistical Methods, 1.3.6.7.4 (upper tail, 0.001).
 */
describe('draws are uniform', () => {
  const CRITICAL_19 = 43.82;
  const CRITICAL_55 = 93.168;
  const sumOfSquares = (counts: readonly number[], expected: number) =>
    counts.reduce((sum, count) => sum + (count - expected) ** 2, 0);
  const countsOf = (choices: readonly number[], of: number) => {
    const counts = Array.from({ length: of }, () => 0);
    for (const choice of choices) counts[choice] = (counts[choice] ?? 0) + 1;
    return counts;
  };
  /** 4 drops of 1,000 books: each pack as the indices of its cards in the pool. */
  const packsOf = (poolCards: number, packSize: number): readonly (readonly number[])[] => {
    const pool = cardsUpTo(poolCards);
    const at = new Map(pool.map((cardId, index) => [cardId, index]));
    return Array.from({ length: 4_000 }, (_, i) =>
      drawPack(pool, { seed: seedOf(i % 4), bookId: book(i), packId: pack(4_000 - i), packSize }).map((id) => at.get(id) ?? -1),
    );
  };
  const packs = packsOf(20, 5);

  it.each([0, 1, 2, 3, 4])('over the cards, in slot %d', (slot) => {
    const counts = countsOf(
      packs.map((cards) => cards[slot] ?? -1),
      20,
    );
    expect(sumOfSquares(counts, 200) / 200).toBeLessThan(CRITICAL_19);
  });

  it('over the cards, whatever the slot', () => {
    // Indicators of a draw without replacement have covariance p(1 − p) · n/(n − 1) · (I − J/n), with p = 5/20 and n = 20.
    const counts = countsOf(packs.flat(), 20);
    const variance = 4_000 * 0.25 * 0.75 * (20 / 19);
    expect(sumOfSquares(counts, 1_000) / variance).toBeLessThan(CRITICAL_19);
  });

  it('over the ordered pairs of the first two slots', () => {
    const pairs = packsOf(8, 2).map(([first = -1, second = -1]) => first * 7 + (second > first ? second - 1 : second));
    expect(sumOfSquares(countsOf(pairs, 56), 4_000 / 56) / (4_000 / 56)).toBeLessThan(CRITICAL_55);
  });

  it('which this test would deny of a remainder of few bits', () => {
    const biased = Array.from({ length: 4_000 }, (_, i) => {
      const block = createHmac('sha256', 'biased').update(String(i)).digest();
      return (block.readUInt32BE(0) >>> 26) % 20; // 6 bits: of 64 words 4 cards have four each, the others three
    });
    expect(sumOfSquares(countsOf(biased, 20), 200) / 200).toBeGreaterThan(CRITICAL_19);
  });
});
