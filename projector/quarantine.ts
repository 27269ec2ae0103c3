import type pg from 'pg';
import { queryOn, withClient } from '../src/adapter/postgres/pool.ts';
import { orOutage } from '../src/adapter/postgres/postgres-outage.ts';
import { noTenant } from '../src/adapter/postgres/scope.ts';
import { limits } from '../src/limits.ts';
import { systemClock } from '../src/port/clock.ts';
import { type Instant, instantOf } from '../src/receipt/ids.ts';
import { eventIdAtPrefix } from '../src/receipt/key-path.ts';
import type { LedgerFault } from './ledger-fault.ts';
import type { LedgerReport } from './ledger-report.ts';
import { type LedgerScope, isInScopeSql } from './ledger-scope.ts';
import type { LedgerSource } from './source.ts';

/** A stream that is applied up to a fault in the store, and no further. */
export type QuarantinedStream = {
  readonly stream: string;
  /** Where the first fault is; null where that is not known, or where it is an object that has no position. */
  readonly position: number | null;
  readonly key: string | null;
  readonly code: string;
  readonly detail: string;
  readonly foundBy: string;
  readonly since: Instant;
  readonly seenAt: Instant;
};

export type QuarantineNews = {
  readonly foundBy: 'rebuild' | 'repair' | 'drift';
  /** What was read: nothing else is let go. Null: the whole ledger. */
  readonly scope?: LedgerScope | null;
  /** Where it was read: a stream of which the store has nothing has no fault there to be seen, and is not whole. */
  readonly source: LedgerSource;
};

/**
 * Puts the streams at fault into quarantine, and lets those in scope go that are whole again, in one transaction. A report that cannot name
 * all that is at fault lets nobody go. To be called for every report, valid or not. Does nothing where `ops` is not there (yet). Throws
 * `Outage`.
 */
export const noteQuarantine = async (
  pool: pg.Pool,
  report: Pick<LedgerReport, 'faults' | 'faultCount' | 'unverifiable'>,
  { foundBy, scope = null, source }: QuarantineNews,
): Promise<void> => {
  if (!(await isThere(pool))) return;
  const first = firstFaults(report.faults);
  const column = <T>(of: (fault: StreamFault) => T): readonly T[] => first.map(of);
  const lost = await lostAmong(source, await quarantined(pool));
  await orOutage(() =>
    withClient(pool, async (client) => {
      await client.query('BEGIN');
      await client.query(
        `INSERT INTO ops.quarantined_streams AS q (stream, position, key, code, detail, found_by, since, seen_at)
         SELECT *, $6, $7::timestamptz, $7::timestamptz FROM unnest($1::text[], $2::bigint[], $3::text[], $4::text[], $5::text[])
         ON CONFLICT (stream) DO UPDATE SET (position, key, code, detail, found_by, seen_at) =
           ROW (EXCLUDED.position, EXCLUDED.key, EXCLUDED.code, EXCLUDED.detail, EXCLUDED.found_by, EXCLUDED.seen_at)`,
        [
          ...[column(({ stream }) => stream), column(({ position }) => position), column(({ key }) => key)],
          ...[column(({ code }) => code), column(({ detail }) => detail), foundBy, instantOf(systemClock.now())],
        ],
      );
      if (namesAll(report))
        await client.query(
          `DELETE FROM ops.quarantined_streams AS q WHERE stream <> ALL ($1::text[]) AND ($2::text[] IS NULL OR ${isInScopeSql('q.stream', 2)})`,
          [[...column(({ stream }) => stream), ...lost], scope?.places ?? null],
        );
      // A crash before this leaves the list as it was; the next run of any kind finds the same.
      await client.query('COMMIT');
    }),
  );
};

type StreamFault = LedgerFault & { readonly stream: string };

const lostAmong = async (source: LedgerSource, streams: readonly QuarantinedStream[]): Promise<readonly string[]> => {
  const lost: string[] = [];
  for (let at = 0; at < streams.length; at += limits.parallelReads) {
    const some = streams.slice(at, at + limits.parallelReads);
    const firsts = await source.readMany(some.map(({ stream }) => `${stream}/events/${eventIdAtPrefix(stream, 0)}.json`));
    lost.push(...some.flatMap(({ stream }, i) => (firsts[i] ? [] : [stream])));
  }
  return lost;
};

/** Of each stream the fault that stops it. Objects that belong to no stream stop none. */
const firstFaults = (faults: readonly LedgerFault[]): readonly StreamFault[] => {
  const first = new Map<string, StreamFault>();
  for (const fault of faults) {
    const { stream, position } = fault;
    if (stream === null) continue;
    const other = first.get(stream);
    if (other === undefined || (position ?? Number.POSITIVE_INFINITY) < (other.position ?? Number.POSITIVE_INFINITY))
      first.set(stream, { ...fault, stream });
  }
  return [...first.values()];
};

/** Streams that only rest on one at fault have no fault of their own to be named by. */
const namesAll = ({ faults, faultCount, unverifiable }: Pick<LedgerReport, 'faults' | 'faultCount' | 'unverifiable'>): boolean =>
  faultCount === faults.length && unverifiable === faults.reduce((sum, fault) => sum + fault.unverifiable, 0);

const isThere = async (pool: pg.Pool): Promise<boolean> => {
  const text = `SELECT to_regclass('ops.quarantined_streams') IS NOT NULL AS there`;
  const [row] = await orOutage(() => queryOn<{ there: boolean }>(pool, noTenant, { text }));
  return row?.there === true;
};

/** All streams in quarantine, oldest first. Throws `Outage`, and so where `ops` is not there. */
export const quarantined = (pool: pg.Pool): Promise<readonly QuarantinedStream[]> =>
  orOutage(() =>
    queryOn<QuarantinedStream>(pool, noTenant, {
      text: `SELECT stream, position, key, code, detail, found_by AS "foundBy", since, seen_at AS "seenAt"
             FROM ops.quarantined_streams ORDER BY since, stream`,
    }),
  );
