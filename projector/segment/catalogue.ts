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
   * The number of the segment to read a receipt from: of those that have it, superseded ones left out, the one that goes on furthest in its
   * stream. Null when none has it. (Two prefixes in 2^52 may be taken for each other: who opens the segment sees.)
   */
  readonly find: (prefix: string, position: number) => number | null;
  /** The first position of a stream that is in no segment, with all before it in some. */
  readonly coveredTo: (prefix: string) => number;
  /** Whether nothing is read from a segment, because others that are read have all it has. None of those can be done without. */
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
  const superseded = new Uint8Array(segments.length);
  const runsOf = runsByOwner(owners, segments.length);

  /** The run that goes on furthest from a position of a stream; -1 for none. */
  const furthest = (stream: number, position: number, without: number): number => {
    let best = -1;
    for (let i = lowerBound(streams, stream); streams[i] === stream; i++) {
      if (at(firsts, i) > position || at(ends, i) <= position) continue;
      const owner = at(owners, i);
      if (owner !== without && superseded[owner] !== 1 && (best < 0 || at(ends, i) > at(ends, best))) best = i;
    }
    return best;
  };
  const isInOthers = (run: number): boolean => {
    let position = at(firsts, run);
    while (position < at(ends, run)) {
      const other = furthest(at(streams, run), position, at(owners, run));
      if (other < 0) return false;
      position = at(ends, other);
    }
    return true;
  };
  for (const segment of smallestFirst(segments)) if (runsOf(segment).every(isInOthers)) superseded[segment] = 1;

  return {
    segments,
    find: (prefix, position) => {
      const run = furthest(streamNumber(prefix), position, NONE);
      return run < 0 ? null : at(owners, run);
    },
    coveredTo: (prefix) => {
      const stream = streamNumber(prefix);
      let position = 0;
      for (let run = furthest(stream, 0, NONE); run >= 0; run = furthest(stream, position, NONE)) position = at(ends, run);
      return position;
    },
    isSuperseded: (segment) => superseded[segment] === 1,
    depth: deepestOf(segments.filter((_, n) => superseded[n] !== 1)),
  };
};

const NONE = -1;

/** The order in which segments are done without, if they can be: small ones first, so that few large ones are left. */
const smallestFirst = (segments: readonly SegmentCard[]): readonly number[] => {
  const sizeOf = (n: number): number => segments[n]?.receipts ?? 0;
  return [...segments.keys()].sort((a, b) => sizeOf(a) - sizeOf(b) || b - a);
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

/** The runs of each segment. */
const runsByOwner = (owners: Uint32Array, segments: number): ((segment: number) => Uint32Array) => {
  const begins = new Uint32Array(segments + 1);
  for (const owner of owners) begins[owner + 1] = at(begins, owner + 1) + 1;
  for (let n = 0; n < segments; n++) begins[n + 1] = at(begins, n + 1) + at(begins, n);
  const runs = new Uint32Array(owners.length);
  const filled = begins.slice();
  for (const [run, owner] of owners.entries()) {
    runs[at(filled, owner)] = run;
    filled[owner] = at(filled, owner) + 1;
  }
  return (segment) => runs.subarray(at(begins, segment), at(begins, segment + 1));
};
