import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { VaultConfig } from '../../src/adapter/vault/config.ts';
import { openVault } from '../../src/adapter/vault/open.ts';
import { type PolicyRoom, openPolicyRoom } from '../vault/policy-room.ts';
import { type Json, callRaw, mayAdminister, realVault } from '../vault/real-vault.ts';
import { describeSealer } from './sealer.ts';

/**
 * The contract on any real Vault or OpenBao, given as in signer.vault.test.ts. It makes the key `pixpax-seal` where there is none and leaves it
 * there: whoever deleted it could never be sure that nothing was sealed with it.
 */
const { address, isGiven, namespace, token, transitMount } = realVault;
const noTrace = { cleanup: () => Promise.resolve() };

describe.skipIf(!isGiven)('a real Vault', () => {
  describeSealer('a real Vault, with a token', async () => {
    const config: VaultConfig = { address, transitMount, namespace, caPem: null, login: { method: 'token', token } };
    return { openSealer: async () => (await openVault(config)).sealer, ...noTrace };
  });
});

describe.skipIf(!(await mayAdminister()))('a real Vault that we may administer', () => {
  const run = `pixpax-sealing-${randomBytes(4).toString('hex')}`;
  let room: PolicyRoom;
  beforeAll(async () => {
    room = await openPolicyRoom(run);
  });
  afterAll(() => room.close(), 60_000);

  describeSealer('a real Vault, with AppRole and no policy but k8s/vault-policy.hcl', async () => {
    const config = await room.appRole('contract', { token_ttl: '10m' });
    return { openSealer: async () => (await openVault(config)).sealer, ...noTrace };
  });

  it('signs and seals with one login', async () => {
    const config = await room.appRole('once', { token_ttl: '10m', secret_id_num_uses: 1 });
    const { sealer, signer } = await openVault(config);
    try {
      const [sealed] = await Promise.all([sealer.seal('a/b', Buffer.from('seed')), signer.check()]);
      expect(Buffer.from(await sealer.unseal('a/b', sealed)).toString()).toBe('seed');
    } finally {
      await signer.close();
    }
  });

  it.each<[string, string, string, Json?]>([
    ['make the sealing key of another type', 'POST', 'keys/pixpax-seal', { type: 'ecdsa-p256' }],
    ['make it exportable', 'POST', 'keys/pixpax-seal', { type: 'aes256-gcm96', exportable: true }],
    ['make it convergent', 'POST', 'keys/pixpax-seal', { derived: true, convergent_encryption: true }],
    ['read what is known of it', 'GET', 'keys/pixpax-seal'],
    ['configure it', 'POST', 'keys/pixpax-seal/config', { min_decryption_version: 1 }],
    ['rotate it', 'POST', 'keys/pixpax-seal/rotate', {}],
    ['trim it', 'POST', 'keys/pixpax-seal/trim', { min_available_version: 1 }],
    ['delete it', 'DELETE', 'keys/pixpax-seal'],
    ['export it', 'GET', 'export/encryption-key/pixpax-seal'],
    ['back it up', 'GET', 'backup/pixpax-seal'],
    ['have other keys made under it', 'POST', 'datakey/plaintext/pixpax-seal', {}],
    ['make a key by encrypting with it', 'POST', `encrypt/${run}`, { plaintext: '' }],
    ['make a sealing key of another name', 'POST', `keys/${run}`, { type: 'aes256-gcm96' }],
    ['open with another key', 'POST', `decrypt/${run}`, { ciphertext: 'vault:v1:AAAA' }],
  ])('may not %s under our policy', async (_, method, path, body) => {
    const { status } = await callRaw(realVault, await room.token(), method, `${transitMount}/${path}`, body);
    expect(status).toBe(403);
  });
});
