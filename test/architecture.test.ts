import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { type ICruiseOptions, cruise } from 'dependency-cruiser';
import extractDepcruiseOptions from 'dependency-cruiser/config-utl/extract-depcruise-options';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

/** One import that the rule of that name must refuse. A target without a slash or with an @ is a package. */
const refused: readonly (readonly [rule: string, from: string, to: string])[] = [
  ['arrow-of-receipt', 'src/receipt/r.ts', 'src/stream/ok.ts'],
  ['arrow-of-receipt', 'src/receipt/r2.ts', 'src/port/ok.ts'],
  ['arrow-of-receipt', 'src/receipt/r3.ts', 'src/somewhere/new.ts'],
  ['arrow-of-stream', 'src/stream/account/s.ts', 'src/access/ok.ts'],
  ['arrow-of-access', 'src/access/a.ts', 'src/projection/ok.ts'],
  ['arrow-of-access', 'src/access/a2.ts', 'src/port/ok.ts'],
  ['arrow-of-projection', 'src/projection/p.ts', 'src/port/ok.ts'],
  ['arrow-of-port', 'src/port/p.ts', 'src/adapter/file/ok.ts'],
  ['arrow-of-command', 'src/command/c.ts', 'src/http/ok.ts'],
  ['arrow-of-command', 'src/command/c2.ts', 'src/adapter/s3/ok.ts'],
  ['arrow-of-certificate', 'src/certificate/c.ts', 'src/projection/ok.ts'],
  ['arrow-of-certificate', 'src/certificate/c2.ts', 'src/adapter/file/ok.ts'],
  ['arrow-of-command', 'src/command/c3.ts', 'src/certificate/ok.ts'],
  ['arrow-of-snapshot', 'src/snapshot/s.ts', 'src/projection/ok.ts'],
  ['arrow-of-snapshot', 'src/snapshot/s2.ts', 'src/adapter/file/ok.ts'],
  ['arrow-of-command', 'src/command/c4.ts', 'src/snapshot/ok.ts'],
  ['arrow-of-http', 'src/http/h.ts', 'src/adapter/better-auth/ok.ts'],
  ['arrow-of-http', 'src/http/route/h2.ts', 'projector/ok.ts'],
  ['arrow-of-adapter', 'src/adapter/file/a.ts', 'src/command/ok.ts'],
  ['arrow-of-adapter', 'src/adapter/vault/a.ts', 'src/http/ok.ts'],
  ['arrow-of-projector', 'projector/p.ts', 'src/command/ok.ts'],
  ['arrow-of-projector', 'projector/p2.ts', 'src/http/ok.ts'],
  ['arrow-of-projector-main', 'projector/main.ts', 'src/command/ok.ts'],
  ['arrow-of-shared-files', 'src/limits.ts', 'src/command/ok.ts'],
  ['arrow-of-shared-files', 'src/config.ts', 'src/http/ok.ts'],
  ['arrow-of-shared-files', 'src/environment.ts', 'src/command/ok.ts'],
  ['adapters-do-not-know-each-other', 'src/adapter/file/b.ts', 'src/adapter/s3/ok.ts'],
  ['adapters-do-not-know-each-other', 'src/adapter/postgres/b.ts', 'src/adapter/store-url.ts'],
  ['what-adapters-share-knows-none', 'src/adapter/object-key.ts', 'src/adapter/file/ok.ts'],
  ['adapter-tests-borrow-only-faults', 'src/adapter/file/file.test.ts', 'src/adapter/memory/ok.ts'],
  ['store-url-opens-file-and-s3', 'src/adapter/store-url.ts', 'src/adapter/memory/ok.ts'],
  ['faults-are-for-tests', 'projector/f.ts', 'src/adapter/memory/faults.ts'],
  ['config-is-for-main', 'src/http/c.ts', 'src/config.ts'],
  ['config-is-for-main', 'projector/c.ts', 'src/config.ts'],
  ['config-is-for-main', 'src/http/c2.ts', 'src/environment.ts'],
  ['better-auth-has-one-door', 'src/http/d.ts', 'better-auth'],
  ['better-auth-has-one-door', 'src/main.ts', '@better-auth/core'],
  ['aws-sdk-has-one-door', 'src/adapter/file/d.ts', '@aws-sdk/client-s3'],
  ['node-vault-has-one-door', 'src/command/d.ts', 'node-vault'],
  ['graphile-worker-has-one-door', 'src/command/d3.ts', 'graphile-worker'],
  ['rate-limiter-flexible-has-one-door', 'src/http/d3.ts', 'rate-limiter-flexible'],
  ['pg-has-one-door', 'src/http/d2.ts', 'pg'],
  ['pg-has-one-door', 'src/command/d2.ts', 'pg-copy-streams'],
  ['no-cycles', 'src/receipt/one.ts', 'src/receipt/two.ts'],
  ['no-orphans', 'src/receipt/forgotten.ts', ''],
  ['pure-core-does-no-io', 'src/stream/io.ts', 'node:fs'],
  ['pure-core-does-no-io', 'src/certificate/io.ts', 'node:fs'],
  ['pure-core-does-no-io', 'src/snapshot/io.ts', 'node:fs'],
  ['no-dev-dependency-in-product', 'src/http/dev.ts', 'vitest'],
  ['no-undeclared-package', 'src/http/undeclared.ts', 'only-transitive'],
  ['no-unresolvable', 'src/http/typo.ts', 'src/http/missing.ts'],
  ['no-test-in-product', 'src/command/t.ts', 'src/command/ok.test.ts'],
  ['no-test-in-product', 'src/command/t2.ts', 'test/ok.ts'],
  ['nobody-imports-main', 'src/http/m.ts', 'src/main.ts'],
];

