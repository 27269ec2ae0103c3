import { spawnSync } from 'node:child_process';
import { link, mkdir, readdir, utimes, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { expect, it } from 'vitest';
import { limits } from '../../limits.ts';
import { room } from './room.fixture.ts';
import { TEMPORARY_DIRECTORY, sweepTemporaryFiles, temporaryPath } from './temporary-files.ts';

const { directory } = room();

/** The id of a process that has ended. */
const deadProcess = (): number => spawnSync(process.execPath, ['-e', '']).pid;

const sweep = async (names: readonly string[], ageMs = 0): Promise<string[]> => {
  const root = await directory();
  const temporary = join(root, TEMPORARY_DIRECTORY);
  await mkdir(temporary);
  for (const name of names) {
    await writeFile(join(temporary, name), 'x');
    await utimes(join(temporary, name), new Date(Date.now() - ageMs), new Date(Date.now() - ageMs));
  }
  await sweepTemporaryFiles(root, Date.now());
  return (await readdir(temporary)).sort();
};

const mine = (): string => basename(temporaryPath('/'));
const [machine = ''] = mine().split('-');

it('never gives the same path twice', () => {
  expect(new Set(Array.from({ length: 1000 }, () => temporaryPath('/x'))).size).toBe(1000);
});

it('sweeps the files of dead processes of this machine, and of an earlier life of this process id', async () => {
  const orphans = [`${machine}-${deadProcess()}-00000000-1`, `${machine}-${process.pid}-00000000-2`];
  expect(await sweep(orphans)).toEqual([]);
});

it('leaves what may be in use: its own, those of living processes, and those of other machines', async () => {
  const others = [mine(), `${machine}-${process.ppid}-00000000-1`, `00000000-${deadProcess()}-00000000-1`, 'foreign'];
  expect(await sweep(others)).toEqual(others.sort());
});

it('sweeps anything that is too old to be in use', async () => {
  const names = [mine(), `${machine}-${process.ppid}-00000000-1`, '00000000-1-00000000-1', 'foreign'];
  expect(await sweep(names, limits.staleTempFileMs + 1000)).toEqual([]);
});

it('sweeps an orphan that was already given its name, and leaves the object', async () => {
  const root = await directory();
  await mkdir(join(root, TEMPORARY_DIRECTORY));
  const orphan = join(root, TEMPORARY_DIRECTORY, `${machine}-${deadProcess()}-00000000-1`);
  await writeFile(orphan, 'whole');
  await link(orphan, join(root, 'object.json'));
  await sweepTemporaryFiles(root, Date.now());
  expect(await readdir(root, { recursive: true })).toEqual([TEMPORARY_DIRECTORY, 'object.json']);
});

it('does nothing, without complaint, where there is nothing to sweep', async () => {
  await expect(sweepTemporaryFiles(join(await directory(), 'none'), Date.now())).resolves.toBeUndefined();
});
