import { randomBytes } from 'node:crypto';
import { mkdir, open, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { refused } from '../signer-outage.ts';
import { fileOutage } from './failure.ts';

/** The bits of a mode that let somebody else in. */
const OTHERS = 0o077;

/** Throws `Outage` (`signer-refused`) when `mode` lets other users in; `remedy` is what to type. */
export const requirePrivate = (what: string, mode: number, remedy: string): void => {
  if ((mode & OTHERS) === 0) return;
  const shown = (mode & 0o7777).toString(8).padStart(3, '0');
  throw refused(`${what} is open to other users (mode ${shown}): if none of them can have used it, type: ${remedy}`);
};

/** Makes the directory, mode 0700, unless it is there. Throws `Outage` when it cannot be used or is open to other users. */
export const openKeyDirectory = async (directory: string): Promise<void> => {
  try {
    const firstMade = await mkdir(directory, { recursive: true, mode: 0o700 });
    if (firstMade !== undefined) await syncEntries(dirname(firstMade), directory);
    const { mode } = await stat(directory);
    requirePrivate(`the key directory ${directory}`, mode, `chmod 700 '${directory}'`);
  } catch (error) {
    throw fileOutage(`cannot use the key directory ${directory}`, error);
  }
};

/** Makes the entries of a directory survive loss of power. */
export const syncDirectory = async (directory: string): Promise<void> => {
  const handle = await open(directory, 'r');
  await handle.sync().finally(() => handle.close());
};

/** Every new directory is an entry of its parent, up to the first parent that was there before. */
const syncEntries = async (top: string, directory: string): Promise<void> => {
  for (let parent = dirname(directory); ; parent = dirname(parent)) {
    await syncDirectory(parent);
    if (parent === top || parent === dirname(parent)) return;
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
