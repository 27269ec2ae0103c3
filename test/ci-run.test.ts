import { spawn, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..');
const made: string[] = [];

/** A leg in a few words of bash; $REPORT is where vitest's JSON is expected. `chromium` is a program, or '' when none is there. */
type Legs = Readonly<
  Record<'test' | 'check' | 'test:browser' | 'test:s3' | 'test:kill' | 'test:slow' | 'gateway' | 'apt-get' | 'chromium', string>
>;

/** What vitest writes, cut down to what is read: counts, and the files that failed with the statuses of their tests. */
const vitestReport = (passed: number, failed: number, failedFiles: readonly (readonly string[])[] = []): string => {
  const testResults = failedFiles.map((tests) => ({ status: 'failed', assertionResults: tests.map((status) => ({ status })) }));
  return JSON.stringify({ numPassedTests: passed, numFailedTests: failed, testResults });
};
const report = (passed: number, failed: number): string => `echo '${vitestReport(passed, failed)}' > "$REPORT"`;

const green: Legs = {
  test: report(100, 0),
  check: 'echo "ok types"; echo "8 passed, 0 failed"',
  'test:browser': `[ -x "$CHROMIUM" ] && ${report(7, 0)}`,
  chromium: '#!/bin/bash\n',
  'apt-get': 'exit 100',
  gateway: 'echo "export S3_TEST_URL=http://127.0.0.1:1"; echo "export S3_TEST_ACCESS_KEY_ID=a S3_TEST_SECRET_ACCESS_KEY=b"',
  'test:s3': `[ "$S3_TEST_URL $S3_TEST_ACCESS_KEY_ID $S3_TEST_SECRET_ACCESS_KEY" = "http://127.0.0.1:1 a b" ] && ${report(20, 0)}`,
  'test:kill': `[ -n "$S3_TEST_URL" ] && ${report(3, 0)}`,
  'test:slow': report(5, 0),
};

/** A checkout whose npm and gateway are the given snippets; the real .ci/run and the real tally. */
const checkout = (legs: Legs): { directory: string; environment: NodeJS.ProcessEnv } => {
  const directory = mkdtempSync(join(tmpdir(), 'ci run '));
  made.push(directory);
  cpSync(join(root, '.ci'), join(directory, '.ci'), { recursive: true });
  for (const folder of ['bin', 'legs', 'scripts']) mkdirSync(join(directory, folder));
  for (const [leg, text] of Object.entries(legs)) writeFileSync(join(directory, 'legs', leg), text);
  const npm = '#!/bin/bash\nfor last; do :; done\nREPORT=$(cut -d= -f2- <<<"$last")\nsource "$LEGS/$3"\n';
  writeFileSync(join(directory, 'bin/npm'), npm, { mode: 0o755 });
  writeFileSync(
    join(directory, 'scripts/ceph-gateway.sh'),
    'echo "$1" >> "$LEGS/gateway-calls"; [ "$1" = down ] || source "$LEGS/gateway"\n',
  );
  writeFileSync(join(directory, 'bin/apt-get'), '#!/bin/bash\necho "$@" >> "$LEGS/apt-get-calls"\nsource "$LEGS/apt-get"\n', {
    mode: 0o755,
  });
  const CHROMIUM = join(directory, 'bin/chromium');
  if (legs.chromium !== '') writeFileSync(CHROMIUM, legs.chromium, { mode: 0o755 });
  const PATH = `${join(directory, 'bin')}:${process.env.PATH}`;
  const environment = { ...process.env, LEGS: join(directory, 'legs'), CHROMIUM, PATH };
  return { directory, environment };
};

const gatewayCalls = (directory: string): string => readFileSync(join(directory, 'legs/gateway-calls'), 'utf8');

const ciRun = (legs: Partial<Legs>): Promise<{ code: number | null; lines: string[]; calls: string }> => {
  const { directory, environment } = checkout({ ...green, ...legs });
  return new Promise((resolve, reject) => {
    const child = spawn('bash', ['.ci/run'], { cwd: directory, env: environment, stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    child.stdout.on('data', (bytes: Buffer) => {
      output += bytes.toString();
    });
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, lines: output.trimEnd().split('\n'), calls: gatewayCalls(directory) }));
  });
};

const hasItsTools = spawnSync('bash', ['-c', 'command -v timeout && tail --version | grep -q GNU']).status === 0;

afterAll(() => {
  for (const directory of made) rmSync(directory, { recursive: true, force: true });
});

