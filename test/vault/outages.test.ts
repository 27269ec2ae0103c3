import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { limits } from '../../src/limits.ts';
import { Outage } from '../../src/port/outage.ts';
import type { KeyName, Signer } from '../../src/port/signer.ts';
import { type Fault, type VaultStandIn, startVaultStandIn } from '../vault-stand-in.ts';
import { configOf, outageOf, quickClock, withSigner } from './open.ts';

const KEY: KeyName = 'pixpax-idn_01JZ0000000000000000000000-0';
const MESSAGE = Buffer.from('{}');

let vault: VaultStandIn;
beforeEach(async () => {
  vault = await startVaultStandIn();
});
afterEach(() => vault.close());

/** A signer that has its token and its key: what fails after this is the call under test. */
const withKey = <T>(use: (signer: Signer) => Promise<T>): Promise<T> =>
  withSigner(configOf(vault), async (signer) => {
    await signer.createKey(KEY);
    return use(signer);
  });

const status = (code: number, ...errors: string[]): Fault => ({ status: code, errors });
const withSignature = (signature: unknown): Fault => ({ body: { data: { batch_results: [{ signature }] } } });
const BASE64URL_64 = `${'A'.repeat(85)}Q`;
const p384 = generateKeyPairSync('ec', { namedCurve: 'secp384r1' }).publicKey.export({ type: 'spki', format: 'pem' });
const publicKey = (pem: unknown): Fault => ({ body: { data: { type: 'ecdsa-p256', keys: { 1: { public_key: pem } } } } });

describe('signing, when Vault answers amiss', () => {
  it.each<[string, Fault, Outage['code'], RegExp]>([
    ['sealed', status(503, 'Vault is sealed'), 'signer-unavailable', /Vault is sealed.*vault operator unseal/],
    ['a standby that does not forward', status(503, 'node is not active'), 'signer-unavailable', /without a leader/],
    ['a rate limit', status(429, 'request path "transit": rate limit quota exceeded'), 'signer-unavailable', /slow down/],
    ['a disaster-recovery secondary', status(472), 'signer-unavailable', /primary/],
    ['a performance standby', status(473), 'signer-unavailable', /active node/],
    [
      'a fault inside',
      status(500, '1 error occurred:\n\t* disk full\n\n'),
      'signer-unavailable',
      /1 error occurred: \* disk full/,
    ],
    ['a gateway without Vault', status(502), 'signer-unavailable', /proxy/],
    ['a status of its own making', status(599), 'signer-unavailable', /599/],
    ['permission denied', status(403, 'permission denied'), 'signer-refused', /403.*vault-policy\.hcl/],
    ['no such mount', status(404, 'no handler for route'), 'signer-refused', /no handler for route.*mounted/],
    ['a path that does something else', status(405, 'unsupported operation'), 'signer-refused', /Transit/],
    ['no such key', status(400, 'signing key not found'), 'signer-refused', /signing key not found/],
    ['a page instead of JSON', { text: '<html>sign in to the Wi-Fi</html>' }, 'signer-unavailable', /not understood.*proxy/],
    ['null', { body: null }, 'signer-unavailable', /not understood/],
    ['no results', { body: { data: {} } }, 'signer-unavailable', /not understood/],
    ['too few results', { body: { data: { batch_results: [] } } }, 'signer-unavailable', /not understood/],
    ['too many results', { body: { data: { batch_results: [{}, {}] } } }, 'signer-unavailable', /not understood/],
    ['a result that is null', { body: { data: { batch_results: [null] } } }, 'signer-unavailable', /not understood/],
    ['a signature that is a number', withSignature(7), 'signer-unavailable', /64 bytes/],
    ['a signature of 63 bytes', withSignature(`vault:v1:${'A'.repeat(84)}`), 'signer-unavailable', /64 bytes/],
    ['a signature of 65 bytes', withSignature(`vault:v1:${'A'.repeat(87)}`), 'signer-unavailable', /64 bytes/],
    ['a signature in DER', withSignature('vault:v1:MEUCIQDx8w=='), 'signer-unavailable', /64 bytes/],
    ['a signature in padded base64url', withSignature(`vault:v1:${BASE64URL_64}==`), 'signer-unavailable', /64 bytes/],
    ['a signature with bits left over', withSignature(`vault:v1:${'A'.repeat(85)}B`), 'signer-unavailable', /64 bytes/],
    ['a signature by version 2', withSignature(`vault:v2:${BASE64URL_64}`), 'signer-unavailable', /vault:v1/],
    ['an item that failed', { body: { data: { batch_results: [{ error: 'HSM away' }] } } }, 'signer-unavailable', /HSM away/],
    ['a cut connection, twice', 'reset', 'signer-unavailable', /cut/],
  ])('says of %s what to do', async (_, fault, code, text) => {
    await withKey(async (signer) => {
      vault.failNext(/sign/, fault, 2);
      const outage = await outageOf(signer.sign(KEY, MESSAGE));
      expect(outage).toBeInstanceOf(Outage);
      expect(outage).toMatchObject({ dependency: 'signer', code, message: expect.stringMatching(text) });
      expect(outage.cause).toBeUndefined();
    });
  });

  it('takes exactly 64 bytes of base64url', async () => {
    await withKey(async (signer) => {
      vault.failNext(/sign/, withSignature(`vault:v1:${BASE64URL_64}`));
      expect(Buffer.from(await signer.sign(KEY, MESSAGE)).toString('base64url')).toBe(BASE64URL_64);
    });
  });

  it.each<[string, object]>([
    ['archived', { min_decryption_version: 2 }],
    ['too old to be used', { min_encryption_version: 2 }],
  ])('says how to get version 1 back when it is %s', async (_, config) => {
    await withKey(async (signer) => {
      await operate('rotate', {});
      await operate('config', config);
      const outage = await outageOf(signer.sign(KEY, MESSAGE));
      expect(outage).toMatchObject({
        code: 'signer-refused',
        message: expect.stringMatching(/min_decryption_version .* back to 1/),
      });
    });
  });

  it('goes on signing with version 1 when somebody rotated the key in place', async () => {
    await withKey(async (signer) => {
      const before = await signer.createKey(KEY);
      await operate('rotate', {});
      expect(await signer.createKey(KEY)).toEqual(before);
      expect(await signer.sign(KEY, MESSAGE)).toHaveLength(64);
    });
  });

  it('repeats a call once when its kept connection was cut', async () => {
    await withKey(async (signer) => {
      vault.failNext(/sign/, 'reset');
      expect(await signer.sign(KEY, MESSAGE)).toHaveLength(64);
    });
  });

  it.each<[string, Fault]>([
    ['says nothing', 'hang'],
    ['never ends its answer', 'trickle'],
  ])('gives up when Vault %s', async (_, fault) => {
    await withSigner(
      configOf(vault),
      async (signer) => {
        await signer.createKey(KEY);
        vault.failNext(/sign/, fault);
        const outage = await outageOf(signer.sign(KEY, MESSAGE));
        expect(outage).toMatchObject({
          code: 'signer-unavailable',
          message: expect.stringContaining(`${limits.signTimeoutMs} ms`),
        });
      },
      quickClock,
    );
  });

  it('follows a standby to the leader, with body and token', async () => {
    await withKey(async (signer) => {
      vault.failNext(/sign/, { redirect: `${vault.address}/v1/transit/sign/${KEY}/sha2-256` });
      expect(await signer.sign(KEY, MESSAGE)).toHaveLength(64);
    });
  });

  const operate = async (operation: string, body: object): Promise<void> => {
    const url = `${vault.address}/v1/transit/keys/${KEY}/${operation}`;
    await fetch(url, { method: 'POST', headers: { 'X-Vault-Token': vault.rootToken }, body: JSON.stringify(body) });
  };
});

