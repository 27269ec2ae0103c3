import { randomBytes } from 'node:crypto';
import { open, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { requirePrivate } from './key-file.ts';
import { fileOutage } from './key-file-outage.ts';
import { makeDirectoryDurably } from './link-new-file.ts';

/** Makes the directory, mode 0700, unless it is there. Throws `Outage` when it cannot be used or is open to other users. */
export const openKeyDirectory = async (directory: string): Promise<void> => {
  try {
    await makeDirectoryDurably(directory);
    const { mode } = await stat(directory);
    requirePrivate(`the key directory ${directory}`, mode, `chmod 700 '${directory}'`);
  } catch (error) {
    throw fileOutage(`cannot use the key directory ${directory}`, error);
  }
};

/** Resolves when a file could be made in the directory just now: permissions alone say nothing of a full or read-only disk. */
export const checkWritable = async (directory: string): Promise<void> => {
  const probe = join(directory, `.check.${randomBytes(8).toString('hex')}`);
  try {
    const file = await open(probe, 'wx', 0o600);
    // A crash here leaves an empty file that nobody reads.
    await file.close();
    await rm(probe, { force: true });
  } catch (error) {
    throw fileOutage(`cannot write to the key directory ${directory}`, error);
  }
};
