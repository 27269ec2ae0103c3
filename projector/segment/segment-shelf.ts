import { limits } from '../../src/limits.ts';
import type { ReceiptStore } from '../../src/port/receipt-store.ts';
import type { Catalogue } from './catalogue.ts';
import { readSegment } from './read-segment.ts';
import type { SegmentFault } from './segment-fault.ts';
import type { UnpackedSegment } from './unpacked-segment.ts';

/** An unpacked segment, and how many more of its receipts are read before one is held against its event; null until it was first asked. */
export type ShelvedSegment = { readonly unpacked: UnpackedSegment; readonly number: number; untilSample: number | null };

/**
 * The unpacked segments that one reader holds, at most `limits.segmentShelfBytes` of them besides those on their way. What cannot be used is
 * told to `onFault` once, and not asked for again.
 */
export type SegmentShelf = {
  /** One that is here already. */
  readonly held: (segment: number) => ShelvedSegment | null;
  /** Reads one that is not: not the next one too, which is for another reader. Null when it cannot be used, or was pruned. Throws `Outage`. */
  readonly fetch: (segment: number) => Promise<ShelvedSegment | null>;
};

export const openShelf = (store: ReceiptStore, catalogue: Catalogue, onFault: (fault: SegmentFault) => void): SegmentShelf => {
  const held = heldSegments(catalogue);
  const coming = new Map<number, Promise<ShelvedSegment | null>>();
  const unusable = new Set<number>();

  const read = async (n: number): Promise<ShelvedSegment | null> => {
    const segment = await readSegment(store, catalogue.segments[n]?.name ?? '');
    if (segment?.ok) {
      const fresh = { unpacked: segment.value.unpacked, number: n, untilSample: null };
      held.put(fresh);
      return fresh;
    }
    unusable.add(n);
    if (segment !== null) onFault(segment.error);
    return null;
  };
  const bring = (n: number): Promise<ShelvedSegment | null> => {
    const before = coming.get(n);
    if (before !== undefined) return before;
    const reading = read(n).finally(() => coming.delete(n));
    coming.set(n, reading);
    return reading;
  };
  return {
    held: (n) => held.get(n),
    fetch: async (n) => (unusable.has(n) ? null : bring(n)),
  };
};

type HeldSegments = {
  readonly get: (segment: number) => ShelvedSegment | null;
  readonly put: (segment: ShelvedSegment) => void;
};

const heldSegments = ({ segments }: Catalogue): HeldSegments => {
  // In the order in which they were last asked for.
  const held = new Map<number, ShelvedSegment>();
  let bytes = 0;
  /** Streams are read in the order of their keys: what lies before the newest segment will hardly be asked for again. */
  const isDone = (n: number, newest: number): boolean => {
    const [old, fresh] = [segments[n], segments[newest]];
    return held.size > limits.segmentsKept && old !== undefined && fresh !== undefined && old.to.prefix < fresh.from.prefix;
  };
  return {
    get: (n) => {
      const segment = held.get(n);
      if (segment === undefined) return null;
      held.delete(n);
      held.set(n, segment);
      return segment;
    },
    put: (segment) => {
      held.set(segment.number, segment);
      bytes += segment.unpacked.bytes.length;
      for (const [n, oldest] of held) {
        if (n === segment.number || (bytes <= limits.segmentShelfBytes && !isDone(n, segment.number))) return;
        held.delete(n);
        bytes -= oldest.unpacked.bytes.length;
      }
    },
  };
};
