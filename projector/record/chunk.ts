import { hash } from 'node:crypto';
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { limits } from '../../src/limits.ts';
import { type VerifiedStream, parseEntries, textOfLines } from './verified-stream.ts';

/** A piece of a record: an object under a key that follows from its bytes. */
export type Chunk = { readonly sha256: string; readonly bytes: Uint8Array };

/** `sha256`: 64 hex over the object's bytes. */
export const chunkKey = (sha256: string): string => `verifications/chunks/${sha256}.zst`;

/** Lines of entries, in order, → the object that holds them: one canonical JSON array in a zstd frame (RFC 8878). */
export const sealChunk = (lines: readonly string[]): Chunk => {
  const bytes = zstdCompressSync(textOfLines(lines));
  return { sha256: hash('sha256', bytes, 'hex'), bytes };
};

/** The entries of the chunk with this hash, or null when these are not its bytes or it is not what `sealChunk` makes. */
export const openChunk = (bytes: Uint8Array, sha256: string): readonly VerifiedStream[] | null => {
  if (hash('sha256', bytes, 'hex') !== sha256) return null;
  const text = decompressed(bytes);
  return text === null ? null : parseEntries(text);
};

const decompressed = (bytes: Uint8Array): Uint8Array | null => {
  try {
    return zstdDecompressSync(bytes, { maxOutputLength: limits.recordChunkBytes });
  } catch {
    return null;
  }
};
