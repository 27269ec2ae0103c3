import { createRequire } from 'node:module';
import { parse } from 'node:path';

const load: (name: 'graphile-worker') => typeof import('graphile-worker') = createRequire(import.meta.url);

/**
 * graphile-worker, loaded as if the process stood in the root directory. While it loads, it looks for settings from the working directory
 * upwards, would run a `graphile-worker.config.js` it finds there, and may end the process for what that says: none of it is ours. Loading
 * is synchronous, so nobody else sees the other directory.
 */
export const graphileWorker = ((): typeof import('graphile-worker') => {
  const { cwd } = process;
  process.cwd = () => parse(process.execPath).root;
  try {
    return load('graphile-worker');
  } finally {
    process.cwd = cwd;
  }
})();
