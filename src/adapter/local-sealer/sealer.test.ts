import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect, promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openLocalSealer } from './sealer.ts';

const CONTEXT = 'col_01JZ0000000000000000000000/drop_01JZ0000000000000000000001';
const SECRET = Buffer.from('0123456789abcdef0123456789abcdef');

let room: string;
let keys: string;
let keyFile: string;
beforeEach(async () => {
  room = await mkdtemp(join(tmpdir(), 'local sealer '));
  keys = join(room, 'some', 'keys');
  keyFile = join(keys, 'pixpax-seal.key');
});
afterEach(() => rm(room, { recursive: true }));

const refusedWith = (message: RegExp) => ({ name: 'Outage', code: 'signer-refused', message: expect.stringMatching(message) });
const sealedBefore = async (): Promise<string> => (await openLocalSealer(keys)).seal(CONTEXT, SECRET);

describe('the key file', () => {
  it('is made when something is sealed for the first time, for its owner alone whatever the umask', async () => {
    const before = process.umask(0);
    try {
      const sealer = await openLocalSealer(keys);
      expect(await readdir(keys)).toEqual([]);
      await sealer.seal(CONTEXT, SECRET);
    } finally {
      process.umask(before);
    }
    expect(await readdir(keys)).toEqual(['pixpax-seal.key']);
    const { mode, size } = await stat(keyFile);
    expect([mode & 0o777, size]).toEqual([0o600, 32]);
    expect((await stat(keys)).mode & 0o777).toBe(0o700);
  });

  it('never changes once it is there', async () => {
    await sealedBefore();
    const key = await readFile(keyFile);
    await sealedBefore();
    expect(await readFile(keyFile)).toEqual(key);
  });

  it('is not made anew when it is gone: what was sealed waits for its backup', async () => {
    const sealed = await sealedBefore();
    const key = await readFile(keyFile);
    await rm(keyFile);
    const sealer = await openLocalSealer(keys);
    await expect(sealer.unseal(CONTEXT, sealed)).rejects.toMatchObject(refusedWith(/restore it from a backup/));
    expect(await readdir(keys)).toEqual([]);
    await writeFile(keyFile, key, { mode: 0o600 });
    expect(Buffer.from(await sealer.unseal(CONTEXT, sealed))).toEqual(SECRET);
  });

  it('is read once, and its key is not shown', async () => {
    const sealer = await openLocalSealer(keys);
    const sealed = await sealer.seal(CONTEXT, SECRET);
    expect(Buffer.from(await sealer.unseal(CONTEXT, sealed))).toEqual(SECRET);
    const key = await readFile(keyFile);
    await rm(keyFile);
    expect(Buffer.from(await sealer.unseal(CONTEXT, await sealer.seal(CONTEXT, SECRET)))).toEqual(SECRET);
    expect(inspect(sealer, { depth: 20, showHidden: true })).not.toContain(key.toString('hex'));
  });

  it('survives a draft that a crash left behind', async () => {
    await mkdir(keys, { recursive: true, mode: 0o700 });
    await writeFile(join(keys, '.pixpax-seal.key.0000000000000000.draft'), 'half a k', { mode: 0o600 });
    expect(await sealedBefore()).toMatch(/^local:v1:[A-Za-z0-9_-]{80}$/);
  });

  it.each([0o640, 0o604, 0o666])('is refused with mode %o, and what to type is said', async (mode) => {
    const sealed = await sealedBefore();
    await chmod(keyFile, mode);
    const sealer = await openLocalSealer(keys);
    for (const call of [() => sealer.seal(CONTEXT, SECRET), () => sealer.unseal(CONTEXT, sealed)])
      await expect(call()).rejects.toMatchObject(refusedWith(/chmod 600 '.*pixpax-seal\.key'/));
    await chmod(keyFile, 0o400);
    expect(Buffer.from(await sealer.unseal(CONTEXT, sealed))).toEqual(SECRET);
  });

  it.each<[string, Buffer, RegExp]>([
    ['empty', Buffer.of(), /does not hold 32 bytes/],
    ['a byte short', randomBytes(31), /does not hold 32 bytes/],
    ['a byte too long', randomBytes(33), /does not hold 32 bytes/],
    ['far too long', Buffer.alloc(10_000), /10000 bytes/],
  ])('is refused and left as it is when it is %s', async (_, content, text) => {
    const sealed = await sealedBefore();
    await writeFile(keyFile, content);
    const sealer = await openLocalSealer(keys);
    for (const call of [() => sealer.seal(CONTEXT, SECRET), () => sealer.unseal(CONTEXT, sealed)])
      await expect(call()).rejects.toMatchObject(refusedWith(text));
    expect(await readFile(keyFile)).toEqual(content);
  });
});

describe('the directory', () => {
  it('is refused when it is open to others, and what to type is said', async () => {
    await mkdir(keys, { recursive: true });
    await chmod(keys, 0o750);
    await expect(openLocalSealer(keys)).rejects.toMatchObject(refusedWith(/chmod 700/));
  });

  it('is missed when it is gone, and not made anew', async () => {
    const sealer = await openLocalSealer(keys);
    await rm(keys, { recursive: true });
    await expect(sealer.seal(CONTEXT, SECRET)).rejects.toMatchObject(refusedWith(/is gone/));
  });
});

describe('several processes', () => {
  it('that seal for the first time at once open what any of them sealed', async () => {
    const module = new URL('./sealer.ts', import.meta.url).href;
    const program = `
      const { openLocalSealer } = await import(${JSON.stringify(module)});
      const sealer = await openLocalSealer(process.argv[1]);
      console.log(await sealer.seal(process.argv[2], Buffer.from(process.argv[3])));`;
    const run = () =>
      promisify(execFile)(process.execPath, ['--input-type=module', '-e', program, keys, CONTEXT, SECRET.toString()]);
    const outputs = await Promise.all([run(), run(), run()]);
    const sealer = await openLocalSealer(keys);
    for (const { stdout } of outputs) expect(Buffer.from(await sealer.unseal(CONTEXT, stdout.trim()))).toEqual(SECRET);
    expect(await readdir(keys)).toEqual(['pixpax-seal.key']);
  });
});
