import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { VaultConfig } from '../../src/adapter/vault/config.ts';
import { Outage } from '../../src/port/outage.ts';
import type { Sealer } from '../../src/port/sealer.ts';
import { type Fault, type VaultStandIn, startVaultStandIn } from '../vault-stand-in.ts';
import { appRoleOf, configOf, outageOf, withVault } from './open.ts';

const CONTEXT = 'col_01JZ0000000000000000000000/drop_01JZ0000000000000000000001';
const SECRET = Buffer.from('CANARY-0123456789-0123456789-abc');

let vault: VaultStandIn;
beforeEach(async () => {
  vault = await startVaultStandIn();
});
afterEach(() => vault.close());

const withSealer = <T>(use: (sealer: Sealer) => Promise<T>, config: VaultConfig = configOf(vault)): Promise<T> =>
  withVault(config, ({ sealer }) => use(sealer));
const status = (code: number, ...errors: string[]): Fault => ({ status: code, errors });
const ciphertext = (text: unknown): Fault => ({ body: { data: { ciphertext: text } } });
const plaintext = (text: unknown): Fault => ({ body: { data: { plaintext: text } } });
const count = (call: RegExp): number => vault.asked.filter((line) => call.test(line)).length;
const operate = async (operation: string, body: object): Promise<void> => {
  const url = `${vault.address}/v1/transit/keys/pixpax-seal/${operation}`;
  await fetch(url, { method: 'POST', headers: { 'X-Vault-Token': vault.rootToken }, body: JSON.stringify(body) });
};

describe('signer and sealer of one Vault', () => {
  it('log in once for both', async () => {
    await withVault(configOf(vault, appRoleOf(vault)), async ({ sealer, signer }) => {
      await Promise.all([signer.createKey('pixpax-idn_01JZ0000000000000000000000-0'), sealer.seal(CONTEXT, SECRET)]);
      expect(count(/approle\/login/)).toBe(1);
    });
  });

  it('are closed together, whichever is closed', async () => {
    for (const which of ['signer', 'sealer'] as const) {
      await withVault(configOf(vault), async (parts) => {
        await parts[which].close();
        const calls = [() => parts.signer.check(), () => parts.sealer.seal(CONTEXT, SECRET)];
        for (const call of calls) expect(await outageOf(call())).toMatchObject({ message: expect.stringMatching(/closed/) });
      });
    }
  });
});

describe('the key', () => {
  it('is made when something is sealed for the first time, once for all that wait for it', async () => {
    await withSealer(async (sealer) => {
      expect(count(/keys/)).toBe(0);
      await Promise.all(Array.from({ length: 8 }, () => sealer.seal(CONTEXT, SECRET)));
      await sealer.seal(CONTEXT, SECRET);
      expect(vault.asked.filter((line) => line.includes('keys'))).toEqual(['POST transit/keys/pixpax-seal']);
    });
  });

  it('is asked for again when it could not be made', async () => {
    await withSealer(async (sealer) => {
      vault.failNext(/keys/, status(500));
      expect(await outageOf(sealer.seal(CONTEXT, SECRET))).toMatchObject({ code: 'signer-unavailable' });
      expect(await sealer.seal(CONTEXT, SECRET)).toMatch(/^vault:v1:/);
    });
  });

  it('is not made to open something', async () => {
    const sealed = await withSealer((sealer) => sealer.seal(CONTEXT, SECRET));
    const empty = await startVaultStandIn();
    try {
      const outage = await withSealer((sealer) => outageOf(sealer.unseal(CONTEXT, sealed)), configOf(empty));
      expect(outage).toMatchObject({ code: 'signer-refused', message: expect.stringMatching(/key not found/) });
      expect(empty.asked.filter((line) => line.includes('keys'))).toEqual([]);
    } finally {
      await empty.close();
    }
  });

  it('may be rotated in place: what was sealed before is opened, and the version is in the text', async () => {
    await withSealer(async (sealer) => {
      const before = await sealer.seal(CONTEXT, SECRET);
      await operate('rotate', {});
      const after = await sealer.seal(CONTEXT, SECRET);
      expect([before, after].map((text) => text.slice(0, 9))).toEqual(['vault:v1:', 'vault:v2:']);
      for (const sealed of [before, after]) expect(Buffer.from(await sealer.unseal(CONTEXT, sealed))).toEqual(SECRET);
    });
  });

  it('is refused when somebody made it for something else', async () => {
    await withSealer(async (sealer) => {
      vault.failNext(/keys/, { body: { data: { type: 'rsa-2048' } } });
      const outage = await outageOf(sealer.seal(CONTEXT, SECRET));
      expect(outage).toMatchObject({
        code: 'signer-refused',
        message: expect.stringMatching(/rsa-2048, not aes256-gcm96/),
      });
    });
  });

  it('is taken for made by what answers 204, as old servers do', async () => {
    await withSealer(async (sealer) => {
      await sealer.seal(CONTEXT, SECRET);
    });
    await withSealer(async (sealer) => {
      vault.failNext(/keys/, { body: '' });
      expect(await sealer.seal(CONTEXT, SECRET)).toMatch(/^vault:v1:/);
    });
  });
});

