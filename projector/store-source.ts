import { limits } from '../src/limits.ts';
import { systemClock, withDeadline } from '../src/port/clock.ts';
import type { ReceiptStore } from '../src/port/receipt-store.ts';
import { isDerivedKey, parseKey, prefixOf } from '../src/receipt/key-path.ts';
import { type Found, type LedgerSource, type SourceAddress, endOfStream } from './source.ts';

/** Reads a ledger through the port of the receipt store: a bucket, or a store of a test. Closing it leaves the store open. */
export const storeSource = (store: ReceiptStore, address: SourceAddress | null = null): LedgerSource => ({
  description: store.description,
  address,
  parallelStreams: limits.parallelStreams,
  find: (below, after) => find(store, below, after),
  pages: ({ prefix, keys }) => (keys === null ? pagesBelow(store, `${prefix}/`) : onePage(keys)),
  readMany: (keys) =>
    Promise.all(keys.map((key) => withDeadline(systemClock, 'store', limits.storeTimeoutMs, () => store.read(key)))),
  close: () => Promise.resolve(),
});

async function* onePage(keys: readonly string[]): AsyncIterable<readonly string[]> {
  yield keys;
}

async function* pagesBelow(store: ReceiptStore, prefix: string): AsyncIterable<readonly string[]> {
  for (let startAfter: string | undefined; ; ) {
    const page = await listPage(store, prefix, startAfter);
    yield page.filter((key) => !isDerivedKey(key));
    if (page.length < limits.listPageKeys) return;
    startAfter = page.at(-1);
  }
}

const listPage = (store: ReceiptStore, prefix: string, startAfter: string | undefined): Promise<readonly string[]> =>
  withDeadline(systemClock, 'store', limits.storeTimeoutMs, () =>
    store.list({ prefix, limit: limits.listPageKeys, ...(startAfter === undefined ? {} : { startAfter }) }),
  );

/** Streams in the order of their keys. A stream with more keys than a page has is passed over: its reader lists it. */
async function* find(store: ReceiptStore, below: string, after: string | undefined): AsyncIterable<Found> {
  let held: { readonly prefix: string; readonly keys: string[] } | null = null;
  for (let startAfter = after; ; ) {
    const page = await listPage(store, below, startAfter);
    startAfter = page.at(-1);
    for (const key of page) {
      const prefix = streamOf(key);
      if (held !== null && prefix !== held.prefix) {
        yield { stream: held };
        held = null;
      }
      if (prefix === null) {
        if (!isDerivedKey(key)) yield { unexpected: key };
        continue;
      }
      held ??= { prefix, keys: [] };
      held.keys.push(key);
      if (held.keys.length < limits.listPageKeys) continue;
      yield { stream: { prefix, keys: null } };
      held = null;
      startAfter = endOfStream(prefix);
      break;
    }
    if (page.length < limits.listPageKeys) break;
  }
  if (held !== null) yield { stream: held };
}

const streamOf = (key: string): string | null => {
  const path = parseKey(key);
  return path.ok ? prefixOf(path.value.stream) : null;
};
