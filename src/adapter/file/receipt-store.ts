import { dirname, join, resolve } from 'node:path';
import { limits } from '../../limits.ts';
import { systemClock } from '../../port/clock.ts';
import { Outage } from '../../port/outage.ts';
import type { ListRequest, ReceiptStore, TaggedKey } from '../../port/receipt-store.ts';
import { requireDerivedKey, requireDiscardableKey, requireKey, requirePageLimit } from '../object-key.ts';
import { turnstile } from '../turnstile.ts';
import { objectCreator } from './create-object.ts';
import { directoryReader } from './directory-reader.ts';
import { type DurableDirectories, durableDirectories, makeRoot } from './durable-directories.ts';
import { calls } from './file-calls.ts';
import { errnoOf, storeFault } from './file-fault.ts';
import { keyPage } from './key-walk.ts';
import { readObject, readObjectSync, statObject } from './object-file.ts';
import { tagOf } from './object-tag.ts';
import { TEMPORARY_DIRECTORY, sweepTemporaryFiles } from './temporary-files.ts';

export type FileStoreOptions = {
  /**
   * Changes nothing on disk; `create`, `replaceDerived` and `discard` throw `Outage`. For verifiers: the directory may be on a read-only medium.
   */
  readonly readOnly?: boolean;
  /** `read` blocks the calling thread, for a third of the processor time. Only for threads that do nothing but read. */
  readonly blockingReads?: boolean;
};

/**
 * The receipt store as plain files: object `a/b.json` is the file `a/b.json` below `directory`, byte for byte. Any number of
 * processes may share the directory, if it is on one local file system with hard links.
 *
 * An object is written under a temporary name, fsynced, given its name by `link` (atomic, refuses a taken name), and its
 * directory is fsynced before `create` answers. Until then the file has two links: a reader that sees the second one does the
 * directory's fsync itself, so nobody acts on a receipt that loss of power could take back.
 *
 * Throws `Outage` when the directory cannot be made or used.
 */
export const openFileStore = async (directory: string, options: FileStoreOptions = {}): Promise<ReceiptStore> => {
  const root = resolve(directory);
  try {
    if (!options.readOnly) {
      await makeRoot(root);
      await calls.mkdir(join(root, TEMPORARY_DIRECTORY)).catch(unlessTaken);
      await sweepTemporaryFiles(root, systemClock.now());
    }
    await calls.readdir(root);
  } catch (error) {
    throw storeFault(error, root);
  }
  return fileStore(root, options);
};

const fileStore = (root: string, options: FileStoreOptions): ReceiptStore => {
  const directories = durableDirectories(root);
  const creator = objectCreator(root, directories);
  const objects = objectReader(options, directories);
  const entriesOf = directoryReader(systemClock.now);
  const { call, change, close } = openGate(root, options);
  const absent = absenceIn(options.readOnly ? root : join(root, TEMPORARY_DIRECTORY));

  const pageOf = async <T>(request: ListRequest, show: (keys: readonly string[]) => Promise<readonly T[]>) => {
    requirePageLimit(request.limit);
    return call(async () => {
      const page = await show(await keyPage(root, entriesOf, request));
      return page.length > 0 ? page : absent(page);
    });
  };

  return {
    description: `fs:${root}`,
    create: async (key, bytes) => {
      requireKey(key);
      return change(() => creator.create(join(root, key), bytes));
    },
    replaceDerived: async (key, bytes) => {
      requireDerivedKey(key);
      await change(() => creator.replace(join(root, key), bytes));
    },
    read: async (key) => {
      requireKey(key);
      return call(async () => (await objects.read(join(root, key))) ?? absent(null));
    },
    exists: async (key) => {
      requireKey(key);
      return call(async () => (await objects.exists(join(root, key))) || absent(false));
    },
    list: (request) => pageOf(request, async (keys) => keys),
    survey: (request) => pageOf(request, (keys) => tagged(root, keys)),
    discard: async (key) => {
      requireDiscardableKey(key);
      await change(() => discardObject(root, key));
      directories.forget();
    },
    close: async () => {
      close();
      await creator.finish();
      directories.forget();
    },
  };
};

/** Every call of an open store passes here; those that change something, only where that is allowed. */
const openGate = (root: string, options: FileStoreOptions) => {
  let closed = false;

  const call = async <T>(work: () => Promise<T>): Promise<T> => {
    if (closed) throw new Outage('store', 'store-unavailable', `the receipt store at ${root} was closed`);
    try {
      return await work();
    } catch (error) {
      throw storeFault(error, root);
    }
  };
  const change = <T>(work: () => Promise<T>): Promise<T> =>
    call(async () => {
      if (options.readOnly)
        throw new Outage('store', 'store-refused', `the receipt store at ${root} was opened for reading only`);
      return work();
    });
  const close = (): void => {
    closed = true;
  };
  return { call, change, close };
};

const tagged = (root: string, keys: readonly string[]): Promise<readonly TaggedKey[]> =>
  Promise.all(
    keys.map(async (key) => {
      const facts = await calls.lstat(join(root, key), { bigint: true }).catch(nullIfAbsent);
      return { key, tag: tagOf(facts, systemClock.now()) };
    }),
  );

/** Nothing is absent from a store that is not there: an unmounted disk must not look like lost receipts. */
const absenceIn =
  (directory: string) =>
  async <T>(answer: T): Promise<T> => {
    await calls.lstat(directory);
    return answer;
  };

type ObjectReader = {
  readonly read: (path: string) => Promise<Uint8Array | null>;
  readonly exists: (path: string) => Promise<boolean>;
};

/** Whoever sees an object whose writer has not settled it yet settles it first: what was read can be relied upon. */
const objectReader = ({ readOnly, blockingReads }: FileStoreOptions, { settle }: DurableDirectories): ObjectReader => {
  const inTurn = turnstile(limits.parallelFileReads);
  const settleUnless = async (settled: boolean, path: string): Promise<void> => {
    if (!settled && !readOnly) await settle(dirname(path));
  };
  return {
    read: async (path) => {
      const found = blockingReads ? readObjectSync(path) : await inTurn(() => readObject(path));
      if (found === null) return null;
      await settleUnless(found.settled, path);
      return found.bytes;
    },
    exists: async (path) => {
      const found = await statObject(path);
      if (found === null) return false;
      await settleUnless(found.nlink === 1, path);
      return true;
    },
  };
};

/** Removes the file and the directories that it leaves empty, up to the top-level one. */
const discardObject = async (root: string, key: string): Promise<void> => {
  await calls.unlink(join(root, key)).catch(unlessAbsent);
  const parents = key.split('/').slice(0, -1);
  for (let depth = parents.length; depth > 1; depth -= 1) {
    const removed = await calls.rmdir(join(root, ...parents.slice(0, depth))).then(
      () => true,
      () => false,
    );
    if (!removed) return;
  }
};

const unlessTaken = (error: unknown): void => {
  if (errnoOf(error) !== 'EEXIST') throw error;
};

const nullIfAbsent = (error: unknown): null => {
  unlessAbsent(error);
  return null;
};

const unlessAbsent = (error: unknown): void => {
  const code = errnoOf(error);
  if (code !== 'ENOENT' && code !== 'ENOTDIR') throw error;
};
