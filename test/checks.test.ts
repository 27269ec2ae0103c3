import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..');
const made: string[] = [];

/** A checkout that has our checks, our packages and these files. */
const checkout = (files: Readonly<Record<string, string>>): string => {
  const directory = mkdtempSync(join(tmpdir(), 'checks of '));
  made.push(directory);
  for (const script of ['check.mjs', 'check-file-names.mjs', 'check-manifests.mjs', 'generate.mjs', 'node24.mjs'])
    cpSync(join(root, 'scripts', script), join(directory, 'scripts', script));
  for (const config of ['.dependency-cruiser.mjs', 'tsconfig.json', 'package.json'])
    cpSync(join(root, config), join(directory, config));
  // The packages are ours, by a link: nothing must install into them.
  write(directory, 'scripts/install.mjs', 'export const ensureInstalled = async () => {};');
  symlinkSync(join(root, 'node_modules'), join(directory, 'node_modules'));
  for (const [path, text] of Object.entries(files)) write(directory, path, text);
  return directory;
};

const write = (directory: string, path: string, text: string): void => {
  mkdirSync(dirname(join(directory, path)), { recursive: true });
  writeFileSync(join(directory, path), text);
};

const node = (directory: string, ...args: string[]): { status: number | null; output: string } => {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: directory, encoding: 'utf8' });
  return { status, output: stdout + stderr };
};

afterEach(() => {
  for (const directory of made.splice(0)) rmSync(directory, { recursive: true, force: true });
});

describe('npm run check', () => {
  it('says ok, and how many passed', () => {
    const { status, output } = node(checkout({ 'src/receipt/chain.ts': '' }), 'scripts/check.mjs', 'file names');
    expect(output).toMatch(/^ok {6}file names \(.* s\)\n1 passed, 0 failed\n$/);
    expect(status).toBe(0);
  });

  it('shows the output of what failed, and goes on', () => {
    const files = { 'src/receipt/date-utils.ts': '', 'k8s/api.yaml': 'apiVersion: v1\nkind: Service\nmetadata: { name: api }\n' };
    const { status, output } = node(checkout(files), 'scripts/check.mjs', 'file names', 'manifests');
    expect(output).toMatch(/^FAILED {2}file names \(.* s\)\n {4}src\/receipt\/date-utils\.ts says nothing/m);
    expect(output).toMatch(/^ok {6}manifests/m);
    expect(output).toMatch(/\n1 passed, 1 failed\n$/);
    expect(status).toBe(1);
  });

  it('counts what is not there yet as neither, and does not call nothing a success', () => {
    const { status, output } = node(checkout({}), 'scripts/check.mjs', 'openapi lint');
    expect(output).toBe('not yet openapi lint (openapi.yaml missing)\n0 passed, 0 failed\n');
    expect(status).toBe(1);
  });

  it('names the checks there are when asked for another', () => {
    const { status, output } = node(checkout({}), 'scripts/check.mjs', 'spelling');
    expect(output).toMatch(/no such check: spelling; there are: types, /);
    expect(status).toBe(2);
  });
});

describe('the check of file names', () => {
  it.each([
    'src/utils/ids.ts',
    'src/receipt/helpers.ts',
    'src/command/append-helper.ts',
    'projector/run-manager.ts',
    'test/common.ts',
    'src/receipt/index.ts',
    'src/receipt/read-and-verify.ts',
    'src/receipt/keyPath.ts',
  ])('refuses %s', (path) => {
    const { status, output } = node(checkout({ [path]: '' }), 'scripts/check-file-names.mjs');
    expect([status, output.split('\n').length]).toEqual([1, 2]);
  });

  it.each(['src/receipt/README.md', 'src/adapter/s3/receipt-store.s3.test.ts', 'src/http/route/commons.ts'])(
    'lets %s be',
    (path) => {
      expect(node(checkout({ [path]: '' }), 'scripts/check-file-names.mjs')).toEqual({ status: 0, output: '' });
    },
  );
});

describe('the check of manifests', () => {
  it.each([
    ['a document that does not parse', 'a: [1', /api\.yaml, document 1: /],
    ['a key that stands twice', 'kind: A\nkind: B\n', /document 1: .*unique/s],
    [
      'a second document without a kind',
      'apiVersion: v1\nkind: A\nmetadata: { name: a }\n---\napiVersion: v1\n',
      /document 2: kind is missing/,
    ],
    ['a document without a name', 'apiVersion: v1\nkind: A\n', /document 1: metadata\.name is missing/],
  ])('refuses %s', (_, text, message) => {
    const { status, output } = node(checkout({ 'k8s/base/api.yaml': text }), 'scripts/check-manifests.mjs', 'k8s');
    expect(output).toMatch(message);
    expect(status).toBe(1);
  });
});

describe('npm run generate:files', () => {
  const graph = 'diagrams/imports.mmd';
  const stream = 'src/stream/fold.ts';

  it('writes the import graph, and the check passes until an arrow changes', () => {
    const directory = checkout({ 'src/receipt/chain.ts': '', [stream]: "import '../receipt/chain.ts';\n" });
    const check = () => node(directory, 'scripts/generate.mjs', '--check', graph);

    expect(check()).toMatchObject({ status: 1, output: expect.stringContaining('+src_stream-->src_receipt') });
    expect(existsSync(join(directory, graph))).toBe(false);

    expect(node(directory, 'scripts/generate.mjs', graph)).toEqual({ status: 0, output: `written ${graph}\n` });
    expect(readFileSync(join(directory, graph), 'utf8')).toContain('src_stream-->src_receipt\n');
    expect(check()).toEqual({ status: 0, output: `fresh   ${graph}\n` });

    write(directory, stream, '');
    expect(check()).toMatchObject({ status: 1, output: expect.stringContaining('-src_stream-->src_receipt') });
  });

  it('says what is not there yet', () => {
    const { status, output } = node(checkout({}), 'scripts/generate.mjs', '--check', 'openapi.yaml');
    expect(output).toBe('not yet openapi.yaml (src/http/openapi-document.ts missing)\n');
    expect(status).toBe(0);
  });

  it('refuses to make a file it does not know', () => {
    expect(node(checkout({}), 'scripts/generate.mjs', 'README.md')).toMatchObject({ status: 2 });
  });
});
