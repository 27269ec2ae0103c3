import { openStore } from '../src/adapter/store-url.ts';
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
  const store = await openStore(location, credentials);
  return { ...storeSource(store, address), close: () => store.close() };
};
