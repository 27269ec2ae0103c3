#!/usr/bin/env node
/** The command line: `pixpax-ledger <verb>`. Keeps the caller's directory, so that relative paths mean what they say. */
import { join } from 'node:path';
import { root, runUnderNode24 } from './run.mjs';

const { UV_THREADPOOL_SIZE = '16' } = process.env;
await runUnderNode24([join(root, 'src/main.ts'), ...process.argv.slice(2)], { env: { UV_THREADPOOL_SIZE } });
