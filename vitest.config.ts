import { defineConfig } from 'vitest/config';

/**
 * Suffixes tell what a test needs beyond npm packages: `*.slow.test.ts` patience, `*.s3.test.ts` an object store,
 * `*.vault.test.ts` a Vault, `*.browser.test.ts` a Chromium. `npm test` runs what has none; `TEST_SUITE=slow` (or s3, vault, browser) runs just
 * those.
 */
const suites = ['slow', 's3', 'vault', 'browser'];
const suite = process.env.TEST_SUITE;
if (suite !== undefined && !suites.includes(suite)) throw new Error(`TEST_SUITE is one of ${suites.join(', ')}, not ${suite}`);

export default defineConfig({
  test: {
    include: suite === undefined ? ['{src,projector,test,scripts}/**/*.test.ts'] : [`{src,projector,test}/**/*.${suite}.test.ts`],
    exclude: suite === undefined ? suites.map((name) => `**/*.${name}.test.ts`) : [],
    globalSetup: ['test/global-setup.ts'],
    // Processes, not threads: tests spawn, signal and measure processes. Two cores are what a small CI machine has.
    pool: 'forks',
    maxWorkers: 2,
    // Generous, because nothing waits for a timeout to pass: they only bound a hang on a busy machine.
    testTimeout: suite === 'slow' ? 600_000 : 30_000,
    hookTimeout: 60_000,
    teardownTimeout: 30_000,
    restoreMocks: true,
    reporters: ['default'],
    coverage: { provider: 'v8', include: ['src/**/*.ts', 'projector/**/*.ts'], exclude: ['**/*.test.ts'] },
  },
});
