import { openStore } from '../src/adapter/store-url.ts';
import { directorySource } from './directory-source.ts';
import { readCatalogue } from './segment/read-catalogue.ts';
import { segmentedSource } from './segment/segmented-source.ts';
import type { LedgerSource, SourceAddress } from './source.ts';
import { storeSource } from './store-source.ts';

/**
 * Opens a ledger for reading. `durable`: nothing is believed that loss of power could take back (see `directorySource`); for an audit
 * false, so that a directory on a read-only medium will do. Where there are segments they are read in place of events, unless the address
 * says otherwise. Throws `Outage`.
 */
export const openSource = async (address: SourceAddress): Promise<LedgerSource> => {
  const events = await openEvents(address);
  return address.segments === 'ignore' ? events : withSegments(events, address);
};

const openEvents = async (address: SourceAddress): Promise<LedgerSource> => {
  const { location, credentials, durable, segments } = address;
  if (location.kind === 'file') {
    const source = await directorySource(location.directory, { durable });
    return { ...source, address: source.address && { ...source.address, segments } };
  }
  const store = await openStore(location, credentials);
  return { ...storeSource(store, address), close: () => store.close() };
};

const withSegments = async (events: LedgerSource, { location, credentials, segments }: SourceAddress): Promise<LedgerSource> => {
  // Nothing that a segment says is believed without more, so that it need not be durable.
  const store = await openStore(location, credentials, { readOnly: true });
  try {
    const { catalogue, faults } = await readCatalogue(store);
    if (catalogue.segments.length + faults.length > 0)
      return segmentedSource(events, { store, catalogue, faults, compare: segments === 'compare' ? 'all' : 'samples' });
    await store.close();
    return events;
  } catch (error) {
    await Promise.all([events.close(), store.close()]);
    throw error;
  }
};
