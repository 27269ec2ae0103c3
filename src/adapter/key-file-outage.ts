import { Outage } from '../port/outage.ts';
import { refused, unavailable } from './signer-outage.ts';

/** The system's code of a failed call, such as ENOENT. */
export const errno = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'unknown error';

const HINTS: ReadonlyMap<string, string> = new Map([
  ['EACCES', 'the service must own the key directory and its files'],
  ['EPERM', 'the service must own the key directory, and the file system must know hard links'],
  ['ENOTSUP', 'the file system must know hard links'],
  ['EROFS', 'the file system is mounted read-only'],
  ['ENOTDIR', 'a part of the path is a file, not a directory'],
  ['EEXIST', 'there is a file where the key directory should be'],
  ['ENOENT', 'the key directory is gone: mount or restore it, then start again'],
]);

/** What the file system said, as an outage: what it will go on saying is `signer-refused`, the rest may pass. */
export const fileOutage = (what: string, error: unknown): Outage => {
  if (error instanceof Outage) return error;
  const code = errno(error);
  const hint = HINTS.get(code);
  return hint === undefined ? unavailable(`${what} (${code})`) : refused(`${what} (${code}): ${hint}`);
};
