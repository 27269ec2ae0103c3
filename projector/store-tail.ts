import type pg from 'pg';
import { withClient } from '../src/adapter/postgres/pool.ts';
import { limits } from '../src/limits.ts';
import { parseEventId } from '../src/receipt/ids.ts';
import { LEDGER_ROOT, parsePrefix, positionOf } from '../src/receipt/key-path.ts';
import type { Stream } from '../src/receipt/stream.ts';
import type { FollowTo } from './follow.ts';
import { headsOf } from './head-differences.ts';
import type { LedgerSource, StreamListing } from './source.ts';

type Listed = { readonly stream: Stream; readonly prefix: string; readonly last: number };

/**
 * Streams that go on in the store behind what a projection has of them, found by their keys alone: no receipt is read. What the live
 * projection cannot tell, because it is not there or is another program's. A part at a time. Throws `Outage`.
 */
export async function* storeTails(source: LedgerSource, pool: pg.Pool, schema: string): AsyncIterable<readonly FollowTo[]> {
  let listed: Listed[] = [];
  for await (const found of source.find(LEDGER_ROOT)) {
    if (!('stream' in found)) continue;
    const parsed = parsePrefix(found.stream.prefix);
    if (!parsed.ok) continue;
    listed.push({ stream: parsed.value, prefix: found.stream.prefix, last: await lastPosition(source, found.stream) });
    if (listed.length < limits.listPageKeys) continue;
    yield await tailsIn(listed, pool, schema);
    listed = [];
  }
  yield await tailsIn(listed, pool, schema);
}

const tailsIn = async (listed: readonly Listed[], pool: pg.Pool, schema: string): Promise<readonly FollowTo[]> => {
  if (listed.length === 0) return [];
  const streams = listed.map(({ stream }) => stream);
  const heads = await withClient(pool, (client) => headsOf(client, schema, streams));
  return listed.flatMap(({ prefix, last }) => {
    const from = heads.get(prefix) ?? -1;
    return last > from ? [{ stream: prefix, from, to: last }] : [];
  });
};

/** The highest position that a key of the stream claims; -1 where none does. */
const lastPosition = async (source: LedgerSource, listing: StreamListing): Promise<number> => {
  let last = -1;
  for await (const page of listing.keys === null ? source.pages(listing) : [listing.keys])
    for (const key of page) last = Math.max(last, claimedPosition(key));
  return last;
};

const claimedPosition = (key: string): number => {
  const eventId = parseEventId(key.slice(key.lastIndexOf('/') + 1, -'.json'.length));
  return eventId.ok ? positionOf(eventId.value) : -1;
};
