import { z } from 'zod';
import { canonicalText, parseCanonical } from '../../src/receipt/canonical.ts';
import {
  type CollectionId,
  type DropId,
  type ReceiptHash,
  parseCollectionId,
  parseDropId,
  parseReceiptHash,
} from '../../src/receipt/ids.ts';
import { MAX_POSITION, parsePrefix } from '../../src/receipt/key-path.ts';

/** What a verification record says of one stream: all of it up to `position` was seen and was true. */
export type VerifiedStream = {
  readonly prefix: string;
  readonly position: number;
  /** Of the receipt at `position`. */
  readonly hash: ReceiptHash;
  /**
   * 64 hex: SHA-256 over key and tag of each object up to `position`, as they were before they were read. Null where they prove nothing: then
   * the stream is verified anew, as if it were not in the record.
   */
  readonly tags: string | null;
  /** Drops that packs of the stream were drawn from while nobody knew their seed: to be judged again when it is told. */
  readonly draws: { readonly collectionId: CollectionId; readonly dropIds: readonly DropId[] } | null;
};

/**
 * A stream that is in the record. Not `trusted`: nothing is taken from the record as verified, but what it has seen must still be there.
 */
export type RecordedStream = { readonly entry: VerifiedStream; readonly trusted: boolean };

const branded = <T extends string>(parse: (text: unknown) => { readonly ok: boolean }): z.ZodType<T> =>
  z.custom<T>((text) => parse(text).ok);

const line = z.tuple([
  z.custom<string>((text) => typeof text === 'string' && parsePrefix(text).ok),
  z.int().min(0).max(MAX_POSITION),
  branded<ReceiptHash>(parseReceiptHash),
  z.nullable(z.string().regex(/^[0-9a-f]{64}$/)),
  z.union([z.tuple([]), z.tuple([branded<CollectionId>(parseCollectionId)], branded<DropId>(parseDropId))]),
]);

/**
 * An entry as canonical JSON: `[prefix, position, hash, tags, [collectionId, dropId…]]`, the last `[]` where no draw is open. No prefix is
 * the beginning of another, so lines sort as their prefixes do.
 */
export const lineOf = ({ prefix, position, hash, tags, draws }: VerifiedStream): string =>
  canonicalText([prefix, position, hash, tags, draws === null ? [] : [draws.collectionId, ...draws.dropIds]]);

/** Lines → one canonical array. */
export const textOfLines = (lines: readonly string[]): string => `[${lines.join(',')}]`;

/** The entries of a text that `textOfLines` made, or null for any other bytes: another spelling, another order, a stream twice. */
export const parseEntries = (bytes: Uint8Array): readonly VerifiedStream[] | null => {
  const read = parseCanonical(bytes);
  const parsed = read.ok ? z.array(line).safeParse(read.value.value) : null;
  if (!parsed?.success) return null;
  const entries = parsed.data.map(([prefix, position, hash, tags, [collectionId, ...dropIds]]) => ({
    ...{ prefix, position, hash, tags },
    draws: collectionId === undefined || dropIds.length === 0 ? null : { collectionId, dropIds },
  }));
  return entries.every(({ prefix }, i) => i === 0 || (entries[i - 1]?.prefix ?? '') < prefix) ? entries : null;
};
