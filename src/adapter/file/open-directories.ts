import { constants } from 'node:fs';
import { LRUCache } from 'lru-cache';
import { limits } from '../../limits.ts';
import { calls } from './file-calls.ts';
import { sharedRun } from './shared-run.ts';

/** Directories kept open, least recently used ones closed, so that an fsync needs no path lookup. */
export type OpenDirectories = {
  /** Afterwards every entry made in `path` before this call survives loss of power. Calls at one time share one fsync. */
  readonly settle: (path: string) => Promise<void>;
  /** Closes all, each as soon as nobody uses it. */
  readonly clear: () => void;
};

type OpenDirectory = {
  readonly descriptor: Promise<number>;
  readonly sync: () => Promise<void>;
  users: number;
  evicted: boolean;
};

/** A new, empty set. Errors of its calls are the operating system's own. */
export const openDirectories = (): OpenDirectories => {
  const handles = new LRUCache<string, OpenDirectory>({
    max: limits.openDirectories,
    dispose: (handle) => {
      handle.evicted = true;
      if (handle.users === 0) release(handle);
    },
  });
  let failure: Error | null = null;

  const fsync = async (descriptor: number): Promise<void> => {
    if (failure !== null) throw failure;
    try {
      await calls.fsync(descriptor);
    } catch (error) {
      // The kernel reports a failed write-back once and then forgets it: a second fsync would succeed over lost entries. From
      // here on this process can believe nothing it is told about durability, so no create succeeds until a restart.
      failure = error instanceof Error ? error : new Error('fsync failed', { cause: error });
      throw failure;
    }
  };

  const handleOf = (path: string): OpenDirectory => {
    const cached = handles.get(path);
    if (cached) return cached;
    const descriptor = calls.open(path, constants.O_RDONLY | constants.O_DIRECTORY);
    const handle = { descriptor, sync: sharedRun(async () => fsync(await descriptor)), users: 0, evicted: false };
    descriptor.catch(() => {
      if (handles.peek(path) === handle) handles.delete(path);
    });
    handles.set(path, handle);
    return handle;
  };

  return {
    settle: async (path) => {
      const handle = handleOf(path);
      handle.users += 1;
      try {
        await handle.sync();
      } finally {
        handle.users -= 1;
        if (handle.evicted && handle.users === 0) release(handle);
      }
    },
    clear: () => handles.clear(),
  };
};

const release = (handle: OpenDirectory): void => {
  handle.descriptor.then((descriptor) => calls.close(descriptor)).catch(() => undefined);
};
