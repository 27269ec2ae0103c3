import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from 'vitest';
import type { ReceiptStore } from '../../port/receipt-store.ts';
import { type FileStoreOptions, openFileStore } from './receipt-store.ts';

/** Directories and stores that are gone after each test. */
export const room = () => {
  const directories: string[] = [];
  const stores: ReceiptStore[] = [];
  afterEach(async () => {
    await Promise.all(stores.splice(0).map((store) => store.close()));
    for (const directory of directories.splice(0)) await rm(directory, { recursive: true, force: true });
  });
  return {
    directory: async (): Promise<string> => {
      const made = await mkdtemp(join(tmpdir(), 'file store '));
      directories.push(made);
      return made;
    },
    open: async (directory: string, options?: FileStoreOptions): Promise<ReceiptStore> => {
      const store = await openFileStore(directory, options);
      stores.push(store);
      return store;
    },
  };
};
