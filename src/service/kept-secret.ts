import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errno } from '../adapter/key-file-outage.ts';
import { linkNewFile, makeDirectoryDurably, syncDirectory } from '../adapter/link-new-file.ts';
import { limits } from '../limits.ts';
import { Refused } from './until-up.ts';

/**
 * A random secret of 64 hex characters that is made once and kept in a file of mode 0600, for the embedded start. Two processes that
 * start at once agree: the file is linked to its name, which only one of them can. Throws `Refused` when it cannot be kept or is no secret.
 */
export const keptSecret = async (file: string): Promise<string> => {
  try {
    const secret = (await read(file)) ?? (await make(file));
    // Found or made: whoever made it may have died before this line, and a power cut must not take back what was used.
    await syncDirectory(dirname(file));
    return secret;
  } catch (error) {
    if (error instanceof Refused) throw error;
    throw new Refused(`the secret in ${file} cannot be kept (${errno(error)})`);
  }
};

const make = async (file: string): Promise<string> => {
  await makeDirectoryDurably(dirname(file));
  await linkNewFile(file, `${randomBytes(32).toString('hex')}\n`);
  const made = await read(file);
  if (made === null) throw new Refused(`${file} was made and is not there`);
  return made;
};

const read = async (file: string): Promise<string | null> => {
  try {
    const secret = (await readFile(file, 'utf8')).trim();
    if (secret.length >= limits.secretMinChars) return secret;
  } catch (error) {
    if (errno(error) === 'ENOENT') return null;
    throw error;
  }
  throw new Refused(`${file} holds less than ${limits.secretMinChars} characters: restore it from a backup`);
};