const ofAnyCall: readonly [string, Fault, Outage['code'], RegExp][] = [
  ['sealed', status(503, 'Vault is sealed'), 'signer-unavailable', /vault operator unseal/],
  ['a rate limit', status(429, 'rate limit quota exceeded'), 'signer-unavailable', /slow down/],
  ['a fault inside', status(500, 'disk full'), 'signer-unavailable', /disk full/],
  ['permission denied', status(403, 'permission denied'), 'signer-refused', /vault-policy\.hcl/],
  ['no such mount', status(404, 'no handler for route'), 'signer-refused', /mounted/],
  ['a cut connection, twice', 'reset', 'signer-unavailable', /cut/],
  ['a page instead of JSON', { text: '<html>' }, 'signer-unavailable', /not understood/],
  ['null', { body: null }, 'signer-unavailable', /not understood/],
  ['nothing', { body: { data: {} } }, 'signer-unavailable', /not understood/],
];
const expectOutage = (outage: Outage, code: Outage['code'], text: RegExp): void => {
  expect(outage).toBeInstanceOf(Outage);
  expect(outage).toMatchObject({ dependency: 'signer', code, message: expect.stringMatching(text) });
  expect(inspect(outage, { depth: 20, showHidden: true })).not.toContain('CANARY');
  expect(inspect(outage, { depth: 20, showHidden: true })).not.toContain(SECRET.toString('base64'));
};

describe('sealing, when Vault answers amiss', () => {
  it.each<[string, Fault, Outage['code'], RegExp]>([
    ...ofAnyCall,
    ['a text that is a number', ciphertext(7), 'signer-unavailable', /vault:vN:/],
    ['a text without a version', ciphertext('vault:AAAA'), 'signer-unavailable', /vault:vN:/],
    ['a text of version 0', ciphertext('vault:v0:AAAA'), 'signer-unavailable', /vault:vN:/],
    ['a text in base64url', ciphertext('vault:v1:-_-_'), 'signer-unavailable', /vault:vN:/],
    ['a text with bits left over', ciphertext('vault:v1:AB=='), 'signer-unavailable', /vault:vN:/],
    ['a text too long to be kept', ciphertext(`vault:v1:${'A'.repeat(492)}`), 'signer-unavailable', /vault:vN:/],
    ['the secret quoted', status(400, `what is ${SECRET.toString('base64')}?`), 'signer-refused', /what is \[redacted\]\?/],
    [
      'a context that it does not know of',
      { patch: (body) => ({ ...body, warnings: ['Endpoint ignored these unrecognized parameters: [associated_data]'] }) },
      'signer-refused',
      /1\.13 or newer/,
    ],
  ])('says of %s what to do', async (_, fault, code, text) => {
    await withSealer(async (sealer) => {
      await sealer.seal(CONTEXT, SECRET);
      vault.failNext(/encrypt/, fault, 2);
      expectOutage(await outageOf(sealer.seal(CONTEXT, SECRET)), code, text);
    });
  });

  it('repeats a call once when its kept connection was cut', async () => {
    await withSealer(async (sealer) => {
      await sealer.seal(CONTEXT, SECRET);
      vault.failNext(/encrypt/, 'reset');
      expect(await sealer.seal(CONTEXT, SECRET)).toMatch(/^vault:v1:/);
    });
  });
});

describe('unsealing, when Vault answers amiss', () => {
  it.each<[string, Fault, Outage['code'], RegExp]>([
    ...ofAnyCall,
    ['a secret that is a number', plaintext(7), 'signer-unavailable', /data\.plaintext/],
    ['a secret of no length', plaintext(''), 'signer-unavailable', /data\.plaintext/],
    ['a secret that is too long', plaintext(Buffer.alloc(65).toString('base64')), 'signer-unavailable', /data\.plaintext/],
    ['a secret that is not base64', plaintext(SECRET.toString()), 'signer-unavailable', /data\.plaintext/],
    [
      'a context that it does not know of',
      { patch: (body) => ({ ...body, warnings: ['Endpoint ignored these unrecognized parameters: [associated_data]'] }) },
      'signer-refused',
      /1\.13 or newer/,
    ],
  ])('says of %s what to do', async (_, fault, code, text) => {
    await withSealer(async (sealer) => {
      const sealed = await sealer.seal(CONTEXT, SECRET);
      vault.failNext(/decrypt/, fault, 2);
      expectOutage(await outageOf(sealer.unseal(CONTEXT, sealed)), code, text);
    });
  });

  it('says that the version it was sealed with is no longer allowed', async () => {
    await withSealer(async (sealer) => {
      const sealed = await sealer.seal(CONTEXT, SECRET);
      await operate('rotate', {});
      await operate('config', { min_decryption_version: 2 });
      expectOutage(await outageOf(sealer.unseal(CONTEXT, sealed)), 'signer-refused', /too old/);
      await operate('config', { min_decryption_version: 1 });
      expect(Buffer.from(await sealer.unseal(CONTEXT, sealed))).toEqual(SECRET);
    });
  });

  it('does not ask Vault about a text that it cannot have made', async () => {
    await withSealer(async (sealer) => {
      for (const text of ['', 'local:v1:AAAA', 'vault:v1:', 'vault:v1:A\nAA', `vault:v1:${'A'.repeat(492)}`])
        expectOutage(await outageOf(sealer.unseal(CONTEXT, text)), 'signer-refused', /cannot be opened/);
      expect(count(/decrypt/)).toBe(0);
    });
  });
});
