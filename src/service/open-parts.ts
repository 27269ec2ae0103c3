import { openLocalSigner } from '../adapter/local-signer/signer.ts';
import { openStore, parseStoreUrl } from '../adapter/store-url.ts';
import { vaultConfigProblems } from '../adapter/vault/config.ts';
import { openVaultSigner } from '../adapter/vault/signer.ts';
import type { Config } from '../config.ts';
import type { Clock } from '../port/clock.ts';
import { Outage } from '../port/outage.ts';
import type { ReceiptStore } from '../port/receipt-store.ts';
import type { Signer } from '../port/signer.ts';
import { Refused } from './until-up.ts';

/** The receipt store the configuration names. Throws `Outage`, and `Refused` for a URL that is none. */
export const openReceiptStore = async (config: Config, clock: Clock): Promise<ReceiptStore> => {
  const location = parseStoreUrl(config.receiptStore);
  if (!location.ok) throw new Refused(`RECEIPT_STORE: ${location.error.problem}`);
  return openStore(location.value, config.s3, { clock });
};

/** The signer the configuration names. Throws `Outage`, and `Refused` for a configuration that cannot work. */
export const openSigner = async ({ signer }: Config, clock: Clock): Promise<Signer> => {
  if (signer.kind === 'local') return openLocalSigner(signer.directory);
  const problems = vaultConfigProblems(signer);
  if (problems.length > 0) throw new Refused(`SIGNER=vault: ${problems.join('; ')}`);
  return openVaultSigner(signer, clock);
};

/** Asks one dependency; a word for people when it is down. Never rejects. */
export const healthOf = async (
  check: () => Promise<unknown>,
): Promise<{ readonly status: 'ok' } | { readonly status: 'down'; readonly reason: string }> => {
  try {
    await check();
    return { status: 'ok' };
  } catch (error) {
    // The adapters' own words are for the log; anyone may read this.
    return { status: 'down', reason: error instanceof Outage ? error.code : 'internal-error' };
  }
};
