import { execFile } from 'node:child_process';
import { createPrivateKey, generateKeyPairSync, randomBytes } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Outage } from '../../port/outage.ts';
import type { KeyName } from '../../port/signer.ts';
import { openLocalSigner } from './signer.ts';

const KEY: KeyName = 'pixpax-idn_01JZ0000000000000000000000-0';
const MESSAGE = Buffer.from('{}');

let room: string;
let keys: string;
beforeEach(async () => {
  room = await mkdtemp(join(tmpdir(), 'local signer '));
  keys = join(room, 'some', 'keys');
});
afterEach(() => rm(room, { recursive: true }));

const outageOf = async (call: Promise<unknown>): Promise<Outage> => {
  const outage: unknown = await call.then(
    () => null,
    (error: unknown) => error,
  );
  if (outage instanceof Outage) return outage;
  throw new Error('expected an Outage', { cause: outage });
};
const modeOf = async (path: string): Promise<number> => (await stat(path)).mode & 0o777;
const pemOf = (namedCurve: string): string | Buffer =>
  generateKeyPairSync('ec', { namedCurve }).privateKey.export({ type: 'pkcs8', format: 'pem' });

describe('the files', () => {
  it('are for their owner alone, whatever the umask', async () => {
    const before = process.umask(0);
    try {
      await (await openLocalSigner(keys)).createKey(KEY);
    } finally {
      process.umask(before);
    }
    expect(await modeOf(keys)).toBe(0o700);
    expect(await modeOf(join(keys, `${KEY}.pem`))).toBe(0o600);
  });

  it('are PKCS#8 PEM, one for each key and nothing else', async () => {
    const signer = await openLocalSigner(keys);
    await Promise.all(Array.from({ length: 8 }, () => signer.createKey(KEY)));
    await signer.check();
    expect(await readdir(keys)).toEqual([`${KEY}.pem`]);
    const pem = await readFile(join(keys, `${KEY}.pem`), 'utf8');
    expect(pem).toMatch(/^-----BEGIN PRIVATE KEY-----\n/);
    expect(createPrivateKey(pem).asymmetricKeyDetails?.namedCurve).toBe('prime256v1');
  });

  it('never change once they are there', async () => {
    await (await openLocalSigner(keys)).createKey(KEY);
    const before = await readFile(join(keys, `${KEY}.pem`));
    await (await openLocalSigner(keys)).createKey(KEY);
    expect(await readFile(join(keys, `${KEY}.pem`))).toEqual(before);
  });

  it('survive a draft that a crash left behind', async () => {
    const signer = await openLocalSigner(keys);
    await writeFile(join(keys, `.${KEY}.0000000000000000.draft`), 'half a k', { mode: 0o600 });
    expect(await signer.createKey(KEY)).toHaveLength(91);
  });
});

describe('several processes', () => {
  it('agree on every key that they make at once', async () => {
    const names = Array.from({ length: 5 }, (_, i): KeyName => `pixpax-race-${i}`);
    const module = new URL('./signer.ts', import.meta.url).href;
    const program = `
      const { openLocalSigner } = await import(${JSON.stringify(module)});
      const signer = await openLocalSigner(process.argv[1]);
      const made = await Promise.all(process.argv.slice(2).map((name) => signer.createKey(name)));
      console.log(JSON.stringify(made.map((spki) => Buffer.from(spki).toString('hex'))));`;
    const run = () => promisify(execFile)(process.execPath, ['--input-type=module', '-e', program, keys, ...names]);
    const outputs = await Promise.all([run(), run(), run()]);
    expect(new Set(outputs.map(({ stdout }) => stdout)).size).toBe(1);
    expect((await readdir(keys)).sort()).toEqual(names.map((name) => `${name}.pem`));
  });
});