describe('making a key, when Vault answers amiss', () => {
  it.each<[string, RegExp, Fault, Outage['code'], RegExp]>([
    [
      'making is denied',
      /^POST.*keys/,
      status(403, 'permission denied'),
      'signer-refused',
      /creating the key.*vault-policy\.hcl/,
    ],
    [
      'reading is denied',
      /^GET.*keys/,
      status(403, 'permission denied'),
      'signer-refused',
      /reading the public key.*vault-policy\.hcl/,
    ],
    ['the key is gone again', /^GET.*keys/, status(404), 'signer-refused', /404/],
    ['sealed in between', /^GET.*keys/, status(503, 'Vault is sealed'), 'signer-unavailable', /unseal/],
    ['nothing', /^GET.*keys/, { body: {} }, 'signer-unavailable', /not understood/],
    [
      'a key of another type',
      /^GET.*keys/,
      { body: { data: { type: 'rsa-2048', keys: {} } } },
      'signer-refused',
      /rsa-2048, not ecdsa-p256/,
    ],
    [
      'no version 1',
      /^GET.*keys/,
      { body: { data: { type: 'ecdsa-p256', keys: { 2: {} } } } },
      'signer-refused',
      /version 1 is archived/,
    ],
    ['a public key that is a number', /^GET.*keys/, publicKey(1), 'signer-unavailable', /public_key/],
    ['a public key that is none', /^GET.*keys/, publicKey('-----BEGIN PUBLIC KEY-----'), 'signer-unavailable', /P-256/],
    ['a key on another curve', /^GET.*keys/, publicKey(p384), 'signer-unavailable', /P-256/],
  ])('says so: %s', async (_, call, fault, code, text) => {
    await withSigner(configOf(vault), async (signer) => {
      vault.failNext(call, fault);
      expect(await outageOf(signer.createKey(KEY))).toMatchObject({ code, message: expect.stringMatching(text) });
    });
  });

  it('takes what answers 204 for made, as old servers do', async () => {
    await withSigner(configOf(vault), async (signer) => {
      await signer.createKey(KEY);
      vault.failNext(/^POST.*keys/, { body: '' });
      expect(await signer.createKey(KEY)).toHaveLength(91);
    });
  });
});

