import { randomBytes } from 'node:crypto';
import { link, mkdir, open, readFile, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * A random secret of 64 hex characters that is made once and kept in a file of mode 0600, for the embedded start. Two processes that
 * start at once agree: the file is linked to its name, which only one of them can.
 */
export const keptSecret = async (file: string): Promise<string> => {
  const kept = await read(file);
  if (kept !== null) return kept;
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const draft = `${file}.${randomBytes(6).toString('hex')}`;
  const handle = await open(draft, 'wx', 0o600);
  try {
    await handle.writeFile(`${randomBytes(32).toString('hex')}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  // A crash before this leaves a draft nobody reads; after it, the secret.
  await link(draft, file).catch((error: unknown) => {
    if (!isThere(error)) throw error;
  });
  await rm(draft, { force: true });
  const made = await read(file);
  if (made === null) throw new Error(`${file} was made and is not there`);
  return made;
};

const read = async (file: string): Promise<string | null> => {
  try {
    return (await readFile(file, 'utf8')).trim();
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
};

const isThere = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'EEXIST';
