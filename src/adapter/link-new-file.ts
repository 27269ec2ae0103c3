import { randomBytes } from 'node:crypto';
import { link, mkdir, open, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { errno } from './key-file-outage.ts';

/**
 * Makes the file `path`, mode 0600, with this content, unless there is one: whoever links first wins, in this process or another. True when
 * it is ours; false when another one is there, which stays as it is. It survives loss of power once `syncDirectory` was called for its directory,
 * which whoever finds it must do as well. Rejects with what the file system says.
 */
export const linkNewFile = async (path: string, content: string | Uint8Array): Promise<boolean> => {
  const draft = join(dirname(path), `.${basename(path)}.${randomBytes(8).toString('hex')}.draft`);
  try {
    // A crash from here on leaves a draft that nobody has used: it may be deleted at any time.
    await writeDurably(draft, content);
    // The commit point: before it there is no file, after it there is this one, whole.
    await link(draft, path);
    return true;
  } catch (error) {
    if (errno(error) === 'EEXIST') return false;
    throw error;
  } finally {
    await rm(draft, { force: true });
  }
};

/** Makes the directory, mode 0700, and those above it, unless they are there; what it made survives loss of power. */
export const makeDirectoryDurably = async (directory: string): Promise<void> => {
  const firstMade = await mkdir(directory, { recursive: true, mode: 0o700 });
  if (firstMade !== undefined) await syncEntries(dirname(firstMade), directory);
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

const writeDurably = async (path: string, content: string | Uint8Array): Promise<void> => {
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
};
