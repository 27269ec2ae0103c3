import pMap from 'p-map';
import { limits } from '../../src/limits.ts';
import { systemClock, withDeadline } from '../../src/port/clock.ts';
import type { ReceiptStore } from '../../src/port/receipt-store.ts';
import { eventIdAtPrefix } from '../../src/receipt/key-path.ts';
import { type LedgerFault, missing, verdictOf } from '../ledger-fault.ts';
import type { LedgerReport } from '../ledger-report.ts';
import { readCatalogue } from './read-catalogue.ts';
import { readSegment } from './read-segment.ts';
import type { SegmentFault } from './segment-fault.ts';
import type { SegmentRun } from './segment-index.ts';
import { openSegmentTally } from './segment-tally.ts';

/** What all segments of a store, read whole, have to say. */
export type SegmentAudit = {
  readonly faults: readonly SegmentFault[];
  /** Receipts at the end of streams, or all of a stream, that segments have and the ledger has not: no listing tells of these. */
  readonly lost: readonly LedgerFault[];
};

/**
 * Reads every segment of a store, superseded ones too, and looks whether the last receipt of each of their streams is still there. `below`: only
 * streams of this prefix, or in this folder. Throws `Outage`.
 */
export const auditSegments = async (store: ReceiptStore, below: string | null): Promise<SegmentAudit> => {
  const { catalogue, faults } = await readCatalogue(store);
  const found: SegmentFault[] = [...faults];
  const gaps = new Map<string, { first: number; last: number }>();
  for (const { name } of catalogue.segments) {
    const segment = await readSegment(store, name);
    if (segment === null) continue;
    if (!segment.ok) {
      found.push(segment.error);
      continue;
    }
    const runs = segment.value.index.streams.filter(({ prefix }) => below === null || `${prefix}/`.startsWith(`${below}/`));
    await pMap(runs, async (run) => widen(gaps, run, await firstLost(store, run)), { concurrency: limits.parallelReads });
  }
  return { faults: found, lost: [...gaps].map(([prefix, { first, last }]) => missing(prefix, first, last, LOST)) };
};

const LOST = 'a segment has it: the store has lost it; bring it back with `import` from a copy';

/** The first of the receipts that are missing from the end of a run; its end when none is. */
const firstLost = async (store: ReceiptStore, { prefix, first, lengths }: SegmentRun): Promise<number> => {
  let position = first + lengths.length;
  while (position > first && !(await isThere(store, prefix, position - 1))) position -= 1;
  return position;
};

const isThere = (store: ReceiptStore, prefix: string, position: number): Promise<boolean> =>
  withDeadline(systemClock, 'store', limits.storeTimeoutMs, () =>
    store.exists(`${prefix}/events/${eventIdAtPrefix(prefix, position)}.json`),
  );

const widen = (
  gaps: Map<string, { first: number; last: number }>,
  { prefix, first, lengths }: SegmentRun,
  lost: number,
): void => {
  const last = first + lengths.length - 1;
  if (lost > last) return;
  const before = gaps.get(prefix);
  gaps.set(prefix, { first: Math.min(lost, before?.first ?? lost), last: Math.max(last, before?.last ?? last) });
};

/** A report, and what an audit of the segments adds to it. */
export const withAudit = (report: LedgerReport, { faults, lost }: SegmentAudit): LedgerReport => {
  const known = new Set(report.faults.map(({ key, code }) => `${key} ${code}`));
  const news = lost.filter(({ key, code }) => !known.has(`${key} ${code}`));
  const tally = openSegmentTally();
  tally.add(report.segments ?? { read: 0, compared: 0, faults: [] });
  tally.add({ read: 0, compared: 0, faults });
  const { segments } = tally.report();
  const isInvalid = report.verdict === 'invalid' || (segments?.faultCount ?? 0) > 0;
  return {
    ...report,
    ...(segments === undefined ? {} : { segments }),
    verdict: isInvalid ? 'invalid' : news.length > 0 ? verdictOf(news) : report.verdict,
    faults: [...report.faults, ...news]
      .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
      .slice(0, limits.reportedFaults),
    faultCount: report.faultCount + news.length,
  };
};
