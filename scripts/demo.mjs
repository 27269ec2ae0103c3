/** `npm run demo`: plays a story over HTTP against a running `npm start`, and prints what happened. */
import { join } from 'node:path';
import { root, runUnderNode24 } from './run.mjs';

await runUnderNode24([join(root, 'scripts/demo/run.ts'), ...process.argv.slice(2)]);
