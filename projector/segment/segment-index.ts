import { limits } from '../../src/limits.ts';
import { canonicalBytes, parseCanonical } from '../../src/receipt/canonical.ts';
import { type Json, isJsonObject } from '../../src/receipt/json.ts';
import { MAX_POSITION, parsePrefix } from '../../src/receipt/key-path.ts';
import { type Result, err, ok } from '../../src/result.ts';
import { isSegmentName } from './segment-key.ts';

/** A run of one stream in a segment: consecutive receipts from `first` on, and how many bytes each has. */
export type SegmentRun = { readonly prefix: string; readonly first: number; readonly lengths: readonly number[] };

/** What a segment holds: its receipts lie one after another in the order of these runs, so that offsets follow from lengths. */
export type SegmentIndex = {
  /** The name of the packed receipts: SHA-256 of that object. */
  readonly data: string;
  /** Bytes of the receipts, and of the object they are packed in. */
  readonly rawBytes: number;
  readonly storedBytes: number;
  readonly receipts: number;
  /** In the order of prefixes, each once. */
  readonly streams: readonly SegmentRun[];
};

export type MalformedIndex = { readonly code: 'malformed-index'; readonly detail: string };

const VERSION = 1;

/**
 * The object `segments/index/…`: JCS of `{data, rawBytes, receipts, storedBytes, streams: [{first, lengths, prefix}], version: 1}`
 * (diagrams/decisions/0019-segments.md).
 */
export const encodeIndex = ({ data, rawBytes, storedBytes, receipts, streams }: SegmentIndex): Uint8Array =>
  canonicalBytes({
    data,
    rawBytes,
    receipts,
    storedBytes,
    streams: streams.map(({ first, lengths, prefix }) => ({ first, lengths: [...lengths], prefix })),
    version: VERSION,
  });

/**
 * Strict reading of an index: canonical bytes, exactly its members, prefixes of streams in order, sums that agree, and no more than
 * `limits.segmentUnpackedBytes` to unpack. Errors: `malformed-index`.
 */
export const parseIndex = (bytes: Uint8Array): Result<SegmentIndex, MalformedIndex> => {
  if (bytes.length > limits.segmentIndexBytes) return malformed(`over ${limits.segmentIndexBytes} bytes`);
  const parsed = parseCanonical(bytes);
  if (!parsed.ok) return malformed(parsed.error.detail);
  const { value } = parsed.value;
  if (!hasExactly(value, ['data', 'rawBytes', 'receipts', 'storedBytes', 'streams', 'version']))
    return malformed('it has not exactly the members of an index');
  const { data, rawBytes, receipts, storedBytes } = value;
  if (value.version !== VERSION) return malformed(`version is not ${VERSION}`);
  if (!isSegmentName(data)) return malformed('data is not 64 lower-case hex');
  if (!isCount(rawBytes, limits.segmentUnpackedBytes) || !isCount(storedBytes, limits.storedObjectBytes))
    return malformed('sizes are not those of a segment');
  const listed = listIn(value.streams);
  if (listed === null) return malformed('streams is not a list');
  const streams: SegmentRun[] = [];
  const sum = { bytes: 0, receipts: 0 };
  for (const each of listed) {
    const run = parseRun(each);
    if (run === null || run.prefix <= (streams.at(-1)?.prefix ?? ''))
      return malformed('streams are not runs of receipts in the order of their prefixes');
    streams.push(run);
    sum.receipts += run.lengths.length;
    for (const length of run.lengths) sum.bytes += length;
  }
  if (sum.bytes !== rawBytes || sum.receipts !== receipts)
    return malformed('rawBytes and receipts are not the sums of its streams');
  return ok({ data, rawBytes, storedBytes, receipts, streams });
};

const malformed = (detail: string): Result<never, MalformedIndex> => err({ code: 'malformed-index', detail });

const isCount = (value: Json | undefined, most: number): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value > 0 && value <= most;

const listIn = (value: Json | undefined): readonly Json[] | null => (Array.isArray(value) ? value : null);

const hasExactly = (value: Json, members: readonly string[]): value is { readonly [member: string]: Json } =>
  isJsonObject(value) && Object.keys(value).length === members.length && members.every((name) => Object.hasOwn(value, name));

const parseRun = (value: Json): SegmentRun | null => {
  if (!hasExactly(value, ['first', 'lengths', 'prefix'])) return null;
  const { first, prefix } = value;
  const lengths = listIn(value.lengths);
  if (typeof prefix !== 'string' || !parsePrefix(prefix).ok) return null;
  if (typeof first !== 'number' || !Number.isSafeInteger(first) || first < 0) return null;
  if (lengths === null || lengths.length === 0 || first + lengths.length - 1 > MAX_POSITION) return null;
  const sizes: number[] = [];
  for (const length of lengths) {
    if (!isCount(length, limits.receiptBytes)) return null;
    sizes.push(length);
  }
  return { prefix, first, lengths: sizes };
};
