import { type FileHandle, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errno, fileOutage } from './key-file-outage.ts';
import { linkNewFile, syncDirectory } from './link-new-file.ts';
import { refused, unavailable } from './signer-outage.ts';

/** The largest key file takes 241 bytes (P-256 in PKCS#8 PEM); a file larger than this is something else. */
const KEY_FILE_BYTES = 4_096;

/** The bits of a mode that let somebody else in. */
const OTHERS = 0o077;

/** Throws `Outage` (`signer-refused`) when `mode` lets other users in; `remedy` is what to type. */
export const requirePrivate = (what: string, mode: number, remedy: string): void => {
  if ((mode & OTHERS) === 0) return;
  const shown = (mode & 0o7777).toString(8).padStart(3, '0');
  throw refused(`${what} is open to other users (mode ${shown}): if none of them can have used it, type: ${remedy}`);
};

/** A key's file as `parse` reads it, or null when there is none. Throws `Outage` when it is unsafe or unreadable, and what `parse` throws. */
export const readKeyFile = async <Key>(path: string, parse: (content: Buffer) => Key): Promise<Key | null> => {
  try {
    const file = await open(path, 'r');
    return parse(await readPrivate(path, file).finally(() => file.close()));
  } catch (error) {
    if (errno(error) === 'ENOENT') return null;
    throw fileOutage(`cannot read the key file ${path}`, error);
  }
};

/** Looks at the open file, not at its path: what was checked is what is read. */
const readPrivate = async (path: string, file: FileHandle): Promise<Buffer> => {
  const { mode, size } = await file.stat();
  requirePrivate(`the key file ${path}`, mode, `chmod 600 '${path}'`);
  if (size > KEY_FILE_BYTES) throw refused(`the key file ${path} is ${size} bytes long, which no key is`);
  return file.readFile();
};

/**
 * Makes a key's file with what `make` returns unless it is there, and returns the key that counts as `parse` reads it. Whoever links first wins, in this
 * process or another; the rest read what won. Throws `Outage`.
 */
export const createKeyFile = async <Key>(
  path: string,
  make: () => Promise<string | Uint8Array>,
  parse: (content: Buffer) => Key,
): Promise<Key> => {
  try {
    const key = (await readKeyFile(path, parse)) ?? (await makeKeyFile(path, make, parse));
    // Found or made: whoever made the file may have died before this line, and then a power cut could still take back a key that
    // was used already.
    await syncDirectory(dirname(path));
    return key;
  } catch (error) {
    throw fileOutage(`cannot create the key file ${path}`, error);
  }
};

const makeKeyFile = async <Key>(
  path: string,
  make: () => Promise<string | Uint8Array>,
  parse: (content: Buffer) => Key,
): Promise<Key> => {
  await linkNewFile(path, await make());
  const key = await readKeyFile(path, parse);
  if (key === null) throw unavailable(`the key file ${path} came and went: is something else deleting files there?`);
  return key;
};
