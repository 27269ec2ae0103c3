import type { BigIntStats } from 'node:fs';
import { LRUCache } from 'lru-cache';
import { limits } from '../../limits.ts';
import { compareKeys } from '../../port/key-order.ts';
import { calls } from './file-calls.ts';
import { errnoOf } from './file-fault.ts';

/** The entries of a directory in the order of their keys: files by name, directories as `name/`. Empty when there is none. */
export type DirectoryReader = (path: string) => Promise<readonly string[]>;

type Remembered = { readonly state: string; readonly entries: readonly string[] };

/**
 * Reads directories, and remembers the large ones that are at rest, or else a walk of a long stream would read it again for
 * each page. Remembered entries are used only while the directory's inode and its change times (which no program can set back)
 * are the same. A time stamp is only as fine as the file system's clock, so what changed within `limits.directoryRestMs` is
 * never remembered: a later entry could bear the same time. So nothing remembered can hide a receipt.
 */
export const directoryReader = (nowMs: () => number): DirectoryReader => {
  const atRest = new LRUCache<string, Remembered>({
    maxSize: limits.rememberedEntries,
    sizeCalculation: ({ entries }) => entries.length,
  });

  return async (path) => {
    const known = atRest.get(path);
    if (known && known.state === stateOf(await factsOf(path))) return known.entries;
    const entries = await sortedEntries(path);
    if (entries.length <= limits.listPageKeys) return entries;
    // The state first, then the entries that go with it: what is made in between changes the state, and the next page sees that.
    const state = await factsOf(path);
    if (state === null || nowMs() - Number(state.ctimeMs) <= limits.directoryRestMs) return entries;
    const again = await sortedEntries(path);
    atRest.set(path, { state: stateOf(state), entries: again });
    return again;
  };
};

const factsOf = (path: string): Promise<BigIntStats | null> => calls.lstat(path, { bigint: true }).catch(() => null);

const stateOf = (facts: BigIntStats | null): string =>
  facts ? `${facts.dev}:${facts.ino}:${facts.ctimeNs}:${facts.mtimeNs}` : '';

/** Symbolic links and other non-files are no objects. */
const sortedEntries = async (path: string): Promise<string[]> => {
  try {
    const entries = await calls.readdir(path, { withFileTypes: true });
    const names: string[] = [];
    for (const entry of entries) {
      if (entry.isFile()) names.push(entry.name);
      else if (entry.isDirectory()) names.push(`${entry.name}/`);
    }
    return names.sort(compareKeys);
  } catch (error) {
    const code = errnoOf(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return [];
    throw error;
  }
};
