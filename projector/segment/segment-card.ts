import type { SegmentIndex } from './segment-index.ts';

/** A place in the order of keys. */
export type Place = { readonly prefix: string; readonly position: number };

/** What a catalogue keeps of a segment. */
export type SegmentCard = {
  /** SHA-256 of its index, in hex: names it. */
  readonly name: string;
  /** SHA-256 of its packed receipts, in hex. */
  readonly data: string;
  readonly receipts: number;
  readonly rawBytes: number;
  readonly storedBytes: number;
  /** Its first receipt, and the place behind its last one: all it has lies between, and maybe not all that lies between is in it. */
  readonly from: Place;
  readonly to: Place;
};

export const cardOf = (name: string, { data, receipts, rawBytes, storedBytes, streams }: SegmentIndex): SegmentCard => {
  const [first] = streams;
  const last = streams.at(-1);
  if (first === undefined || last === undefined) throw new TypeError('an index without receipts');
  const from = { prefix: first.prefix, position: first.first };
  const to = { prefix: last.prefix, position: last.first + last.lengths.length };
  return { name, data, receipts, rawBytes, storedBytes, from, to };
};

const comparePlaces = (a: Place, b: Place): number =>
  a.prefix < b.prefix ? -1 : a.prefix > b.prefix ? 1 : a.position - b.position;

/** By what they begin with; then by name, so that there is one order. */
export const SEGMENT_ORDER = (a: SegmentCard, b: SegmentCard): number =>
  comparePlaces(a.from, b.from) || (a.name < b.name ? -1 : 1);

/** The most segments that lie over one place. */
export const deepestOf = (cards: readonly SegmentCard[]): number => {
  const begins = cards.map(({ from }) => from).sort(comparePlaces);
  const ends = cards.map(({ to }) => to).sort(comparePlaces);
  let ended = 0;
  let deepest = 0;
  for (const [n, place] of begins.entries()) {
    for (let end = ends[ended]; end !== undefined && comparePlaces(end, place) <= 0; end = ends[ended]) ended += 1;
    deepest = Math.max(deepest, n + 1 - ended);
  }
  return deepest;
};