describe('the check', () => {
  const check = (signer: Signer): Promise<Outage | null> =>
    signer.check().then(
      () => null,
      (outage: Outage) => outage,
    );

  it.each<[string, (vault: VaultStandIn) => void, Outage['code'], RegExp]>([
    ['is sealed', ({ state }) => (state.sealed = true), 'signer-unavailable', /sealed.*unseal/],
    ['is not initialised', ({ state }) => (state.initialized = false), 'signer-unavailable', /vault operator init/],
    ['is a standby that refuses', ({ state }) => (state.standby = 'refuses'), 'signer-unavailable', /leader/],
    ['is something else', (it) => it.failNext(/health/, { text: '<html>' }), 'signer-unavailable', /not Vault/],
    ['is something else that refuses', (it) => it.failNext(/health/, status(403)), 'signer-unavailable', /not Vault/],
    ['has ended our token', (it) => it.revokeAllTokens(), 'signer-refused', /invalid token/],
    ['has no Transit there', (it) => it.failNext(/sign/, status(404, 'no handler')), 'signer-refused', /mounted/],
  ])('says that Vault %s', async (_, arrange, code, text) => {
    await withKey(async (signer) => {
      expect(await check(signer)).toBeNull();
      arrange(vault);
      expect(await check(signer)).toMatchObject({ code, message: expect.stringMatching(text) });
    });
  });

  it('says that the policy does not let us sign', async () => {
    const config = configOf(vault, { method: 'token', token: vault.issueToken({ policy: 'nothing' }) });
    await withSigner(config, async (signer) => {
      expect(await check(signer)).toMatchObject({ code: 'signer-refused', message: expect.stringContaining('transit/sign') });
    });
  });

  it('is content with a standby that forwards', async () => {
    vault.state.standby = 'forwards';
    await withKey(async (signer) => expect(await check(signer)).toBeNull());
  });

  it('needs no right that signing does not need', async () => {
    const config = configOf(vault, { method: 'token', token: vault.issueToken({ defaultPolicy: false }) });
    await withSigner(config, async (signer) => expect(await check(signer)).toBeNull());
  });

  it('is content again when Vault is', async () => {
    await withKey(async (signer) => {
      vault.state.sealed = true;
      expect(await check(signer)).not.toBeNull();
      vault.state.sealed = false;
      expect(await check(signer)).toBeNull();
    });
  });
});

describe('a Vault that is not there', () => {
  it.each<[string, () => Promise<string>, Outage['code'], RegExp]>([
    ['nothing listens', async () => `http://127.0.0.1:${await freePort()}`, 'signer-unavailable', /ECONNREFUSED.*VAULT_ADDR/],
    ['it does not speak TLS', async () => vault.address.replace('http:', 'https:'), 'signer-refused', /certificate|TLS/],
  ])('is an outage of each call: %s', async (_, addressOf, code, text) => {
    const address = await addressOf();
    await withSigner({ ...configOf(vault), address }, async (signer) => {
      for (const call of [() => signer.check(), () => signer.sign(KEY, MESSAGE), () => signer.createKey(KEY)]) {
        expect(await outageOf(call())).toMatchObject({ code, message: expect.stringMatching(text) });
      }
    });
  });

  it('is used as soon as it is there', async () => {
    vault.state.sealed = true;
    await withSigner(configOf(vault), async (signer) => {
      expect(await outageOf(signer.sign(KEY, MESSAGE))).toMatchObject({ code: 'signer-unavailable' });
      vault.state.sealed = false;
      await expect.poll(() => signer.createKey(KEY).catch(() => null), { timeout: 10_000 }).not.toBeNull();
    });
  });

  it('is an outage once the signer is closed', async () => {
    const signer = await withKey(async (open) => open);
    expect(await outageOf(signer.sign(KEY, MESSAGE))).toMatchObject({
      code: 'signer-unavailable',
      message: expect.stringMatching(/closed/),
    });
  });
});

const freePort = async (): Promise<number> => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const bound = server.address();
  await new Promise((resolve) => server.close(resolve));
  return bound !== null && typeof bound === 'object' ? bound.port : 1;
};
