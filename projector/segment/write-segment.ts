import { limits } from '../../src/limits.ts';
import { type Clock, withDeadline } from '../../src/port/clock.ts';
import type { ReceiptStore } from '../../src/port/receipt-store.ts';
import { createPatiently } from '../patient-create.ts';
import type { SealedSegment, SegmentObject } from './segment-draft.ts';
import { type SegmentFault, invalidSegment } from './segment-fault.ts';

/**
 * Puts a segment into the store, receipts before index: the index is what makes it one. Another worker may be writing the very same. Answers
 * `made`, `there` when the index was there before, or the fault of an object under its key that holds something else. Throws `Outage`.
 */
export const writeSegment = async (
  store: ReceiptStore,
  clock: Clock,
  { index, data }: SealedSegment,
): Promise<'made' | 'there' | SegmentFault> => {
  const packed = await put(store, clock, data);
  if (typeof packed === 'object') return packed;
  // A crash here leaves receipts that no index tells of: the next run packs the same, finds them, and goes on from here.
  return put(store, clock, index);
};

const put = async (
  store: ReceiptStore,
  clock: Clock,
  { key, bytes }: SegmentObject,
): Promise<'made' | 'there' | SegmentFault> => {
  if (await createPatiently(store, clock, key, bytes)) return 'made';
  const there = await withDeadline(clock, 'store', limits.storeTimeoutMs, () => store.read(key));
  return there !== null && Buffer.compare(there, bytes) === 0
    ? 'there'
    : invalidSegment(key, 'it holds something else than its name says');
};
