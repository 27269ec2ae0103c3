/** `npm run bench:rebuild`: verify and rebuild at several sizes beside their ceilings. Never fails because something is slow. */
import { join } from 'node:path';
import { root, runUnderNode24 } from './run.mjs';

const { UV_THREADPOOL_SIZE = '16' } = process.env;
await runUnderNode24([join(root, 'scripts/bench/rebuild-table/run.ts'), ...process.argv.slice(2)], {
  development: true,
  env: { UV_THREADPOOL_SIZE },
});
