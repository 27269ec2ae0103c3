import { Outage } from '../../port/outage.ts';

/** What the operating system's refusals mean to the ledger, and what a person can do about each. */
const MEANING: Readonly<Record<string, { readonly lasting: boolean; readonly advice: string }>> = {
  EACCES: { lasting: true, advice: 'let this user read and write there' },
  ENOENT: { lasting: false, advice: 'the directory is gone: was it moved, or is its volume not mounted?' },
  EPERM: { lasting: true, advice: 'the file system refused: it must be ours to write and must support hard links' },
  EROFS: { lasting: true, advice: 'the file system is mounted read-only' },
  ENOTDIR: { lasting: true, advice: 'something that is not a directory is in the way' },
  ENOTSUP: { lasting: true, advice: 'the file system must support hard links and fsync of directories' },
  EINVAL: { lasting: true, advice: 'the file system must support hard links and fsync of directories' },
  EXDEV: { lasting: true, advice: 'all of the store must be on one file system' },
  EMLINK: { lasting: true, advice: 'the file system must support hard links' },
  ENAMETOOLONG: { lasting: true, advice: 'move the store to a shorter path' },
  ENOSPC: { lasting: false, advice: 'no space left: free some, nothing was lost' },
  EDQUOT: { lasting: false, advice: 'the disk quota is used up' },
  EMFILE: { lasting: false, advice: 'this process has too many open files: raise `ulimit -n`' },
  ENFILE: { lasting: false, advice: 'the machine has too many open files' },
  EIO: { lasting: false, advice: 'the disk failed: look at the kernel log' },
};

/** The literal code of an operating-system error, or null for anything else (a bug of ours). */
export const errnoOf = (error: unknown): string | null =>
  error instanceof Error && 'errno' in error && 'code' in error && typeof error.code === 'string' ? error.code : null;

/**
 * Turns an operating-system error into an `Outage` that names the place and the way out; everything else is passed on as it is.
 * `store-refused` when only a person can change it, `store-unavailable` when it may work again.
 */
export const storeFault = (error: unknown, root: string): unknown => {
  const code = errnoOf(error);
  if (code === null) return error;
  const meaning = MEANING[code];
  const message = `the receipt store at ${root} failed with ${code}${meaning ? `: ${meaning.advice}` : ''}`;
  return new Outage('store', meaning?.lasting ? 'store-refused' : 'store-unavailable', message, error);
};