/** Imports that must stay possible. */
const allowed: readonly (readonly [from: string, to: string])[] = [
  ['src/receipt/ok.ts', 'node:crypto'],
  ['src/receipt/ok2.ts', 'src/result.ts'],
  ['src/stream/ok.ts', 'src/receipt/ok.ts'],
  ['src/access/ok.ts', 'src/receipt/ok.ts'],
  ['src/access/ok.ts', 'src/stream/ok.ts'],
  ['src/projection/ok.ts', 'src/access/ok.ts'],
  ['src/projection/ok2.ts', 'src/stream/ok.ts'],
  ['src/port/ok.ts', 'src/projection/ok.ts'],
  ['src/command/ok.ts', 'src/port/ok.ts'],
  ['src/certificate/ok.ts', 'src/port/ok.ts'],
  ['src/certificate/ok.ts', 'src/stream/ok.ts'],
  ['src/http/ok.ts', 'src/command/ok.ts'],
  ['src/http/ok.ts', 'src/certificate/ok.ts'],
  ['src/snapshot/ok.ts', 'src/port/ok.ts'],
  ['src/snapshot/ok.ts', 'src/stream/ok.ts'],
  ['src/http/ok.ts', 'src/snapshot/ok.ts'],
  ['src/http/ok2.ts', 'src/limits.ts'],
  ['src/adapter/file/ok.ts', 'src/port/ok.ts'],
  ['src/adapter/file/ok.ts', 'src/adapter/shared-key.ts'],
  ['src/adapter/store-url.ts', 'src/adapter/shared-key.ts'],
  ['src/adapter/shared-key.ts', 'src/limits.ts'],
  ['src/adapter/memory/ok.ts', 'src/adapter/memory/faults.ts'],
  ['src/adapter/memory/faults.ts', 'src/result.ts'],
  ['src/adapter/s3/ok.ts', '@aws-sdk/client-s3'],
  ['src/adapter/postgres/ok.ts', 'pg'],
  ['src/adapter/better-auth/ok.ts', 'better-auth'],
  ['src/adapter/vault/ok.ts', 'node-vault'],
  ['src/adapter/graphile-worker/ok.ts', 'graphile-worker'],
  ['src/adapter/graphile-worker/ok.ts', 'pg'],
  ['src/adapter/rate-limiter/ok.ts', 'rate-limiter-flexible'],
  ['src/adapter/store-url.ts', 'src/adapter/s3/ok.ts'],
  ['src/adapter/store-url.ts', 'src/adapter/file/ok.ts'],
  ['src/adapter/s3/ok.test.ts', 'src/adapter/memory/faults.ts'],
  ['src/command/ok.test.ts', 'src/adapter/memory/ok.ts'],
  ['src/command/ok.test.ts', 'vitest'],
  ['src/config.ts', 'src/environment.ts'],
  ['src/main.ts', 'src/config.ts'],
  ['src/main.ts', 'src/adapter/store-url.ts'],
  ['src/main.ts', 'src/http/ok.ts'],
  ['projector/ok.ts', 'pg'],
  ['projector/ok.ts', 'src/certificate/ok.ts'],
  ['projector/ok.ts', 'src/snapshot/ok.ts'],
  ['projector/ok.ts', 'src/adapter/store-url.ts'],
  ['projector/main.ts', 'src/config.ts'],
  ['projector/main.ts', 'projector/ok.ts'],
  ['test/ok.ts', 'src/adapter/postgres/ok.ts'],
];

