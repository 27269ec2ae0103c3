import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openLocalSigner } from '../../src/adapter/local-signer/signer.ts';
import { memorySigner } from '../../src/adapter/memory/signer.ts';
import { openVault } from '../../src/adapter/vault/open.ts';
import { startVaultStandIn } from '../vault-stand-in.ts';
import { describeSigner } from './signer.ts';

describeSigner('memory', async () => {
  const custody: Parameters<typeof memorySigner>[0] = new Map();
  return { openSigner: async () => memorySigner(custody), cleanup: () => Promise.resolve() };
});

describeSigner('files', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'local keys '));
  return {
    openSigner: () => openLocalSigner(join(directory, 'keys')),
    cleanup: () => rm(directory, { recursive: true }),
  };
});

describeSigner('Vault, played by a stand-in', async () => {
  const vault = await startVaultStandIn();
  const { roleId, secretId } = vault.addAppRole('pixpax');
  const login = { method: 'approle', mountPath: 'approle', roleId, secretId } as const;
  return {
    openSigner: async () =>
      (await openVault({ address: vault.address, transitMount: 'transit', namespace: null, caPem: null, login })).signer,
    cleanup: () => vault.close(),
  };
});
