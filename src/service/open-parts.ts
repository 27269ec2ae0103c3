import { openLocalSigner } from '../adapter/local-signer/signer.ts';
import { openStore, parseStoreUrl } from '../adapter/store-url.ts';
import { openVaultSigner } from '../adapter/vault/signer.ts';
import type { Config } from '../config.ts';
import { type Clock } from '../port/clock.ts';
import { Outage } from '../port/outage.ts';
import type { ReceiptStore } from '../port/receipt-store.ts';
import type { Signer } from '../port/signer.ts';

/** The receipt store the configuration names. Throws `Outage`, TypeError for a URL that is none. */
export const openReceiptStore = async (config: Config, clock: Clock): Promise<ReceiptStore> => {
  const location = parseStoreUrl(config.receiptStore);
  if (!location.ok) throw new TypeError(`RECEIPT_STORE: ${location.error.problem}`);
  return openStore(location.value, config.s3, { clock });
};

/** The signer the configuration names. Throws `Outage`. */
export const openSigner = ({ signer }: Config, clock: Clock): Promise<Signer> =>
  signer.kind === 'local' ? openLocalSigner(signer.directory) : openVaultSigner(signer, clock);

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
