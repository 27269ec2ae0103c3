import { limits } from '../../src/limits.ts';
import { systemClock, withDeadline } from '../../src/port/clock.ts';
import { Outage } from '../../src/port/outage.ts';
import type { ReceiptStore } from '../../src/port/receipt-store.ts';
import { type Result, err, ok } from '../../src/result.ts';
import { type SegmentFault, invalidSegment } from './segment-fault.ts';
import { type SegmentIndex, parseIndex } from './segment-index.ts';
import { dataKeyOf, indexKeyOf, segmentNameOf } from './segment-key.ts';
import { type UnpackedSegment, unpackSegment } from './unpacked-segment.ts';

/** A segment that was read whole. */
export type ReadSegment = { readonly index: SegmentIndex; readonly unpacked: UnpackedSegment };

/** Reads an index by its name. Null when there is none: somebody pruned it. Throws `Outage`. */
export const readIndex = async (store: ReceiptStore, name: string): Promise<Result<SegmentIndex, SegmentFault> | null> => {
  const key = indexKeyOf(name);
  const bytes = await objectAt(store, key);
  if (bytes === null) return null;
  if (bytes === 'refused' || segmentNameOf(bytes) !== name) return err(invalidSegment(key, 'its SHA-256 is not its name'));
  const index = parseIndex(bytes);
  return index.ok ? index : err(invalidSegment(key, index.error.detail));
};

/** Reads a segment by the name of its index. Null when it was pruned. Throws `Outage`. */
export const readSegment = async (store: ReceiptStore, name: string): Promise<Result<ReadSegment, SegmentFault> | null> => {
  const index = await readIndex(store, name);
  if (index === null || !index.ok) return index;
  const key = dataKeyOf(index.value.data);
  const packed = await objectAt(store, key);
  // Whoever prunes takes the index away first.
  if (packed === null)
    return (await objectAt(store, indexKeyOf(name))) === null ? null : err(invalidSegment(key, 'it is missing'));
  if (packed === 'refused') return err(invalidSegment(key, 'the store refuses to hand it out'));
  const unpacked = unpackSegment(index.value, packed);
  return unpacked.ok ? ok({ index: index.value, unpacked: unpacked.value }) : err(invalidSegment(key, unpacked.error.detail));
};

/** An object that nobody could have written as a segment must not stop whoever reads a ledger. */
const objectAt = async (store: ReceiptStore, key: string): Promise<Uint8Array | null | 'refused'> => {
  try {
    return await withDeadline(systemClock, 'store', limits.storeTimeoutMs, () => store.read(key));
  } catch (error) {
    if (error instanceof Outage && error.code === 'store-refused') return 'refused';
    throw error;
  }
};
