import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openFileStore } from '../../src/adapter/file/receipt-store.ts';
import { memoryStore } from '../../src/adapter/memory/receipt-store.ts';
import { describeReceiptStore } from './receipt-store.ts';

describeReceiptStore(
  'memory',
  async () => {
    const store = memoryStore();
    return { store, cleanup: () => store.close() };
  },
  { races: 20, rivals: 32, objects: 1500 },
);

describeReceiptStore(
  'files',
  async () => {
    const directory = await mkdtemp(join(tmpdir(), 'receipt store '));
    const store = await openFileStore(join(directory, 'receipts'));
    const cleanup = async (): Promise<void> => {
      await store.close();
      await rm(directory, { recursive: true });
    };
    return { store, cleanup };
  },
  { races: 20, rivals: 32, objects: 300 },
);