const packages = {
  dependencies: [
    'better-auth',
    '@better-auth/core',
    '@aws-sdk/client-s3',
    'node-vault',
    'graphile-worker',
    'rate-limiter-flexible',
    'pg',
    'pg-copy-streams',
  ],
  devDependencies: ['vitest'],
};

const isOurs = (target: string): boolean => /^(src|projector|test)\//.test(target);

/** The target as the report names it. */
const reported = (from: string, to: string): string => {
  if (to === '') return from;
  if (to.startsWith('node:')) return to.slice('node:'.length);
  if (to.endsWith('missing.ts')) return './missing.ts';
  return isOurs(to) ? to : `node_modules/${to}/index.js`;
};

/** The files of the fixture: each imports what its rows name, ours by type alone, for a type is an arrow too. */
const fixtureFiles = (): Map<string, string> => {
  const files = new Map<string, string>();
  const rows = [
    ...refused.map(([, from, to]) => [from, to] as const),
    ...allowed,
    ['src/receipt/two.ts', 'src/receipt/one.ts'] as const,
  ];
  for (const [from, to] of rows) {
    const path = relative(dirname(from), to);
    const specifier = isOurs(to) ? (path.startsWith('.') ? path : `./${path}`) : to;
    const line = to === '' ? 'export {};\n' : isOurs(to) ? `import type {} from '${specifier}';\n` : `import '${specifier}';\n`;
    files.set(from, (files.get(from) ?? '') + line);
    if (isOurs(to) && !to.endsWith('missing.ts')) files.set(to, files.get(to) ?? '');
  }
  const versions = (names: readonly string[]) => Object.fromEntries(names.map((name) => [name, '1.0.0']));
  const { dependencies, devDependencies } = packages;
  files.set('package.json', JSON.stringify({ dependencies: versions(dependencies), devDependencies: versions(devDependencies) }));
  for (const name of [...dependencies, ...devDependencies, 'only-transitive']) {
    files.set(`node_modules/${name}/package.json`, JSON.stringify({ name, version: '1.0.0', exports: './index.js' }));
    files.set(`node_modules/${name}/index.js`, '');
  }
  return files;
};

describe('the import rules', () => {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'architecture-')));
  let options: ICruiseOptions;
  let found: ReadonlySet<string>;

  beforeAll(async () => {
    for (const [path, text] of fixtureFiles()) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text);
    }
    const { tsConfig: _, ...rest } = await extractDepcruiseOptions(join(import.meta.dirname, '../.dependency-cruiser.mjs'));
    options = rest;
    const { output } = await cruise(['src', 'projector', 'test'], { ...options, validate: true, baseDir: root });
    if (typeof output === 'string') throw new Error(output);
    found = new Set(output.summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} -> ${to}`));
  });
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  it.each(refused)('%s refuses that %s imports %s', (rule, from, to) => {
    expect(found).toContain(`${rule}: ${from} -> ${reported(from, to)}`);
  });

  it.each(allowed)('let %s import %s', (from, to) => {
    expect([...found].filter((line) => line.endsWith(`: ${from} -> ${reported(from, to)}`))).toEqual([]);
  });

  it('breaks every rule once', () => {
    const names = (options.ruleSet?.forbidden ?? []).map((rule) => rule.name);
    expect([...new Set(refused.map(([rule]) => rule))].sort()).toEqual([...names].sort());
  });
});
