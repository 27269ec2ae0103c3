import { close, fstat, fsync, link, lstat, mkdir, open, read, readdir, rename, rmdir, unlink, write } from 'node:fs';
import { promisify } from 'node:util';

/**
 * The callback calls of `node:fs` as promises over plain descriptors. `node:fs/promises` wraps each descriptor in a `FileHandle`,
 * which costs about twice the processor time per small file (measured: 39 against 19 microseconds per read).
 */
export const calls = {
  close: promisify(close),
  fstat: promisify(fstat),
  fsync: promisify(fsync),
  link: promisify(link),
  lstat: promisify(lstat),
  mkdir: promisify(mkdir),
  open: promisify(open),
  read: promisify(read),
  readdir: promisify(readdir),
  rename: promisify(rename),
  rmdir: promisify(rmdir),
  unlink: promisify(unlink),
  write: promisify(write),
};
