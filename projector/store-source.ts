import { limits } from '../src/limits.ts';
import { systemClock, withDeadline } from '../src/port/clock.ts';
import type { ListRequest, ReceiptStore, TaggedKey } from '../src/port/receipt-store.ts';
import { isDerivedKey, parseKey, prefixOf } from '../src/receipt/key-path.ts';
import { type Found, type LedgerSource, type SourceAddress, type StreamListing, endOfStream } from './source.ts';

/** Reads a ledger through the port of the receipt store: a bucket, or a store of a test. Closing it leaves the store open. */
export const storeSource = (store: ReceiptStore, address: SourceAddress | null = null): LedgerSource => ({
  description: store.description,
  address,
  parallelStreams: limits.parallelStreams,
  find: (below, after, tagged = false) => find(store, below, after, tagged),
  pages: ({ prefix, keys }) => (keys === null ? pagesBelow(store, `${prefix}/`) : onePage(keys)),
  survey: (listing) => taggedIn(listing) ?? surveyBelow(store, `${listing.prefix}/`),
  readMany: (keys) =>
    Promise.all(keys.map((key) => withDeadline(systemClock, 'store', limits.storeTimeoutMs, () => store.read(key)))),
  close: () => Promise.resolve(),
});

async function* onePage<T>(page: readonly T[]): AsyncIterable<readonly T[]> {
  yield page;
}

async function* pagesBelow(store: ReceiptStore, prefix: string): AsyncIterable<readonly string[]> {
  for (let startAfter: string | undefined; ; ) {
    const page = await listPage(store, prefix, startAfter);
    yield page.filter((key) => !isDerivedKey(key));
    if (page.length < limits.listPageKeys) return;
    startAfter = page.at(-1);
  }
}

/** One page of what the listing shows, or null where it does not show tags. */
const taggedIn = ({ keys, tags }: StreamListing): AsyncIterable<readonly TaggedKey[]> | null =>
  keys === null || tags === undefined ? null : onePage(keys.map((key, i) => ({ key, tag: tags[i] ?? '' })));

async function* surveyBelow(store: ReceiptStore, prefix: string): AsyncIterable<readonly TaggedKey[]> {
  for (let startAfter: string | undefined; ; ) {
    const page = await surveyPage(store, prefix, startAfter);
    yield page.filter(({ key }) => !isDerivedKey(key));
    if (page.length < limits.listPageKeys) return;
    startAfter = page.at(-1)?.key;
  }
}

const listPage = (store: ReceiptStore, prefix: string, startAfter: string | undefined): Promise<readonly string[]> =>
  withDeadline(systemClock, 'store', limits.storeTimeoutMs, () => store.list(pageAfter(prefix, startAfter)));

const surveyPage = (store: ReceiptStore, prefix: string, startAfter: string | undefined): Promise<readonly TaggedKey[]> =>
  withDeadline(systemClock, 'store', limits.storeTimeoutMs, () => store.survey(pageAfter(prefix, startAfter)));

const pageAfter = (prefix: string, startAfter: string | undefined): ListRequest => ({
  prefix,
  limit: limits.listPageKeys,
  ...(startAfter === undefined ? {} : { startAfter }),
});

type Held = { readonly prefix: string; readonly keys: string[]; readonly tags?: string[] };

/** Streams in the order of their keys. A stream with more keys than a page has is passed over: its reader lists it. */
async function* find(store: ReceiptStore, below: string, after: string | undefined, tagged: boolean): AsyncIterable<Found> {
  let held: Held | null = null;
  for (let startAfter = after; ; ) {
    const page = tagged ? await surveyPage(store, below, startAfter) : (await listPage(store, below, startAfter)).map(untagged);
    startAfter = page.at(-1)?.key;
    for (const { key, tag } of page) {
      const prefix = streamOf(key);
      if (held !== null && prefix !== held.prefix) {
        yield { stream: held };
        held = null;
      }
      if (prefix === null) {
        if (!isDerivedKey(key)) yield { unexpected: key };
        continue;
      }
      held ??= { prefix, keys: [], ...(tagged ? { tags: [] } : {}) };
      held.keys.push(key);
      held.tags?.push(tag);
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

const untagged = (key: string): TaggedKey => ({ key, tag: '' });

const streamOf = (key: string): string | null => {
  const path = parseKey(key);
  return path.ok ? prefixOf(path.value.stream) : null;
};
