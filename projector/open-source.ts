import { directorySource } from './directory-source.ts';
import type { LedgerSource, SourceAddress } from './source.ts';
import { storeSource } from './store-source.ts';

/**
 * Opens a ledger for reading. `durable`: nothing is believed that loss of power could take back (see `directorySource`); for an audit
 * false, so that a directory on a read-only medium will do. Throws `Outage`.
 */
export const openSource = async (address: SourceAddress): Promise<LedgerSource> => {
  const { location, credentials, durable } = address;
  if (location.kind === 'file') return directorySource(location.directory, { durable });
  // Every thread would load the client of S3, which takes longer than verifying a few thousand receipts.
  const { openStore } = await import('../src/adapter/store-url.ts');
  const store = await openStore(location, credentials);
  return { ...storeSource(store, address), close: () => store.close() };
};
