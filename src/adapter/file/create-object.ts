import { dirname } from 'node:path';
import { limits } from '../../limits.ts';
import { Outage } from '../../port/outage.ts';
import type { CreateOutcome } from '../../port/receipt-store.ts';
import { turnstile } from '../turnstile.ts';
import type { DurableDirectories } from './durable-directories.ts';
import { calls } from './file-calls.ts';
import { errnoOf } from './file-fault.ts';
import { statObject, writeFileDurably } from './object-file.ts';
import { replaceObject } from './replace-object.ts';
import { temporaryPath } from './temporary-files.ts';

export type ObjectCreator = {
  /** As `ReceiptStore.create`, for a path below the root. Errors are the operating system's own, or `Outage`. */
  readonly create: (path: string, bytes: Uint8Array) => Promise<CreateOutcome>;
  /** As `ReceiptStore.replaceDerived`, for a path below the root. Errors as of `create`. */
  readonly replace: (path: string, bytes: Uint8Array) => Promise<void>;
  /** Resolves when nothing is in progress any more. */
  readonly finish: () => Promise<void>;
};

/** The one place where a file store makes and replaces objects. */
export const objectCreator = (root: string, directories: DurableDirectories): ObjectCreator => {
  const inTurn = turnstile(limits.parallelFileCreates);
  const inProgress = new Set<Promise<unknown>>();

  const track = <T>(work: Promise<T>): Promise<T> => {
    const done = (): void => void inProgress.delete(work);
    inProgress.add(work);
    work.then(done, done);
    return work;
  };
  const removeLater = (temporary: string): void => void track(calls.unlink(temporary).catch(() => undefined));

  const attempt = async (path: string, bytes: Uint8Array): Promise<CreateOutcome> => {
    const directory = dirname(path);
    const temporary = temporaryPath(root);
    try {
      await directories.ensure(directory);
      await writeFileDurably(temporary, bytes);
      // A crash here leaves a whole file that no key names: as if nothing had happened. The next open sweeps it.
      await calls.link(temporary, path);
    } catch (error) {
      removeLater(temporary);
      if (errnoOf(error) !== 'EEXIST') throw error;
      return answerTaken(path, directory);
    }
    // A crash here leaves the object visible, whole and with two links: readers make it durable before they believe it.
    await directories.settle(directory);
    // A crash here leaves the second link: readers do one fsync too many until the next open sweeps it.
    removeLater(temporary);
    return 'created';
  };

  /** Whoever took the name may have died before its directory was on disk; "exists" must be as durable as "created". */
  const answerTaken = async (path: string, directory: string): Promise<CreateOutcome> => {
    if ((await statObject(path)) === null)
      throw new Outage('store', 'store-refused', `${path} is taken by something that is not a regular file`);
    await directories.settle(directory);
    return 'exists';
  };

  return {
    create: (path, bytes) => track(inTurn(() => onceMore(directories, () => attempt(path, bytes)))),
    replace: (path, bytes) => track(inTurn(() => onceMore(directories, () => replaceObject(root, directories, path, bytes)))),
    finish: async () => {
      while (inProgress.size > 0) await Promise.allSettled(inProgress);
    },
  };
};

/** As `attempt`, which changes nothing when it fails for want of a directory. */
const onceMore = async <T>(directories: DurableDirectories, attempt: () => Promise<T>): Promise<T> => {
  try {
    return await attempt();
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
    // A directory that we knew, or our temporary file, was removed by somebody else, so nothing was named: once more from
    // the start. If the whole store is gone (moved, unmounted), `.tmp` is gone too and this fails again, rather than begin a
    // new one.
    directories.forget();
    return attempt();
  }
};
