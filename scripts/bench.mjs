/** `npm run bench`: measures on this machine and prints a table and JSON. Never fails because something is slow. */
import { join } from 'node:path';
import { root, runUnderNode24 } from './run.mjs';

const { UV_THREADPOOL_SIZE = '16' } = process.env;
await runUnderNode24([join(root, 'scripts/bench/run.ts'), ...process.argv.slice(2)], {
  development: true,
  env: { UV_THREADPOOL_SIZE },
});
