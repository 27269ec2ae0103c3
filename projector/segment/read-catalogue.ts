import pMap from 'p-map';
import { limits } from '../../src/limits.ts';
import { systemClock, withDeadline } from '../../src/port/clock.ts';
import type { ReceiptStore } from '../../src/port/receipt-store.ts';
import { type Catalogue, openCatalogue } from './catalogue.ts';
import { readIndex } from './read-segment.ts';
import { type SegmentFault, invalidSegment } from './segment-fault.ts';
import { INDEX_ROOT, nameInIndexKey } from './segment-key.ts';

/** The catalogue of a store's segments. Indexes that cannot be used are left out, and told. Throws `Outage`. */
export const readCatalogue = async (
  store: ReceiptStore,
): Promise<{ readonly catalogue: Catalogue; readonly faults: readonly SegmentFault[] }> => {
  const making = openCatalogue();
  const faults: SegmentFault[] = [];
  const take = async (key: string): Promise<void> => {
    const name = nameInIndexKey(key);
    if (name === null) return void faults.push(invalidSegment(key, 'no segment has this key'));
    const index = await readIndex(store, name);
    if (index?.ok) making.add(name, index.value);
    else if (index !== null) faults.push(index.error);
  };
  for await (const page of indexKeys(store)) await pMap(page, take, { concurrency: limits.parallelReads });
  return { catalogue: making.done(), faults: faults.sort((a, b) => (a.key < b.key ? -1 : 1)) };
};

async function* indexKeys(store: ReceiptStore): AsyncIterable<readonly string[]> {
  for (let startAfter: string | undefined; ; ) {
    const after = startAfter === undefined ? {} : { startAfter };
    const page = await withDeadline(systemClock, 'store', limits.storeTimeoutMs, () =>
      store.list({ prefix: INDEX_ROOT, limit: limits.listPageKeys, ...after }),
    );
    yield page;
    if (page.length < limits.listPageKeys) return;
    startAfter = page.at(-1);
  }
}