describe('what is not safe', () => {
  it.each([0o640, 0o604, 0o660, 0o666, 0o610])('refuses a key file of mode %o and says what to type', async (mode) => {
    await (await openLocalSigner(keys)).createKey(KEY);
    const path = join(keys, `${KEY}.pem`);
    await chmod(path, mode);
    const signer = await openLocalSigner(keys);
    for (const call of [() => signer.sign(KEY, MESSAGE), () => signer.createKey(KEY)]) {
      const outage = await outageOf(call());
      expect(outage).toMatchObject({ code: 'signer-refused', message: expect.stringContaining(`chmod 600 '${path}'`) });
    }
    await chmod(path, 0o400);
    expect(await signer.sign(KEY, MESSAGE)).toHaveLength(64);
  });

  it.each([0o750, 0o705, 0o770, 0o777])('refuses a directory of mode %o and says what to type', async (mode) => {
    await mkdir(keys, { recursive: true });
    await chmod(keys, mode);
    const outage = await outageOf(openLocalSigner(keys));
    expect(outage).toMatchObject({ code: 'signer-refused', message: expect.stringContaining(`chmod 700 '${keys}'`) });
    await chmod(keys, 0o700);
    await (await openLocalSigner(keys)).check();
  });
});

describe('what is not a key', () => {
  it.each<[string, string | Buffer, RegExp]>([
    ['empty', '', /not a PKCS#8 PEM file/],
    ['noise', randomBytes(200), /not a PKCS#8 PEM file/],
    ['cut off', pemOf('prime256v1').slice(0, 120), /not a PKCS#8 PEM file/],
    ['of another curve', pemOf('secp384r1'), /does not hold a P-256 key/],
    ['far too long', 'x'.repeat(10_000), /10000 bytes/],
  ])('is refused and left as it is: a file that is %s', async (_, content, text) => {
    const signer = await openLocalSigner(keys);
    const path = join(keys, `${KEY}.pem`);
    await writeFile(path, content, { mode: 0o600 });
    for (const call of [() => signer.sign(KEY, MESSAGE), () => signer.createKey(KEY)]) {
      expect(await outageOf(call())).toMatchObject({ code: 'signer-refused', message: expect.stringMatching(text) });
    }
    expect(await readFile(path)).toEqual(Buffer.from(content));
  });

  it('is not quoted', async () => {
    const signer = await openLocalSigner(keys);
    await writeFile(join(keys, `${KEY}.pem`), '-----BEGIN PRIVATE KEY-----\nCANARY\n-----END PRIVATE KEY-----', { mode: 0o600 });
    const outage = await outageOf(signer.sign(KEY, MESSAGE));
    expect([outage.message, outage.stack, String(outage.cause)].join()).not.toContain('CANARY');
  });
});

describe('a directory that cannot be used', () => {
  it.each<[string, () => Promise<string>, RegExp]>([
    ['is a file', () => writeFile(join(room, 'file'), '').then(() => join(room, 'file')), /EEXIST.*there is a file/],
    ['lies below a file', () => writeFile(join(room, 'file'), '').then(() => join(room, 'file', 'keys')), /ENOTDIR/],
  ])('is refused when it is opened: it %s', async (_, make, text) => {
    expect(await outageOf(openLocalSigner(await make()))).toMatchObject({
      code: 'signer-refused',
      message: expect.stringMatching(text),
    });
  });

  it('is noticed by the check when it is gone, and no key is made in its place', async () => {
    const signer = await openLocalSigner(keys);
    await rm(keys, { recursive: true });
    for (const call of [() => signer.check(), () => signer.createKey(KEY)]) {
      expect(await outageOf(call())).toMatchObject({ code: 'signer-refused', message: expect.stringMatching(/is gone/) });
    }
  });
});

describe('memory', () => {
  it('keeps signing without the file, which is read once', async () => {
    await (await openLocalSigner(keys)).createKey(KEY);
    const signer = await openLocalSigner(keys);
    await Promise.all(Array.from({ length: 16 }, () => signer.sign(KEY, MESSAGE)));
    await rm(join(keys, `${KEY}.pem`));
    expect(await signer.sign(KEY, MESSAGE)).toHaveLength(64);
  });

  it('does not hold up the event loop while it signs', async () => {
    const signer = await openLocalSigner(keys);
    await signer.createKey(KEY);
    let signed = 0;
    const all = Promise.all(Array.from({ length: 512 }, () => signer.sign(KEY, MESSAGE).then(() => (signed += 1))));
    await new Promise((resolve) => setImmediate(resolve));
    expect(signed).toBeLessThan(512);
    await all;
  });
});
