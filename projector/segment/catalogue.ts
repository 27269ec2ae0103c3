import { hash } from 'node:crypto';
import { SEGMENT_ORDER, type SegmentCard, cardOf, deepestOf } from './segment-card.ts';
import type { SegmentIndex } from './segment-index.ts';

/**
 * Which segment has which receipts. Of each run it keeps some thirty bytes, whatever it holds, so that a catalogue of a hundred million
 * receipts still fits into every reading thread.
 */
export type Catalogue = {
  /** In the order of what they begin with. */
  readonly segments: readonly SegmentCard[];
  /**
   * The number of the segment to read a receipt from: of those that have it the one that goes on furthest in its stream, and of equals the
   * one whose name sorts first. Null when none has it. (Two prefixes in 2^52 may be taken for each other: who opens the segment sees.)
   */
  readonly find: (prefix: string, position: number) => number | null;
  /** The first position of a stream that is in no segment, with all before it in some. */
  readonly coveredTo: (prefix: string) => number;
  /** Whether nothing is read from a segment any more, because others have all it has. */
  readonly isSuperseded: (segment: number) => boolean;
  /** The most segments, superseded ones left out, that lie over one place of the key order. */
  readonly depth: number;
};

export type CatalogueInTheMaking = { readonly add: (name: string, index: SegmentIndex) => void; readonly done: () => Catalogue };

/** Puts a catalogue together from indexes, in any order. */
export const openCatalogue = (): CatalogueInTheMaking => {
  const cards: SegmentCard[] = [];
  const runs: Run[] = [];
  return {
    add: (name, index) => {
      const card = cardOf(name, index);
      cards.push(card);
      for (const { prefix, first, lengths } of index.streams)
        runs.push({ stream: streamNumber(prefix), first, end: first + lengths.length, card });
    },
    done: () => catalogueOf(cards.sort(SEGMENT_ORDER), runs),
  };
};

export const emptyCatalogue = (): Catalogue => openCatalogue().done();

type Run = { readonly stream: number; readonly first: number; readonly end: number; readonly card: SegmentCard };

/** 52 bits of SHA-256 stand for a prefix. */
const streamNumber = (prefix: string): number => Number.parseInt(hash('sha256', prefix, 'hex').slice(0, 13), 16);

const catalogueOf = (segments: readonly SegmentCard[], unsorted: readonly Run[]): Catalogue => {
  const numbers = new Map(segments.map((card, n) => [card, n]));
  const runs = unsorted.toSorted((a, b) => a.stream - b.stream);
  const streams = Float64Array.from(runs, ({ stream }) => stream);
  const firsts = Float64Array.from(runs, ({ first }) => first);
  const ends = Float64Array.from(runs, ({ end }) => end);
  const owners = Uint32Array.from(runs, ({ card }) => numbers.get(card) ?? 0);

  /** The run to read a position of a stream from; -1 for none. */
  const furthest = (stream: number, position: number): number => {
    let best = -1;
    for (let i = lowerBound(streams, stream); streams[i] === stream; i++) {
      if (at(firsts, i) > position || at(ends, i) <= position) continue;
      const further = best < 0 ? 1 : at(ends, i) - at(ends, best);
      if (further > 0 || (further === 0 && nameOf(i) < nameOf(best))) best = i;
    }
    return best;
  };
  const nameOf = (run: number): string => segments[at(owners, run)]?.name ?? '';

  // A run from which its first receipt is not read goes no further than the one that has it instead, so none of it is read.
  const isRead = new Uint8Array(segments.length);
  for (let i = 0; i < streams.length; i++) {
    const owner = at(owners, i);
    if (at(owners, furthest(at(streams, i), at(firsts, i))) === owner) isRead[owner] = 1;
  }

  return {
    segments,
    find: (prefix, position) => {
      const run = furthest(streamNumber(prefix), position);
      return run < 0 ? null : at(owners, run);
    },
    coveredTo: (prefix) => {
      const stream = streamNumber(prefix);
      let position = 0;
      for (let run = furthest(stream, 0); run >= 0; run = furthest(stream, position)) position = at(ends, run);
      return position;
    },
    isSuperseded: (segment) => isRead[segment] !== 1,
    depth: deepestOf(segments.filter((_, n) => isRead[n] === 1)),
  };
};

const at = (values: Float64Array | Uint32Array, i: number): number => values[i] ?? 0;

/** The first of sorted numbers that is not less than `value`. */
const lowerBound = (sorted: Float64Array, value: number): number => {
  let low = 0;
  for (let high = sorted.length; low < high; ) {
    const middle = (low + high) >>> 1;
    if (at(sorted, middle) < value) low = middle + 1;
    else high = middle;
  }
  return low;
};