describe('the tally of one leg', () => {
  it.each<[what: string, tally: string, exitCode: string, file: string, text: string | null]>([
    ['takes the counts of vitest', '20 0', '0', 'report.json', vitestReport(20, 0)],
    ['takes failed tests, whatever the exit code', '18 2', '0', 'report.json', vitestReport(18, 2)],
    ['counts a test file that does not load', '20 1', '1', 'report.json', vitestReport(20, 0, [[]])],
    ['counts a test file whose clean-up fails', '20 1', '1', 'report.json', vitestReport(20, 0, [['passed', 'passed']])],
    [
      'does not count a failed file beside its failed tests',
      '19 1',
      '1',
      'report.json',
      vitestReport(19, 1, [['passed', 'failed']]),
    ],
    ['counts a bad exit though all tests passed', '20 1 exit code 1', '1', 'report.json', vitestReport(20, 0)],
    ['counts a passed deadline', '20 1 deadline passed', '124', 'report.json', vitestReport(20, 0)],
    ['counts a leg that ran nothing', '0 1 ran nothing', '0', 'report.json', vitestReport(0, 0)],
    ['counts a leg whose report is cut off', '0 1 did not finish: killed', '137', 'report.json', '{"numPassedTests": 1'],
    ['counts a leg without a report, though it exits well', '0 1 did not finish: exit code 0', '0', 'report.json', null],
    ['takes the last line of a log', '8 0', '0', 'check.log', 'ok types\n8 passed, 0 failed\n'],
    ['takes failures from the last line', '6 2', '1', 'check.log', 'FAILED types\n6 passed, 2 failed\n'],
    [
      'refuses a log that goes on after its line',
      '0 1 did not finish: exit code 1',
      '1',
      'check.log',
      '8 passed, 0 failed\nKilled\n',
    ],
  ])('%s', (_, tally, exitCode, file, text) => {
    const directory = mkdtempSync(join(tmpdir(), 'tally-'));
    made.push(directory);
    const path = join(directory, file);
    if (text !== null) writeFileSync(path, text);
    const { stdout } = spawnSync(process.execPath, [join(root, '.ci/tally.mjs'), 'leg', exitCode, path], { encoding: 'utf8' });
    expect(stdout.trim()).toBe(tally);
  });
});

describe.skipIf(!hasItsTools)('.ci/run', { concurrent: true }, () => {
  it.each<[what: string, total: string, legs: Partial<Legs>]>([
    ['adds up what every leg ran', '143 passed, 0 failed', {}],
    ['obeys nothing the gateway prints but addresses', '143 passed, 0 failed', { gateway: `${green.gateway}; echo exit 7` }],
    ['counts failures, and a leg that crashes as one', '121 passed, 3 failed', { test: report(98, 2), 'test:s3': 'kill -9 $$' }],
    ['counts the browser leg when there is no Chromium, and none to be had', '136 passed, 1 failed', { chromium: '' }],
    [
      'installs a Chromium where none is, with new lists when the old ones do not do',
      '143 passed, 0 failed',
      {
        chromium: '',
        'apt-get':
          '[ "$1" = update ] && touch "$LEGS/lists"; [ -e "$LEGS/lists" ] && cp "$LEGS/chromium" "$CHROMIUM" && chmod +x "$CHROMIUM"',
      },
    ],
    ['counts both gateway legs when there is no gateway', '120 passed, 2 failed', { gateway: 'exit 1' }],
    ['counts both gateway legs when the gateway does not say where it is', '120 passed, 2 failed', { gateway: 'true' }],
  ])('%s', async (_, total, legs) => {
    const { code, lines, calls } = await ciRun(legs);
    expect(lines.at(-1)).toBe(total);
    expect(lines.filter((line) => /^\d+ passed, \d+ failed$/.test(line))).toEqual([total]);
    expect(code).toBe(total.endsWith(' 0 failed') ? 0 : 1);
    expect(calls).toBe('up\ndown\n');
  });

  it('takes the gateway down and ends the running leg when it is stopped', async ({ expect }) => {
    const { directory, environment } = checkout({
      ...green,
      'test:kill': 'echo $$ > "$LEGS/kill.pid"; echo waiting; exec sleep 60',
    });
    const child = spawn('bash', ['.ci/run'], { cwd: directory, env: environment, stdio: ['ignore', 'pipe', 'inherit'] });
    child.stdout.on('data', (bytes: Buffer) => {
      if (bytes.toString().includes('[kill] waiting')) child.kill('SIGTERM');
    });
    const code = await new Promise((resolve) => child.on('close', resolve));
    expect(code).toBe(143);
    expect(gatewayCalls(directory)).toBe('up\ndown\n');
    const legPid = readFileSync(join(directory, 'legs/kill.pid'), 'utf8').trim();
    await expect.poll(() => existsSync(`/proc/${legPid}`)).toBe(false);
  });
});
