import { LRUCache } from 'lru-cache';
import pMap from 'p-map';
import type pg from 'pg';
import { withClient } from '../src/adapter/postgres/pool.ts';
import { orOutage } from '../src/adapter/postgres/postgres-outage.ts';
import { limits } from '../src/limits.ts';
import { tenantOf } from '../src/projection/project.ts';
import { type AccountId, OPERATOR_ACCOUNT_ID, type PublicKeyId } from '../src/receipt/ids.ts';
import { emptyKeyHistory } from '../src/receipt/key-history.ts';
import { keyAt, parsePrefix } from '../src/receipt/key-path.ts';
import type { Stream } from '../src/receipt/stream.ts';
import { readKeys } from './account-keys.ts';
import { addRecords } from './key-records.ts';
import type { LedgerFault } from './ledger-fault.ts';
import { keysUpTo } from './read-on.ts';
import { type KeyNews, replayStream } from './replay-stream.ts';
import type { LedgerSource } from './source.ts';
import { type StreamCheck, openCheck } from './stream-check.ts';
import { type ChangedRow, type StreamRows, streamRows } from './stream-rows.ts';
import { writeRows } from './write-rows.ts';

/** A stream, the position a projection has of it (-1 for none), and the one it is to have. Without an end, a busy writer is never caught. */
export type FollowTo = { readonly stream: string; readonly from: number; readonly to: number };

/** Keeps a projection up with streams that go on growing. */
export type Follower = {
  /**
   * Writes to the projection what the store has of these streams up to the positions given, each whole. A stream that ends before
   * is followed to its end, and not looked at again for the same position: what was applied was in the store before. Throws `Outage`.
   */
  readonly advance: (targets: readonly FollowTo[]) => Promise<Advanced>;
};

/** What is wrong with receipts that came, and how many rows were written for those that are right. */
export type Advanced = { readonly faults: readonly LedgerFault[]; readonly rows: number };

/** A stream that is being followed: its check and its rows are kept, so that each time only what is new is read. */
type Followed = { readonly stream: Stream; readonly check: StreamCheck; readonly rows: StreamRows };

export const openFollower = (source: LedgerSource, trust: PublicKeyId | null, pool: pg.Pool, schema: string): Follower => {
  const followed = new LRUCache<string, Followed>({ max: limits.followedStreams });
  /** The position that a stream in the store did not reach, though it is applied. */
  const unreached = new Map<string, number>();

  const read = async ({
    stream,
    from,
    to,
  }: FollowTo): Promise<{ faults: readonly LedgerFault[]; changes: readonly ChangedRow[] }> => {
    const entry = followed.get(stream) ?? (await open(source, trust, stream));
    if (entry === null) {
      unreached.set(stream, to);
      return { faults: [], changes: [] };
    }
    followed.set(stream, entry);
    const piece: LedgerSource = { ...source, pages: () => keysUpTo(source, entry.check, to) };
    const { faults } = await replayStream(piece, { prefix: stream, keys: null }, entry.check, {
      onReceipt: ({ read: stored }) => {
        entry.rows.take(stored);
        // The projection has everything up to here.
        if (stored.position === from) entry.rows.changed();
      },
      askForKeys: (check, accountIds) => newKeys(source, trust, check, accountIds),
    });
    if (entry.check.next <= to) unreached.set(stream, to);
    return { faults, changes: entry.rows.changed() };
  };

  return {
    advance: async (targets) => {
      const reachable = targets.filter(({ stream, to }) => unreached.get(stream) !== to);
      const faults: LedgerFault[] = [];
      let rows = 0;
      for (let at = 0; at < reachable.length; at += limits.followedTogether) {
        const some = reachable.slice(at, at + limits.followedTogether);
        const reads = await pMap(some, read, { concurrency: limits.parallelStreams });
        const changes = reads.flatMap((one) => one.changes);
        if (changes.length > 0) await write(pool, schema, changes);
        rows += changes.length;
        faults.push(...reads.flatMap((one) => one.faults));
      }
      return { faults, rows };
    },
  };
};

const write = (pool: pg.Pool, schema: string, changes: readonly ChangedRow[]): Promise<void> =>
  orOutage(() =>
    withClient(pool, async (client) => {
      await client.query('BEGIN');
      await writeRows(client, schema, changes);
      await client.query('COMMIT');
    }),
  );

/** Null for a stream of which the store has nothing. */
const open = async (source: LedgerSource, trust: PublicKeyId | null, prefix: string): Promise<Followed | null> => {
  const parsed = parsePrefix(prefix);
  if (!parsed.ok) return null;
  const stream = parsed.value;
  const [first] = await source.readMany([keyAt(stream, 0)]);
  if (!first) return null;
  const entry = { stream, check: openCheck(stream, emptyKeyHistory(), trust), rows: streamRows(stream) };
  const tenant = tenantOf(stream);
  await newKeys(source, trust, entry.check, tenant === null || stream.type === 'account' ? [] : [tenant]);
  return entry;
};

/** The keys of the accounts that a stream rests on. What a stream introduces itself, its own check learns. */
const newKeys = async (
  source: LedgerSource,
  trust: PublicKeyId | null,
  { stream, keys }: StreamCheck,
  accountIds: readonly AccountId[],
): Promise<KeyNews> => {
  if (stream.type === 'account' && stream.accountId === OPERATOR_ACCOUNT_ID) return 'final';
  const read = await readKeys(source, trust, accountIds);
  if (!read.ok) return 'final';
  addRecords(keys, read.value);
  return 'again';
};
