import { execFile } from 'node:child_process';
import { mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { keptSecret } from './kept-secret.ts';
import { openCodeSecret } from './open-parts.ts';
import { Refused } from './until-up.ts';

let room: string;
let file: string;
beforeEach(async () => {
  room = await mkdtemp(join(tmpdir(), 'kept secret '));
  file = join(room, 'secrets', 'codes');
});
afterEach(() => rm(room, { recursive: true }));

it('makes a secret once, for its owner alone', async () => {
  const secret = await keptSecret(file);
  expect(secret).toMatch(/^[0-9a-f]{64}$/);
  expect(await keptSecret(file)).toBe(secret);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect(await readdir(join(room, 'secrets'))).toEqual(['codes']);
});

it('gives one secret to all processes that make it at once', async () => {
  const program = `
    const { keptSecret } = await import(${JSON.stringify(new URL('./kept-secret.ts', import.meta.url).href)});
    console.log(await keptSecret(process.argv[1]));`;
  const run = () => promisify(execFile)(process.execPath, ['--input-type=module', '-e', program, file]);
  const outputs = await Promise.all([run(), run(), run()]);
  expect(new Set(outputs.map(({ stdout }) => stdout.trim()))).toEqual(new Set([await keptSecret(file)]));
});

it('refuses a file that holds no secret, and leaves it as it is', async () => {
  await keptSecret(file);
  await writeFile(file, 'canary\n');
  const error: unknown = await keptSecret(file).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(Refused);
  expect(String(error)).toMatch(/restore it from a backup/);
  expect(String(error)).not.toContain('canary');
  expect(await readFile(file, 'utf8')).toBe('canary\n');
});

it('refuses a place where nothing can be kept', async () => {
  await writeFile(join(room, 'secrets'), '');
  await expect(keptSecret(file)).rejects.toThrow(/codes cannot be kept \(ENOTDIR\)/);
});

it('names codes with the secret given, and with a kept one otherwise', async () => {
  const given = 'x'.repeat(32);
  expect(await openCodeSecret({ codeSecret: given, dataDir: room })).toBe(given);
  expect(await readdir(room)).toEqual([]);
  const kept = await openCodeSecret({ codeSecret: null, dataDir: room });
  expect(await keptSecret(file)).toBe(kept);
});
