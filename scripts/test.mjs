/** `npm test [-- FILE…]`: every test that needs only npm packages, from a fresh checkout. */
import { root, runUnderNode24 } from './run.mjs';

await runUnderNode24(['node_modules/vitest/vitest.mjs', 'run', ...process.argv.slice(2)], { cwd: root, development: true });
