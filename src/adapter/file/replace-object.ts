import { dirname } from 'node:path';
import type { DurableDirectories } from './durable-directories.ts';
import { calls } from './file-calls.ts';
import { writeFileDurably } from './object-file.ts';
import { temporaryPath } from './temporary-files.ts';

/**
 * Puts an object in the place of whatever is at `path`, below `root`. Readers see the old file or the new one, whole. Errors are the operating
 * system's own.
 */
export const replaceObject = async (
  root: string,
  directories: DurableDirectories,
  path: string,
  bytes: Uint8Array,
): Promise<void> => {
  const directory = dirname(path);
  const temporary = temporaryPath(root);
  try {
    await directories.ensure(directory);
    await writeFileDurably(temporary, bytes);
    // A crash here leaves the old object, and a whole file that no key names: the next open sweeps it.
    await calls.rename(temporary, path);
  } catch (error) {
    await calls.unlink(temporary).catch(() => undefined);
    throw error;
  }
  // A crash here leaves the new object; loss of power may still bring the old one back. Both are whole, and derived.
  await directories.settle(directory);
};
