import { constants, zstdCompressSync } from 'node:zlib';
import { limits } from '../../src/limits.ts';
import { type SegmentIndex, encodeIndex } from './segment-index.ts';
import { dataKeyOf, indexKeyOf, segmentNameOf } from './segment-key.ts';

type Run = { readonly prefix: string; readonly first: number; readonly lengths: number[] };

/** Receipts gathered for one segment: consecutive positions of streams, in the order of keys. */
export type SegmentDraft = { readonly runs: Run[]; readonly pieces: Uint8Array[]; receipts: number; rawBytes: number };

export const emptyDraft = (): SegmentDraft => ({ runs: [], pieces: [], receipts: 0, rawBytes: 0 });

/** Whether a receipt of so many bytes goes into the draft, or must begin the next one. */
export const hasRoomFor = ({ receipts, rawBytes }: SegmentDraft, bytes: number): boolean =>
  receipts === 0 || (receipts < limits.segmentReceipts && rawBytes + bytes <= limits.segmentBytes);

/**
 * Adds the next receipt. Throws RangeError when it does not come after the last one in the order of prefixes and positions, without a gap in
 * its stream: the bundler's bug.
 */
export const addReceipt = (draft: SegmentDraft, prefix: string, position: number, bytes: Uint8Array): void => {
  const last = draft.runs.at(-1);
  if (last?.prefix === prefix) {
    if (position !== last.first + last.lengths.length) throw new RangeError(`position ${position} of ${prefix} is out of turn`);
    last.lengths.push(bytes.length);
  } else {
    if (last !== undefined && prefix <= last.prefix) throw new RangeError(`${prefix} comes after ${last.prefix}`);
    draft.runs.push({ prefix, first: position, lengths: [bytes.length] });
  }
  draft.pieces.push(bytes);
  draft.receipts += 1;
  draft.rawBytes += bytes.length;
};

export type SegmentObject = { readonly key: string; readonly bytes: Uint8Array };

/** The two objects of a segment. `data` must be there before `index` is made: whoever sees an index takes the receipts for granted. */
export type SealedSegment = { readonly index: SegmentObject; readonly data: SegmentObject; readonly about: SegmentIndex };

/** A draft, packed and named. The same receipts give the same two objects, as long as zstd packs as it does now. */
export const sealDraft = ({ runs, pieces, receipts, rawBytes }: SegmentDraft): SealedSegment => {
  const packed = zstdCompressSync(Buffer.concat(pieces, rawBytes), { params: PACKING });
  const data = segmentNameOf(packed);
  const about: SegmentIndex = { data, rawBytes, storedBytes: packed.length, receipts, streams: runs };
  const index = encodeIndex(about);
  return { index: { key: indexKeyOf(segmentNameOf(index)), bytes: index }, data: { key: dataKeyOf(data), bytes: packed }, about };
};

/** Receipts of one stream repeat each other: the window must span the segment, and a higher level gains nothing that is worth its time. */
const PACKING = { [constants.ZSTD_c_compressionLevel]: 3, [constants.ZSTD_c_windowLog]: 22 };
