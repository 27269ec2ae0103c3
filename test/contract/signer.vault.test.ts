import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { VaultConfig } from '../../src/adapter/vault/config.ts';
import { openVault } from '../../src/adapter/vault/open.ts';
import { type PolicyRoom, openPolicyRoom } from '../vault/policy-room.ts';
import { type Json, callRaw, callReal, mayAdminister, realVault, removeKeys } from '../vault/real-vault.ts';
import { contractRun, describeSigner, freshKeyName } from './signer.ts';

/**
 * The contract on any real Vault or OpenBao: VAULT_ADDR and VAULT_TOKEN say which, VAULT_TRANSIT_MOUNT and VAULT_NAMESPACE where in it.
 * The Transit engine must be mounted. A token that may do everything also tries our policy and AppRole, and cleans up; any other
 * leaves its keys behind, all named pixpax-contract-….
 */
const { address, isGiven, namespace, token, transitMount } = realVault;
const where = { address, transitMount, namespace, caPem: null };

describe.skipIf(!isGiven)('a real Vault', () => {
  afterAll(() => removeKeys(contractRun), 60_000);

  describeSigner('a real Vault, with a token', async () => {
    const config: VaultConfig = { ...where, login: { method: 'token', token } };
    return { openSigner: async () => (await openVault(config)).signer, cleanup: () => Promise.resolve() };
  });
});

describe.skipIf(!(await mayAdminister()))('a real Vault that we may administer', () => {
  const mountPath = `pixpax-contract-${randomBytes(4).toString('hex')}`;

  let room: PolicyRoom;

  beforeAll(async () => {
    room = await openPolicyRoom(mountPath);
  });
  afterAll(async () => {
    await room.close();
    await removeKeys(contractRun);
  }, 60_000);

  describeSigner('a real Vault, with AppRole and no policy but k8s/vault-policy.hcl', async () => {
    const config = await room.appRole('contract', { token_ttl: '10m' });
    return { openSigner: async () => (await openVault(config)).signer, cleanup: () => Promise.resolve() };
  });

  it.each([
    ['tokens that live two seconds and are renewed up to four', { token_ttl: '2s', token_max_ttl: '4s' }],
    ['tokens that live two seconds and cannot be renewed', { token_ttl: '2s', token_type: 'batch' }],
  ])('signs without a gap with %s', async (_, terms) => {
    const { signer } = await openVault(await room.appRole('short', terms));
    try {
      const key = freshKeyName();
      await signer.createKey(key);
      for (const endMs = Date.now() + 9_000; Date.now() < endMs; )
        expect(await signer.sign(key, randomBytes(32))).toHaveLength(64);
    } finally {
      await signer.close();
    }
  });

  it('logs in again when its token is revoked', async () => {
    const { signer } = await openVault(await room.appRole('revoked', { token_ttl: '10m' }));
    try {
      const key = freshKeyName();
      await signer.createKey(key);
      await callReal('PUT', `sys/leases/revoke-prefix/auth/${mountPath}`, {});
      expect(await signer.sign(key, randomBytes(32))).toHaveLength(64);
    } finally {
      await signer.close();
    }
  });

  it.each<[string, string, string, Json?]>([
    ['make a key exportable', 'POST', 'keys/KEY', { type: 'ecdsa-p256', exportable: true }],
    ['make a key of another type', 'POST', 'keys/KEY', { type: 'ed25519' }],
    ['make a key that seals, under another name', 'POST', 'keys/KEY', { type: 'aes256-gcm96' }],
    ['configure a key', 'POST', 'keys/KEY/config', { min_encryption_version: 0 }],
    ['rotate a key in place', 'POST', 'keys/KEY/rotate', {}],
    ['trim a key', 'POST', 'keys/KEY/trim', { min_available_version: 1 }],
    ['delete a key', 'DELETE', 'keys/KEY'],
    ['export a key', 'GET', 'export/signing-key/KEY'],
    ['back a key up', 'GET', 'backup/KEY'],
    ['list the keys', 'LIST', 'keys'],
    ['sign with a key that is not ours', 'POST', 'sign/other/sha2-256', { input: '' }],
  ])('may not %s under our policy', async (_, method, path, body) => {
    const { signer } = await openVault({ ...where, login: { method: 'token', token } });
    const key = freshKeyName();
    await signer.createKey(key).finally(() => signer.close());
    const at = `${transitMount}/${path.replace('KEY', key)}`;
    const { status } = await callRaw(realVault, await room.token(), method, at, body);
    expect(status).toBe(403);
  });
});
