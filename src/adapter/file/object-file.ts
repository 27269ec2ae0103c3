import { type Stats, closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { limits } from '../../limits.ts';
import { Outage } from '../../port/outage.ts';
import { calls } from './file-calls.ts';
import { errnoOf } from './file-fault.ts';

/** What lies under a key, and whether its writer still holds the second link that says "not yet known to be durable". */
export type ObjectFile = { readonly bytes: Uint8Array; readonly settled: boolean };

/** Receipts never change: not even this process can open one for writing again by mistake. Who may read is the umask's affair. */
const OBJECT_MODE = 0o444;

/**
 * Neither follows a symbolic link nor waits on a named pipe: a verifier may be given a directory by somebody it does not trust.
 */
const READ_FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** Makes a new file with these bytes on disk. On an error the file may be left behind. */
export const writeFileDurably = async (path: string, bytes: Uint8Array): Promise<void> => {
  const descriptor = await calls.open(path, 'wx', OBJECT_MODE);
  try {
    for (let at = 0; at < bytes.length; ) at += (await calls.write(descriptor, bytes, at)).bytesWritten;
    await calls.fsync(descriptor);
  } finally {
    // Nothing waits for this: the bytes are on disk, or the error is already known.
    calls.close(descriptor).catch(() => undefined);
  }
};

/** Reads without blocking this thread. Null when there is no such regular file. */
export const readObject = async (path: string): Promise<ObjectFile | null> => {
  const descriptor = await calls.open(path, READ_FLAGS).catch(nullIfAbsent);
  if (descriptor === null) return null;
  try {
    const facts = await calls.fstat(descriptor);
    const size = sizeOf(path, facts);
    if (size === null) return null;
    const bytes = Buffer.allocUnsafeSlow(size);
    let at = 0;
    while (at < size) {
      const { bytesRead } = await calls.read(descriptor, bytes, at, size - at, at);
      if (bytesRead === 0) break;
      at += bytesRead;
    }
    return { bytes: bytes.subarray(0, at), settled: facts.nlink === 1 };
  } finally {
    calls.close(descriptor).catch(() => undefined);
  }
};

/** The same, blocking this thread: a third of the processor time where the files are in memory anyway. */
export const readObjectSync = (path: string): ObjectFile | null => {
  const descriptor = openOrNull(path);
  if (descriptor === null) return null;
  try {
    const facts = fstatSync(descriptor);
    const size = sizeOf(path, facts);
    if (size === null) return null;
    const bytes = Buffer.allocUnsafeSlow(size);
    let at = 0;
    while (at < size) {
      const bytesRead = readSync(descriptor, bytes, at, size - at, at);
      if (bytesRead === 0) break;
      at += bytesRead;
    }
    return { bytes: bytes.subarray(0, at), settled: facts.nlink === 1 };
  } finally {
    closeSync(descriptor);
  }
};

/** What `stat` says of an object, or null when there is no such regular file. */
export const statObject = async (path: string): Promise<Stats | null> => {
  const facts = await calls.lstat(path).catch(nullIfAbsent);
  return facts?.isFile() ? facts : null;
};

/** No file, a file where a directory should be, a symbolic link: all of them mean that there is no object. */
const nullIfAbsent = (error: unknown): null => {
  const code = errnoOf(error);
  if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ELOOP') return null;
  throw error;
};

const openOrNull = (path: string): number | null => {
  try {
    return openSync(path, READ_FLAGS);
  } catch (error) {
    return nullIfAbsent(error);
  }
};

const sizeOf = (path: string, facts: Stats): number | null => {
  if (!facts.isFile()) return null;
  if (facts.size <= limits.storedObjectBytes) return facts.size;
  throw new Outage('store', 'store-refused', `${path} has ${facts.size} bytes: nothing the ledger wrote is that large`);
};
