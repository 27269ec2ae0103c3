import { openLocalSealer } from '../../src/adapter/local-sealer/sealer.ts';
import { type S3Credentials, type StoreLocation, openStore } from '../../src/adapter/store-url.ts';
import type { ReceiptStore } from '../../src/port/receipt-store.ts';
import { openQuickFileStore } from './quick-file-store.ts';
import { openQuickSigner } from './quick-signer.ts';

/** Where a ledger is made, as plain data, so that every thread opens it by itself. */
export type Place = {
  readonly location: StoreLocation;
  readonly credentials: S3Credentials | null;
  readonly keysDirectory: string;
};

/** The store, quick where it is a directory. Throws `Outage`. */
export const openPlace = ({ location, credentials }: Place): Promise<ReceiptStore> =>
  location.kind === 'file' ? openQuickFileStore(location.directory) : openStore(location, credentials);

/** The keys as the local signer and sealer keep them. Throws `Outage`. */
export const openKeys = async ({ keysDirectory }: Place) => ({
  signer: await openQuickSigner(keysDirectory),
  sealer: await openLocalSealer(keysDirectory),
});
