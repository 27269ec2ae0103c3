import { limits } from '../../src/limits.ts';
import type { ReceiptStore } from '../../src/port/receipt-store.ts';
import { eventIdAtPrefix } from '../../src/receipt/key-path.ts';
import type { LedgerSource } from '../source.ts';
import type { Catalogue } from './catalogue.ts';
import { idInKey, positionInKey, prefixInKey, saysIdIn } from './event-place.ts';
import type { Place } from './segment-card.ts';
import { type SegmentFault, type SegmentUse, differentSegment } from './segment-fault.ts';
import { dataKeyOf } from './segment-key.ts';
import { type ShelvedSegment, openShelf } from './segment-shelf.ts';
import { type ShownKeys, openShownKeys } from './shown-keys.ts';
import { type PlacedRun, receiptOf } from './unpacked-segment.ts';

export type SegmentsOfSource = {
  /** Where the segments are; closed with the source. */
  readonly store: ReceiptStore;
  readonly catalogue: Catalogue;
  /** What was wrong with indexes that are not in the catalogue. */
  readonly faults: readonly SegmentFault[];
  /** `samples`: events are read for a few receipts of each segment, and compared. `all`: for every receipt, so that segments save nothing. */
  readonly compare: 'samples' | 'all';
  /** A number in [0, 1), to choose samples. */
  readonly random?: (() => number) | undefined;
};

/**
 * A ledger of which many receipts are read from segments. What is there, the ledger below says: its listings are handed on, and only a key
 * that one has shown is answered from a segment, so that a receipt which is in a segment alone is missing. Whatever is wrong with
 * a segment, the events are read instead, and the fault is told by `takeSegmentUse`. Throws `Outage`.
 */
export const segmentedSource = (below: LedgerSource, segments: SegmentsOfSource): LedgerSource => {
  const shown = openShownKeys();
  const use = openUse(segments.faults);
  const shelf = openShelf(segments.store, segments.catalogue, use.fault);
  const reading: Reading = { ...segments, random: segments.random ?? Math.random, below, shown, shelf, use };
  return {
    ...below,
    pages: async function* (listing) {
      for await (const page of below.pages(listing)) {
        shown.show(listing.prefix, page);
        yield page;
      }
    },
    readMany: (keys) => readMany(reading, keys),
    takeSegmentUse: use.take,
    placeOf: (prefix) => segments.catalogue.find(prefix, 0),
    close: async () => {
      await Promise.all([below.close(), segments.store.close()]);
    },
  };
};

type Use = {
  readonly count: { read: number; compared: number };
  readonly fault: (fault: SegmentFault) => void;
  readonly take: () => SegmentUse;
};

const openUse = (before: readonly SegmentFault[]): Use => {
  const count = { read: 0, compared: 0 };
  let faults = [...before];
  return {
    count,
    fault: (fault) => void faults.push(fault),
    take: () => {
      const taken = { ...count, faults };
      Object.assign(count, { read: 0, compared: 0 });
      faults = [];
      return taken;
    },
  };
};

type Reading = {
  readonly below: LedgerSource;
  readonly catalogue: Catalogue;
  readonly compare: SegmentsOfSource['compare'];
  readonly random: () => number;
  readonly shown: ShownKeys;
  readonly shelf: ReturnType<typeof openShelf>;
  readonly use: Use;
};

/** The run of a segment that receipts are being taken from: consecutive keys are nearly always in the same one. */
type Cursor = { readonly prefix: string; readonly segment: ShelvedSegment; readonly run: PlacedRun };

const readMany = async (reading: Reading, keys: readonly string[]): Promise<readonly (Uint8Array | null)[]> => {
  const objects: (Uint8Array | null)[] = new Array<null>(keys.length).fill(null);
  const asked: number[] = [];
  const owners = new Map<number, ShelvedSegment>();
  // Before anything is waited for: meanwhile others would list so much that what was shown of these is forgotten.
  const places = shownPlaces(reading.shown, keys);
  let cursor: Cursor | null = null;
  for (const [i, { prefix, position }] of places.entries()) {
    const key = keys[i] ?? '';
    const isThere = position >= 0;
    if (isThere && (cursor === null || !isIn(cursor, prefix, position))) cursor = await seek(reading, prefix, position);
    const bytes =
      isThere && cursor !== null ? receiptOf(cursor.segment.unpacked, cursor.run.at + position - cursor.run.first) : null;
    // Somebody else's object among the receipts has a position too, and no segment has it.
    if (bytes === null || cursor === null || (!saysIdIn(key, bytes) && eventIdAtPrefix(prefix, position) !== idInKey(key))) {
      asked.push(i);
      continue;
    }
    objects[i] = bytes;
    reading.use.count.read += 1;
    if (!isSample(reading, cursor, keys.length - i) && saysIdIn(key, bytes)) continue;
    owners.set(i, cursor.segment);
    asked.push(i);
  }
  return asked.length === 0 ? objects : withEvents(reading, keys, objects, asked, owners);
};

/** The stream and position of each key that a listing has shown; position -1 for any other. */
const shownPlaces = (shown: ShownKeys, keys: readonly string[]): readonly Place[] => {
  let prefix = '';
  return keys.map((key) => {
    // Text that is the same object is found much faster.
    if (prefix === '' || !key.startsWith(prefix)) prefix = prefixInKey(key);
    const position = positionInKey(prefix, key);
    return { prefix, position: position >= 0 && shown.isShown(prefix, position, key) ? position : -1 };
  });
};

const isIn = ({ prefix, run }: Cursor, wanted: string, position: number): boolean =>
  prefix === wanted && position >= run.first && position < run.end;

const seek = async ({ catalogue, shelf }: Reading, prefix: string, position: number): Promise<Cursor | null> => {
  const number = catalogue.find(prefix, position);
  if (number === null) return null;
  const segment = shelf.held(number) ?? (await shelf.fetch(number));
  const run = segment?.unpacked.runs.get(prefix);
  if (segment === null || run === undefined) return null;
  const cursor = { prefix, segment, run };
  return isIn(cursor, prefix, position) ? cursor : null;
};

/** One of the first receipts that are taken from a segment, and then about one in `limits.segmentSampleReceipts`. */
const isSample = ({ compare, random }: Reading, { segment }: Cursor, left: number): boolean => {
  segment.untilSample ??= Math.floor(random() * left);
  if (segment.untilSample > 0 && compare === 'samples') {
    segment.untilSample -= 1;
    return false;
  }
  segment.untilSample = Math.floor(random() * 2 * limits.segmentSampleReceipts);
  return true;
};

/** Reads the events that no segment has, and those that are to be compared, which then are what counts. */
const withEvents = async (
  { below, catalogue, use }: Reading,
  keys: readonly string[],
  objects: (Uint8Array | null)[],
  asked: readonly number[],
  owners: ReadonlyMap<number, ShelvedSegment>,
): Promise<readonly (Uint8Array | null)[]> => {
  const events = await below.readMany(asked.map((i) => keys[i] ?? ''));
  for (const [n, i] of asked.entries()) {
    const event = events[n] ?? null;
    const owner = owners.get(i);
    const bytes = objects[i];
    if (owner !== undefined && bytes && event !== null) {
      use.count.compared += 1;
      const data = catalogue.segments[owner.number]?.data ?? '';
      if (Buffer.compare(bytes, event) !== 0) use.fault(differentSegment(dataKeyOf(data), keys[i] ?? ''));
    }
    objects[i] = event;
  }
  return objects;
};
