import pMap from 'p-map';
import { limits } from '../../src/limits.ts';
import { type Clock, withDeadline } from '../../src/port/clock.ts';
import type { ReceiptStore } from '../../src/port/receipt-store.ts';
import type { Catalogue } from './catalogue.ts';
import { readSegment } from './read-segment.ts';
import type { SegmentCard } from './segment-card.ts';
import type { SegmentFault } from './segment-fault.ts';
import { dataKeyOf, indexKeyOf } from './segment-key.ts';

/**
 * Deletes the segments that cannot be used: what they should have held is bundled again. Reads every segment whole. `unread` are the faults
 * of indexes that are not in the catalogue. Answers how many. Throws `Outage`.
 */
export const pruneBroken = async (
  store: ReceiptStore,
  clock: Clock,
  catalogue: Catalogue,
  unread: readonly SegmentFault[],
): Promise<number> => {
  for (const { key } of unread) await discard(store, clock, key);
  const broken = await pMap(
    catalogue.segments,
    async (card) => {
      const segment = await readSegment(store, card.name);
      return segment === null || segment.ok ? [] : [card];
    },
    { concurrency: limits.segmentsKept },
  );
  for (const card of broken.flat()) await pruneOne(store, clock, card, true);
  return unread.length + broken.flat().length;
};

/**
 * Deletes the segments that nothing is read from any more. Whoever is reading one meanwhile finds it gone and reads the events. Answers how
 * many. Throws `Outage`.
 */
export const pruneSuperseded = async (store: ReceiptStore, clock: Clock, catalogue: Catalogue): Promise<number> => {
  const [old, kept] = [true, false].map((is) => catalogue.segments.filter((_, n) => catalogue.isSuperseded(n) === is));
  const keptData = new Set(kept?.map(({ data }) => data));
  for (const card of old ?? []) await pruneOne(store, clock, card, !keptData.has(card.data));
  return old?.length ?? 0;
};

const pruneOne = async (store: ReceiptStore, clock: Clock, { name, data }: SegmentCard, withData: boolean): Promise<void> => {
  await discard(store, clock, indexKeyOf(name));
  // A crash here leaves receipts that no index tells of: room lost, and nothing else.
  if (withData) await discard(store, clock, dataKeyOf(data));
};

const discard = (store: ReceiptStore, clock: Clock, key: string): Promise<void> =>
  withDeadline(clock, 'store', limits.storeTimeoutMs, () => store.discard(key));
