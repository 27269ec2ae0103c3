import { constants } from 'node:fs';
import { dirname } from 'node:path';
import { LRUCache } from 'lru-cache';
import { limits } from '../../limits.ts';
import { calls } from './file-calls.ts';
import { errnoOf } from './file-fault.ts';
import { openDirectories } from './open-directories.ts';

/**
 * A new file or directory survives loss of power only when the directory that names it was itself written to disk (fsync). This
 * part knows which directories below a root are safe, and writes them when they are not. Errors are the operating system's own.
 */
export type DurableDirectories = {
  /** Afterwards `path` and all directories from the root down to it exist and survive loss of power. */
  readonly ensure: (path: string) => Promise<void>;
  /** Afterwards every entry made in `path` before this call survives loss of power. Calls at one time share one fsync. */
  readonly settle: (path: string) => Promise<void>;
  /** Trusts nothing any more: somebody removed directories behind our back. */
  readonly forget: () => void;
};

/** A directory in the making: there (so that others can be made in it), and later durable. */
type Making = { readonly there: Promise<void>; readonly durable: Promise<void> };

/** For directories below `root`, which exists and is durable already. */
export const durableDirectories = (root: string): DurableDirectories => {
  const durable = new LRUCache<string, true>({ max: limits.durableDirectories });
  const making = new Map<string, Making>();
  const { settle, clear } = openDirectories();

  const make = (path: string): Making => {
    const parent = dirname(path);
    const above = parent === root || durable.get(parent) ? MADE : (making.get(parent) ?? make(parent));
    const there = above.there.then(async () => void (await makeDirectory(path)));
    // An existing directory is settled too: whoever made it may not have come so far. The fsyncs of a chain run side by side.
    const settled = Promise.all([above.durable, there.then(() => settle(parent))]);
    const made: Making = {
      there,
      durable: settled.then(() => void durable.set(path, true)).finally(() => making.delete(path)),
    };
    making.set(path, made);
    return made;
  };

  return {
    settle,
    ensure: async (path) => {
      if (path !== root && !durable.get(path)) await (making.get(path) ?? make(path)).durable;
    },
    forget: () => {
      durable.clear();
      clear();
    },
  };
};

/**
 * Makes the root of a store, and what is missing above it, durable. A parent that we may not open is left alone when the root was
 * there before us: then its maker saw to it.
 */
export const makeRoot = async (path: string): Promise<void> => {
  const fresh = await makeDirectory(path).catch(async (error: unknown) => {
    if (errnoOf(error) !== 'ENOENT' || dirname(path) === path) throw error;
    await makeRoot(dirname(path));
    return makeDirectory(path);
  });
  try {
    const descriptor = await calls.open(dirname(path), constants.O_RDONLY | constants.O_DIRECTORY);
    await calls.fsync(descriptor).finally(() => calls.close(descriptor));
  } catch (error) {
    if (fresh || errnoOf(error) !== 'EACCES') throw error;
  }
};

const MADE: Making = { there: Promise.resolve(), durable: Promise.resolve() };

/** Answers whether it is new. Modes are the umask's: receipts hold ids and facts that auditors may read, never secrets. */
const makeDirectory = async (path: string): Promise<boolean> => {
  try {
    await calls.mkdir(path);
    return true;
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return false;
    throw error;
  }
};
