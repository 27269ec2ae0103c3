/**
 * npm run check: everything that can be said about the code without running it. One line per check, the output of the failed ones
 * below it, and `N passed, N failed` at the end. `npm run check -- types "file names"` runs only those named.
 * Plain JavaScript for Node 20: it runs before anything is installed. The checks themselves run under Node 24.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { generators } from './generate.mjs';
import { ensureInstalled } from './install.mjs';
import { findNode24 } from './node24.mjs';

const root = join(import.meta.dirname, '..');
const checkTimeoutMs = 5 * 60_000;

const tool = (path, ...args) => [`node_modules/${path}`, ...args];
const present = (...places) => places.filter((place) => existsSync(join(root, place)));

/** `command` is run by Node 24; while one of `needs` is missing, the check is `not yet` and counts as neither passed nor failed. */
const checks = [
  { name: 'types', needs: [], command: tool('typescript/bin/tsc', '-p', '.') },
  {
    name: 'format and lint',
    needs: [],
    command: tool(
      '@biomejs/biome/bin/biome',
      'check',
      '--error-on-warnings',
      '--diagnostic-level=warn',
      '--max-diagnostics=100',
      '.',
    ),
  },
  { name: 'typed lint', needs: [], command: tool('eslint/bin/eslint.js', '--max-warnings', '0', '.') },
  {
    name: 'import rules',
    needs: ['src'],
    command: tool(
      'dependency-cruiser/bin/dependency-cruise.mjs',
      ...['--config', '.dependency-cruiser.mjs', '--output-type', 'err-long'],
      ...present('src', 'projector', 'scripts', 'test'),
    ),
  },
  { name: 'file names', needs: [], command: ['scripts/check-file-names.mjs'] },
  { name: 'manifests', needs: ['k8s'], command: ['scripts/check-manifests.mjs', 'k8s'] },
  { name: 'openapi lint', needs: ['openapi.yaml'], command: tool('@redocly/cli/bin/cli.js', 'lint', 'openapi.yaml') },
  ...generators.map(({ file, needs }) => ({
    name: `generated ${file}`,
    needs,
    command: ['scripts/generate.mjs', '--check', file],
  })),
];

/** Programs that a check starts meet the same Node; the linter of the API description stays off the network. */
const environmentOf = (node) => ({
  ...process.env,
  PATH: [dirname(node), join(root, 'node_modules/.bin'), process.env.PATH].join(delimiter),
  REDOCLY_TELEMETRY: 'off',
  REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true',
  NO_COLOR: '1',
  FORCE_COLOR: undefined,
});

const run = (node, command) =>
  new Promise((resolve) => {
    const child = spawn(node, command, {
      cwd: root,
      env: environmentOf(node),
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: checkTimeoutMs,
    });
    const output = [];
    child.stdout.on('data', (bytes) => output.push(bytes));
    child.stderr.on('data', (bytes) => output.push(bytes));
    child.on('error', (fault) => resolve({ passed: false, output: String(fault) }));
    child.on('close', (code, signal) => {
      const ending = signal === null ? '' : `\nstopped by ${signal}, after at most ${checkTimeoutMs} ms`;
      resolve({ passed: code === 0, output: Buffer.concat(output).toString() + ending });
    });
  });

const report = async (node, { name, needs, command }) => {
  const missing = needs.filter((place) => !existsSync(join(root, place)));
  if (missing.length > 0) {
    console.log(`not yet ${name} (${missing.join(', ')} missing)`);
    return 'not yet';
  }
  const startedMs = performance.now();
  const { passed, output } = await run(node, command);
  const tookSeconds = ((performance.now() - startedMs) / 1000).toFixed(1);
  console.log(`${passed ? 'ok     ' : 'FAILED '} ${name} (${tookSeconds} s)${passed ? '' : `\n${indented(output)}`}`);
  return passed ? 'passed' : 'failed';
};

const indented = (text) => text.trimEnd().replaceAll(/^/gm, '    ');

/** All of the checks, as many at a time as there are cores. */
const reportAll = async (node, chosen) => {
  const outcomes = [];
  const waiting = [...chosen];
  const lane = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) outcomes.push(await report(node, next));
  };
  await Promise.all(Array.from({ length: Math.max(1, availableParallelism()) }, lane));
  return outcomes;
};

const named = process.argv.slice(2);
const unknown = named.filter((name) => !checks.some((check) => check.name === name));
if (unknown.length > 0) {
  console.error(`no such check: ${unknown.join(', ')}; there are: ${checks.map((check) => check.name).join(', ')}`);
  process.exit(2);
}

const readyNode = async () => {
  await ensureInstalled();
  return findNode24();
};
const node = await readyNode().catch((fault) => {
  console.log(`FAILED  installation\n${indented(fault.message)}\n0 passed, 1 failed`);
  process.exit(1);
});
const outcomes = await reportAll(node, named.length > 0 ? checks.filter((check) => named.includes(check.name)) : checks);
const count = (outcome) => outcomes.filter((each) => each === outcome).length;
console.log(`${count('passed')} passed, ${count('failed')} failed`);
process.exit(count('failed') === 0 && count('passed') > 0 ? 0 : 1);
