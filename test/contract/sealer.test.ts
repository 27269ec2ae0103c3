import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openLocalSealer } from '../../src/adapter/local-sealer/sealer.ts';
import { memorySealer } from '../../src/adapter/memory/sealer.ts';
import { openVault } from '../../src/adapter/vault/open.ts';
import { appRoleOf, configOf } from '../vault/open.ts';
import { startVaultStandIn } from '../vault-stand-in.ts';
import { describeSealer } from './sealer.ts';

describeSealer('memory', async () => ({ openSealer: async () => memorySealer(), cleanup: () => Promise.resolve() }));

describeSealer('files', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'local sealing '));
  return {
    openSealer: () => openLocalSealer(join(directory, 'keys')),
    cleanup: () => rm(directory, { recursive: true }),
  };
});

describeSealer('Vault, played by a stand-in', async () => {
  const vault = await startVaultStandIn();
  const config = configOf(vault, appRoleOf(vault));
  return { openSealer: async () => (await openVault(config)).sealer, cleanup: () => vault.close() };
});
