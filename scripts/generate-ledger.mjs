/** `npm run generate -- --receipts N`: makes a signed, realistic ledger of N receipts, for benchmarks and for trying things at scale. */
import { join } from 'node:path';
import { root, runUnderNode24 } from './run.mjs';

// npm runs this in the checkout: relative paths are meant from where the caller is.
const { INIT_CWD = process.cwd() } = process.env;
await runUnderNode24([join(root, 'scripts/generate/run.ts'), ...process.argv.slice(2)], { cwd: INIT_CWD });
