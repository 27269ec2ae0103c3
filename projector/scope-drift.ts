import type pg from 'pg';
import { withClient } from '../src/adapter/postgres/pool.ts';
import { orOutage } from '../src/adapter/postgres/postgres-outage.ts';
import { limits } from '../src/limits.ts';
import { systemClock } from '../src/port/clock.ts';
import { type Head, headOf } from '../src/receipt/chain.ts';
import type { PublicKeyId } from '../src/receipt/ids.ts';
import { prefixOf } from '../src/receipt/key-path.ts';
import { FOLDED, type FoldedRows, foldedRows } from './folded-rows.ts';
import { type AppliedHead, type HeadDifference, headKindOf, headsIn } from './head-differences.ts';
import { type ReplayWork, laneHere } from './lane.ts';
import type { LedgerReport, Progress } from './ledger-report.ts';
import { type LedgerScope, isInScope } from './ledger-scope.ts';
import { LIVE } from './live-projection.ts';
import { replayLedger } from './replay.ts';
import { type RowDifference, rowDifferences } from './row-differences.ts';
import type { LedgerSource } from './source.ts';
import { streamRows } from './stream-rows.ts';

export type ScopeDriftOptions = {
  /** Opened with `durable`. */
  readonly source: LedgerSource;
  readonly trust: PublicKeyId | null;
  readonly scope: LedgerScope;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
};

/** What the live rows of some streams differ in from what the receipts give. Streams at fault in the store are not compared. */
export type ScopeDrift = {
  readonly ledger: LedgerReport;
  readonly heads: readonly HeadDifference[];
  /** Streams in scope of which anything was found, in the store or in Postgres. */
  readonly streams: number;
};

/**
 * Compares the live rows of the streams in scope with those that their receipts make: of each stream the receipts up to the live head of one
 * snapshot, so that a stream that is being written is compared like any other. All that is held in memory is one stream. Each difference
 * of a row goes to `found`. Throws `Outage`.
 */
export const scopeDrift = (
  pool: pg.Pool,
  options: ScopeDriftOptions,
  found: (difference: RowDifference) => void,
): Promise<ScopeDrift> =>
  orOutage(() =>
    withClient(pool, async (client) => {
      const { scope } = options;
      await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
      // The store is read after this: every receipt that is applied here is there.
      const live = await headsIn(client, LIVE, scope);
      const folded = await foldedRows(client);
      const { ledger, ends, untrue } = await foldInScope(options, live, folded);
      await folded.settled();
      const { heads, inFlight } = await persisting(pool, headsThatDiffer(live, ends, untrue));
      const seen = new Set([...live.keys(), ...ends.keys(), ...untrue]);
      // Of a stream that began meanwhile this snapshot has nothing.
      const without = [...untrue, ...inFlight.flatMap(({ stream, live: head }) => (head === null ? [stream] : []))];
      await rowDifferences(client, { live: LIVE, fresh: FOLDED, without, scope }, (difference) => {
        seen.add(difference.stream);
        found(difference);
      });
      await client.query('COMMIT');
      return { ledger, heads, streams: seen.size };
    }),
  );

type Folded = {
  readonly ledger: LedgerReport;
  /** The last receipt of each stream in the store. */
  readonly ends: ReadonlyMap<string, Head>;
  /** Streams that are at fault, or rest on one that is. */
  readonly untrue: ReadonlySet<string>;
};

const foldInScope = async (
  { source, trust, scope, onProgress }: ScopeDriftOptions,
  live: ReadonlyMap<string, AppliedHead>,
  folded: FoldedRows,
): Promise<Folded> => {
  const ends = new Map<string, Head>();
  const untrue = new Set<string>();
  const work: ReplayWork = {
    begin: (stream) => {
      const prefix = prefixOf(stream);
      if (!isInScope(scope, prefix)) return null;
      const applied = live.get(prefix);
      const rows = streamRows(stream);
      let isReached = false;
      return {
        receipt: ({ read }) => {
          // Beyond a head that is right nothing is applied; where the head is wrong, all that the store has should be.
          if (!isReached) rows.take(read);
          const head = headOf(read);
          ends.set(prefix, head);
          isReached ||= applied !== undefined && isSameHead(applied, head);
        },
        end: async ({ whole }) => {
          if (whole) await folded.put(rows.changed());
          else untrue.add(prefix);
        },
      };
    },
    finish: () => Promise.resolve(),
    abandon: () => Promise.resolve(),
  };
  const lanes = [laneHere(source, trust, work)];
  const ledger = await replayLedger({ source, lanes, pinned: trust !== null, below: scope.below, onProgress });
  return { ledger, ends, untrue };
};

const isSameHead = (a: AppliedHead, b: Head): boolean =>
  a.position === b.position && a.hash === b.hash && a.eventId === b.eventId && a.createdAt === b.createdAt;

const headsThatDiffer = (
  live: ReadonlyMap<string, AppliedHead>,
  ends: ReadonlyMap<string, Head>,
  untrue: ReadonlySet<string>,
): readonly HeadDifference[] => {
  const streams = [...new Set([...live.keys(), ...ends.keys()])].filter((stream) => !untrue.has(stream)).sort();
  return streams.flatMap((stream) => {
    const [applied, end] = [live.get(stream), ends.get(stream)];
    if (applied !== undefined && end !== undefined && isSameHead(applied, end)) return [];
    const kind = headKindOf(applied?.position ?? -1, end?.position ?? -1);
    return { stream, kind, live: placeOf(applied), fresh: placeOf(end) };
  });
};

const placeOf = (head: AppliedHead | Head | undefined): HeadDifference['live'] =>
  head === undefined ? null : { position: head.position, hash: head.hash };

/** A receipt is durable a moment before it is applied: waits for such moments to pass, and tells which heads stayed behind all the while. */
const persisting = async (
  pool: pg.Pool,
  differences: readonly HeadDifference[],
): Promise<{ readonly heads: readonly HeadDifference[]; readonly inFlight: readonly HeadDifference[] }> => {
  const behind = differences.filter(({ kind }) => kind === 'behind');
  let waiting = behind;
  for (let waitedMs = 0; waiting.length > 0; waitedMs += limits.driftPollMs) {
    const places = waiting.map(({ stream }) => stream);
    const now = await withClient(pool, (client) => headsIn(client, LIVE, { below: '', places }));
    waiting = waiting.filter(({ stream, fresh }) => (now.get(stream)?.position ?? -1) < (fresh?.position ?? -1));
    if (waiting.length === 0 || waitedMs >= limits.driftPatienceMs) break;
    await systemClock.sleep(limits.driftPollMs);
  }
  const stayed = new Set(waiting);
  const inFlight = behind.filter((difference) => !stayed.has(difference));
  const passed = new Set(inFlight);
  return { heads: differences.filter((difference) => !passed.has(difference)), inFlight };
};
