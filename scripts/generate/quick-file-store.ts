import { linkSync, mkdirSync, unlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { threadId } from 'node:worker_threads';
import { errnoOf, storeFault } from '../../src/adapter/file/file-fault.ts';
import { openFileStore } from '../../src/adapter/file/receipt-store.ts';
import { TEMPORARY_DIRECTORY } from '../../src/adapter/file/temporary-files.ts';
import type { CreateOutcome, ReceiptStore } from '../../src/port/receipt-store.ts';

/** As receipts of the file store: nobody opens one for writing again by mistake. */
const OBJECT_MODE = 0o444;
const REMEMBERED_DIRECTORIES = 10_000;

/**
 * The file store but for its promise about loss of power: the same layout, names given by `link` once and never again, and a process that is
 * killed leaves no part of an object under a name; but nothing is fsynced, and the calling thread does the writing. Throws `Outage`
 * when the directory cannot be used, or is full.
 */
export const openQuickFileStore = async (directory: string): Promise<ReceiptStore> => {
  const root = resolve(directory);
  const store = await openFileStore(root, { blockingReads: true });
  const made = new Set<string>();
  let count = 0;

  const ensure = (path: string): void => {
    if (made.has(path)) return;
    mkdirSync(path, { recursive: true });
    if (made.size >= REMEMBERED_DIRECTORIES) made.clear();
    made.add(path);
  };
  const create = (key: string, bytes: Uint8Array): CreateOutcome => {
    const path = join(root, key);
    const temporary = join(root, TEMPORARY_DIRECTORY, `generate-${process.pid}-${threadId}-${count++}`);
    ensure(dirname(path));
    writeFileSync(temporary, bytes, { flag: 'wx', mode: OBJECT_MODE });
    // A crash here leaves a whole file that no key names, and one after the link a second name: the next open of the store sweeps both.
    try {
      linkSync(temporary, path);
      return 'created';
    } catch (error) {
      if (errnoOf(error) === 'EEXIST') return 'exists';
      throw error;
    } finally {
      unlinkSync(temporary);
    }
  };
  return {
    ...store,
    create: async (key, bytes) => {
      try {
        return create(key, bytes);
      } catch (error) {
        throw storeFault(error, root);
      }
    },
  };
};
