/** `npm start`: the API with everything it needs, from a fresh checkout. Runs in the checkout, wherever it is called from. */
import { root, runUnderNode24 } from './run.mjs';

// File and signing work runs on this pool, whose default of four threads would queue it. It cannot be changed once Node runs.
const { UV_THREADPOOL_SIZE = '16' } = process.env;
await runUnderNode24(['src/main.ts', 'serve', ...process.argv.slice(2)], { cwd: root, env: { UV_THREADPOOL_SIZE } });
