#!/usr/bin/env node
/** The command line: `pixpax-ledger <verb>`. Keeps the caller's directory, so that relative paths mean what they say. */
import { join } from 'node:path';
import { root, runUnderNode24 } from './run.mjs';

const { UV_THREADPOOL_SIZE = '16' } = process.env;
// `serve` is the service; every other verb is the projector's, which knows neither HTTP nor commands.
const verb = process.argv[2];
const program = verb === 'serve' ? 'src/main.ts' : 'projector/main.ts';
await runUnderNode24([join(root, program), ...process.argv.slice(2)], { env: { UV_THREADPOOL_SIZE } });
