import { generateKeyPairSync } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { fingerprintOf } from './manifest.ts';
import { openVerifierKey } from './verifier-key.ts';

const directory = mkdtempSync(join(tmpdir(), 'pixpax-verifier-key-'));
afterAll(() => rmSync(directory, { recursive: true }));
const at = (name: string): string => join(directory, name);

describe('the verifier’s key', () => {
  it('is made where there is none, for its owner alone, and stays', async () => {
    const made = await openVerifierKey(at('a/b/key.pem'));
    expect(statSync(at('a/b/key.pem')).mode & 0o777).toBe(0o600);
    expect(fingerprintOf(await openVerifierKey(at('a/b/key.pem')))).toBe(fingerprintOf(made));
  });

  it('is one key for those who make it at once', async () => {
    const keys = await Promise.all(Array.from({ length: 8 }, () => openVerifierKey(at('raced.pem'))));
    expect(new Set(keys.map(fingerprintOf)).size).toBe(1);
  });

  it('may be readable to its group, as a mounted secret is', async () => {
    const made = await openVerifierKey(at('mounted.pem'));
    chmodSync(at('mounted.pem'), 0o440);
    expect(fingerprintOf(await openVerifierKey(at('mounted.pem')))).toBe(fingerprintOf(made));
  });

  it.each([0o604, 0o660, 0o666])('is refused with mode %o', async (mode) => {
    await openVerifierKey(at(`open-${mode}.pem`));
    chmodSync(at(`open-${mode}.pem`), mode);
    await expect(openVerifierKey(at(`open-${mode}.pem`))).rejects.toMatchObject({ code: 'signer-refused' });
  });

  it.each([
    ['no key', 'hello'],
    [
      'a key on another curve',
      generateKeyPairSync('ec', { namedCurve: 'secp384r1' }).privateKey.export({ type: 'pkcs8', format: 'pem' }),
    ],
    ['far too much', 'x'.repeat(5_000)],
  ])('is refused where the file holds %s, which is not quoted', async (_, content) => {
    writeFileSync(at('other.pem'), content);
    chmodSync(at('other.pem'), 0o600);
    const refusal = openVerifierKey(at('other.pem'));
    await expect(refusal).rejects.toMatchObject({ code: 'signer-refused' });
    await expect(refusal).rejects.not.toThrow(String(content).slice(0, 40));
  });
});
