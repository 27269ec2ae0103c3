/**
 * What one leg of .ci/run amounts to: `node .ci/tally.mjs LEG EXIT-CODE [REPORT]` prints `PASSED FAILED [WHY]`.
 * REPORT is vitest's JSON, or a log that ends with `N passed, N failed`. Doubt counts against the leg: no report, nothing run,
 * or an exit code that disagrees is a failure. Plain JavaScript for Node 20, without packages.
 */
import { existsSync, readFileSync } from 'node:fs';

const [, , , exitCode, report] = process.argv;

const endings = { 124: 'deadline passed', 137: 'killed' };

const fromVitest = (text) => {
  const { numPassedTests, numFailedTests, testResults } = JSON.parse(text);
  // A file that does not load has no tests that could fail.
  const brokenFiles = testResults.filter(
    ({ status, assertionResults }) => status === 'failed' && assertionResults.every(isNotFailed),
  );
  return { passed: numPassedTests, failed: numFailedTests + brokenFiles.length };
};
const isNotFailed = ({ status }) => status !== 'failed';

const fromLog = (text) => {
  const [, passed, failed] = /^(\d+) passed, (\d+) failed$/.exec(text.trimEnd().split('\n').at(-1) ?? '') ?? [];
  return passed === undefined ? null : { passed: Number(passed), failed: Number(failed) };
};

const read = () => {
  if (report === undefined || !existsSync(report)) return null;
  const text = readFileSync(report, 'utf8');
  try {
    return report.endsWith('.json') ? fromVitest(text) : fromLog(text);
  } catch {
    return null;
  }
};

const verdict = () => {
  const ending = endings[exitCode] ?? (/^\d+$/.test(exitCode) ? `exit code ${exitCode}` : exitCode);
  const counted = read();
  if (counted === null) return [0, 1, `did not finish: ${ending}`];
  if (exitCode !== '0' && counted.failed === 0) return [counted.passed, 1, ending];
  if (counted.passed + counted.failed === 0) return [0, 1, 'ran nothing'];
  return [counted.passed, counted.failed];
};

console.log(verdict().join(' '));
