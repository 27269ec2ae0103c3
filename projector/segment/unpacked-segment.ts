import { constants, zstdDecompressSync } from 'node:zlib';
import { type Result, err, ok } from '../../src/result.ts';
import type { SegmentIndex, SegmentRun } from './segment-index.ts';
import { segmentNameOf } from './segment-key.ts';

/** Where a run begins among the receipts of a segment, counted in receipts. */
export type PlacedRun = { readonly first: number; readonly end: number; readonly at: number };

/** The receipts of a segment, ready to be handed out. */
export type UnpackedSegment = {
  readonly bytes: Buffer;
  /** Receipt `n` of the segment is `bytes` from `offsets[n]` to `offsets[n + 1]`. */
  readonly offsets: Uint32Array;
  readonly runs: ReadonlyMap<string, PlacedRun>;
};

/**
 * Unpacks the receipts that an index tells of: SHA-256 of the object must be the name the index gives it, and what comes out as long as the
 * index says, so that nothing can swell. Errors: `malformed-data`.
 */
export const unpackSegment = (
  index: SegmentIndex,
  packed: Uint8Array,
): Result<UnpackedSegment, { readonly code: 'malformed-data'; readonly detail: string }> => {
  const malformed = (detail: string) => err({ code: 'malformed-data', detail } as const);
  if (packed.length !== index.storedBytes || segmentNameOf(packed) !== index.data)
    return malformed('its SHA-256 is not its name, or its size not that of the index');
  const bytes = unpackedOrNull(packed, index.rawBytes);
  if (bytes?.length !== index.rawBytes) return malformed(`it does not unpack to ${index.rawBytes} bytes`);
  return ok({ bytes, ...layoutOf(index) });
};

const unpackedOrNull = (packed: Uint8Array, most: number): Buffer | null => {
  try {
    const params = { [constants.ZSTD_d_windowLogMax]: WIDEST_WINDOW_LOG };
    // In one piece, and a little more to see that it is over: pieces would be put together, and lie about until they are collected.
    return zstdDecompressSync(packed, { maxOutputLength: most, chunkSize: most + SPARE_BYTES, params });
  } catch {
    return null;
  }
};

const SPARE_BYTES = 64;

/** 2^24 bytes: as many as a segment may have unpacked. */
const WIDEST_WINDOW_LOG = 24;

const layoutOf = ({ receipts, streams }: SegmentIndex): Pick<UnpackedSegment, 'offsets' | 'runs'> => {
  const offsets = new Uint32Array(receipts + 1);
  const runs = new Map<string, PlacedRun>();
  let n = 0;
  let offset = 0;
  for (const { prefix, first, lengths } of streams) {
    runs.set(prefix, { first, end: first + lengths.length, at: n });
    for (const length of lengths) {
      offset += length;
      n += 1;
      offsets[n] = offset;
    }
  }
  return { offsets, runs };
};

/** The exact bytes of receipt `n` of a segment: a slice, not a copy. */
export const receiptOf = ({ bytes, offsets }: UnpackedSegment, n: number): Buffer =>
  bytes.subarray(offsets[n] ?? 0, offsets[n + 1] ?? 0);

/** Every receipt of a segment in order, by stream and position. */
export function* receiptsOf(
  { streams }: SegmentIndex,
  unpacked: UnpackedSegment,
): Iterable<{ readonly prefix: SegmentRun['prefix']; readonly position: number; readonly bytes: Buffer }> {
  let n = 0;
  for (const { prefix, first, lengths } of streams)
    for (let i = 0; i < lengths.length; i++) yield { prefix, position: first + i, bytes: receiptOf(unpacked, n++) };
}
