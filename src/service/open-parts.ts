import { join } from 'node:path';
import { openLocalSealer } from '../adapter/local-sealer/sealer.ts';
import { openLocalSigner } from '../adapter/local-signer/signer.ts';
import { openStore, parseStoreUrl } from '../adapter/store-url.ts';
import { vaultConfigProblems } from '../adapter/vault/config.ts';
import { openVault } from '../adapter/vault/open.ts';
import type { Config } from '../config.ts';
import type { Clock } from '../port/clock.ts';
import type { ReceiptStore } from '../port/receipt-store.ts';
import type { Sealer } from '../port/sealer.ts';
import type { Signer } from '../port/signer.ts';
import { keptSecret } from './kept-secret.ts';
import { Refused } from './until-up.ts';

/** The receipt store the configuration names. Throws `Outage`, and `Refused` for a URL that is none. */
export const openReceiptStore = async (config: Config, clock: Clock): Promise<ReceiptStore> => {
  const location = parseStoreUrl(config.receiptStore);
  if (!location.ok) throw new Refused(`RECEIPT_STORE: ${location.error.problem}`);
  return openStore(location.value, config.s3, { clock });
};

/** The two parts that keep keys. They may share one login: they are opened and closed together. */
export type Custody = { readonly signer: Signer; readonly sealer: Sealer };

/** Signer and sealer as the configuration names them. Throws `Outage`, and `Refused` for a configuration that cannot work. */
export const openCustody = async ({ signer }: Pick<Config, 'signer'>, clock: Clock): Promise<Custody> => {
  if (signer.kind === 'local')
    return { signer: await openLocalSigner(signer.directory), sealer: await openLocalSealer(signer.directory) };
  const problems = vaultConfigProblems(signer);
  if (problems.length > 0) throw new Refused(`SIGNER=vault: ${problems.join('; ')}`);
  return openVault(signer, clock);
};

/** The key that codes are made and named with: the one given, or one made once and kept. Throws `Refused` when it cannot be kept. */
export const openCodeSecret = async ({ codeSecret, dataDir }: Pick<Config, 'codeSecret' | 'dataDir'>): Promise<string> =>
  codeSecret ?? keptSecret(join(dataDir, 'secrets', 'codes'));
