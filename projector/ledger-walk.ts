import { limits } from '../src/limits.ts';
import { OPERATOR_ACCOUNT_ID, parseAccountId } from '../src/receipt/ids.ts';
import { LEDGER_ROOT, prefixOf } from '../src/receipt/key-path.ts';
import { accountStream } from '../src/receipt/stream.ts';
import type { Found, LedgerSource, StreamListing } from './source.ts';

export const OPERATOR_PREFIX = prefixOf(accountStream(OPERATOR_ACCOUNT_ID));
const ACCOUNTS = `${LEDGER_ROOT}accounts`;
const PIXBOOKS = `${LEDGER_ROOT}pixbooks`;
const CODES = `${LEDGER_ROOT}codes`;

/**
 * The streams below a place, those of accounts first because all others rest on them; the operator's is left out, for it comes before
 * all. For a place among the pixbooks the accounts they belong to are shown too. `pixpax/accounts/` sorts before everything
 * else, so the whole ledger is one pass over its keys.
 */
export const walkOf = (source: LedgerSource, below: string | null): { accounts: Walk; others: Walk } => {
  const place = below ?? LEDGER_ROOT.slice(0, -1);
  const found = source.find(`${place}/`)[Symbol.asyncIterator]();
  let held: Found | null = null;

  const next = async (): Promise<Found | null> => {
    const taken = held ?? (await nextOf(found));
    held = null;
    return taken;
  };
  async function* accounts(): Walk {
    yield* accountsUnder(source, place);
    for (let item = await next(); item !== null; item = await next()) {
      held = item;
      if (!isAccount(item)) return;
      held = null;
      if (!('stream' in item) || item.stream.prefix !== OPERATOR_PREFIX) yield item;
    }
  }
  async function* others(): Walk {
    for (let item = await next(); item !== null; item = await next()) yield item;
  }
  return { accounts: accounts(), others: others() };
};

export type Walk = AsyncGenerator<Found, void, void>;

const nextOf = async (found: AsyncIterator<Found>): Promise<Found | null> => {
  const taken = await found.next();
  return taken.done === true ? null : taken.value;
};

const isAccount = (item: Found): boolean => ('stream' in item ? item.stream.prefix : item.unexpected).startsWith(`${ACCOUNTS}/`);

/** Accounts that pixbooks below a place belong to, or codes were claimed by. Elsewhere they come by themselves, or are asked for. */
async function* accountsUnder(source: LedgerSource, place: string): AsyncIterable<Found> {
  if (place === PIXBOOKS || place === CODES) {
    for await (const item of source.find(`${ACCOUNTS}/`))
      if (!('stream' in item) || item.stream.prefix !== OPERATOR_PREFIX) yield item;
  } else if (place.startsWith(`${PIXBOOKS}/`)) {
    const accountId = parseAccountId(place.split('/')[2]);
    if (accountId.ok && accountId.value !== OPERATOR_ACCOUNT_ID)
      yield { stream: { prefix: prefixOf(accountStream(accountId.value)), keys: null } };
  }
}

export type Batching = {
  readonly lanes: number;
  /** As of the source: a batch of streams that lie in a bundle goes on to the bundle's end. */
  readonly placeOf: LedgerSource['placeOf'];
  /** Told of objects that belong to no stream. */
  readonly onUnexpected: (key: string) => void;
};

/** Streams in batches for the lanes, small ones first so that a small ledger keeps all lanes busy too. */
export async function* batchesOf(
  walk: Walk,
  { lanes, placeOf, onUnexpected }: Batching,
): AsyncGenerator<readonly StreamListing[]> {
  let batch: StreamListing[] = [];
  let keys = 0;
  let streams = 0;
  let place: number | null = null;
  const isFull = (next: number | null): boolean => {
    if (batch.length >= limits.bundledBatchStreams || keys >= 2 * limits.replayBatchKeys) return true;
    if (place !== null && next === place) return false;
    return batch.length >= batchSize(streams, lanes) || keys >= limits.replayBatchKeys;
  };
  for await (const item of walk) {
    if ('unexpected' in item) {
      onUnexpected(item.unexpected);
      continue;
    }
    const next = placeOf?.(item.stream.prefix) ?? null;
    if (batch.length > 0 && isFull(next)) {
      yield batch;
      batch = [];
      keys = 0;
    }
    batch.push(item.stream);
    keys += item.stream.keys?.length ?? 0;
    streams += 1;
    place = next;
  }
  if (batch.length > 0) yield batch;
}

/** A tenth of each lane's share so far, so that no lane is left working alone for long at the end. */
const batchSize = (streams: number, lanes: number): number =>
  Math.min(limits.replayBatchStreams, Math.max(limits.parallelStreams, Math.floor(streams / (lanes * 10))));
