import type { VaultConfig, VaultLogin } from '../../src/adapter/vault/config.ts';
import { openVault } from '../../src/adapter/vault/open.ts';
import { type Clock, systemClock } from '../../src/port/clock.ts';
import type { Outage } from '../../src/port/outage.ts';
import type { Sealer } from '../../src/port/sealer.ts';
import type { Signer } from '../../src/port/signer.ts';
import type { VaultStandIn } from '../vault-stand-in.ts';

/** A configuration for the stand-in; a token with our policy unless another login is given. */
export const configOf = (vault: VaultStandIn, login?: VaultLogin): VaultConfig => ({
  address: vault.address,
  transitMount: 'transit',
  namespace: null,
  caPem: null,
  login: login ?? { method: 'token', token: vault.issueToken() },
});

/** An AppRole of the stand-in and the login for it. */
export const appRoleOf = (vault: VaultStandIn, terms?: Parameters<VaultStandIn['addAppRole']>[1]): VaultLogin => ({
  method: 'approle',
  mountPath: 'approle',
  ...vault.addAppRole('pixpax', terms),
});

/** A clock on which waits take a tenth of their time: for deadlines of seconds. */
export const quickClock: Clock = { ...systemClock, sleep: (ms, signal) => systemClock.sleep(ms / 10, signal) };

/** Opens a signer for the length of `use`. */
export const withSigner = async <T>(config: VaultConfig, use: (signer: Signer) => Promise<T>, clock?: Clock): Promise<T> =>
  withVault(config, ({ signer }) => use(signer), clock);

/** Opens both parts for the length of `use`. */
export const withVault = async <T>(
  config: VaultConfig,
  use: (parts: { readonly signer: Signer; readonly sealer: Sealer }) => Promise<T>,
  clock?: Clock,
): Promise<T> => {
  const parts = await openVault(config, clock);
  try {
    return await use(parts);
  } finally {
    await parts.signer.close();
  }
};

/** What a call that must fail throws. */
export const outageOf = async (call: Promise<unknown>): Promise<Outage> =>
  call.then(
    () => Promise.reject(new Error('the call succeeded')),
    (outage: Outage) => outage,
  );
