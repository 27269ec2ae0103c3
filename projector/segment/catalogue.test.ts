import { describe, expect, it } from 'vitest';
import { derivedUlid } from '../../src/receipt/ids.ts';
import { type Catalogue, openCatalogue } from './catalogue.ts';
import type { SegmentRun } from './segment-index.ts';

const [A = '', B = '', C = ''] = ['a', 'b', 'c'].map((name) => `pixpax/accounts/acc_${derivedUlid('test', name)}`).sort();

/** Streams and the positions of them, from the first to before the last. */
type Runs = readonly (readonly [prefix: string, first: number, end: number])[];

const catalogueOf = (segments: Readonly<Record<string, Runs>>): Catalogue => {
  const making = openCatalogue();
  for (const [name, runs] of Object.entries(segments)) {
    const streams = runs.map(
      ([prefix, first, end]): SegmentRun => ({ prefix, first, lengths: new Array<number>(end - first).fill(1) }),
    );
    const receipts = streams.reduce((sum, { lengths }) => sum + lengths.length, 0);
    making.add(name, { data: `data of ${name}`, rawBytes: receipts, storedBytes: receipts, receipts, streams });
  }
  return making.done();
};

const found = (catalogue: Catalogue, prefix: string, position: number): string | null => {
  const n = catalogue.find(prefix, position);
  return n === null ? null : (catalogue.segments[n]?.name ?? 'nothing');
};
const superseded = (catalogue: Catalogue) =>
  catalogue.segments.filter((_, n) => catalogue.isSuperseded(n)).map(({ name }) => name);

describe('a catalogue of segments', () => {
  it('knows which one has a receipt', () => {
    const catalogue = catalogueOf({
      one: [
        [A, 0, 5],
        [B, 0, 3],
      ],
      two: [
        [B, 3, 9],
        [C, 2, 4],
      ],
    });
    expect([0, 4, 5].map((position) => found(catalogue, A, position))).toEqual(['one', 'one', null]);
    expect([0, 2, 3, 8, 9].map((position) => found(catalogue, B, position))).toEqual(['one', 'one', 'two', 'two', null]);
    expect([A, B, C].map((prefix) => catalogue.coveredTo(prefix))).toEqual([5, 9, 0]);
    expect({ superseded: superseded(catalogue), depth: catalogue.depth }).toEqual({ superseded: [], depth: 1 });
  });

  it('takes the one that goes on furthest', () => {
    const catalogue = catalogueOf({ short: [[A, 0, 5]], long: [[A, 3, 9]] });
    expect([0, 2, 3, 4, 8].map((position) => found(catalogue, A, position))).toEqual(['short', 'short', 'long', 'long', 'long']);
    expect(catalogue.coveredTo(A)).toBe(9);
  });

  it('calls a segment superseded when others have all it has, and never all of those', () => {
    const catalogue = catalogueOf({
      old: [
        [A, 0, 5],
        [B, 0, 2],
      ],
      older: [[A, 0, 2]],
      fresh: [[A, 0, 7]],
    });
    expect(superseded(catalogue)).toEqual(['older']);
    expect(superseded(catalogueOf({ one: [[A, 0, 5]], two: [[A, 0, 5]] }))).toEqual(['two']);
    expect(superseded(catalogueOf({ one: [[A, 0, 2]], two: [[A, 2, 5]], both: [[A, 0, 5]] }))).toEqual(['one', 'two']);
  });

  it('reads nothing from a superseded one, though it would do as well', () => {
    for (const names of [
      ['a', 'b', 'c'],
      ['c', 'b', 'a'],
      ['b', 'c', 'a'],
    ] as const) {
      const [first, daily, anew] = names;
      const catalogue = catalogueOf({
        [first]: [
          [A, 0, 5],
          [C, 0, 2],
        ],
        [daily]: [[B, 0, 2]],
        [anew]: [
          [A, 0, 5],
          [B, 0, 2],
          [C, 0, 2],
        ],
      });
      expect(superseded(catalogue).sort()).toEqual([first, daily].sort());
      expect([A, B, C].map((prefix) => found(catalogue, prefix, 0))).toEqual([anew, anew, anew]);
      expect(catalogue.depth).toBe(1);
    }
  });

  it('counts how many lie over one place, a long stream that goes on from one to the next not among them', () => {
    expect(
      catalogueOf({
        one: [[A, 0, 5]],
        two: [[A, 5, 9]],
        three: [
          [A, 9, 12],
          [C, 0, 1],
        ],
      }).depth,
    ).toBe(1);
    expect(
      catalogueOf({
        one: [
          [A, 0, 5],
          [C, 0, 1],
        ],
        two: [[B, 0, 2]],
        three: [[B, 2, 3]],
      }).depth,
    ).toBe(2);
    expect(catalogueOf({}).depth).toBe(0);
  });
});
