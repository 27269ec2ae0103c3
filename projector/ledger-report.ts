import { limits } from '../src/limits.ts';
import type { PublicKeyId } from '../src/receipt/ids.ts';
import type { BatchReport } from './lane.ts';
import { type LedgerFault, type Verdict, verdictOf } from './ledger-fault.ts';
import { type SegmentReport, openSegmentTally } from './segment/segment-tally.ts';

/** What a replay found. */
export type LedgerReport = {
  /** What was read, for people. */
  readonly source: string;
  readonly verdict: Verdict;
  /** Fingerprint of the operator's first key, on which everything rests; null when genesis is not there or not true. */
  readonly fingerprint: PublicKeyId | null;
  /** Whether that fingerprint was pinned by the caller. If not, it is worth no more than the place it was read from. */
  readonly pinned: boolean;
  /** Streams that have an object at all. */
  readonly streams: number;
  /** Receipts that were checked and are true in their place. */
  readonly receipts: number;
  /** Receipts of which nothing can be said because of a fault before them or in a stream they rest on. */
  readonly unverifiable: number;
  /** In key order; at most `limits.reportedFaults` of `faultCount`. */
  readonly faults: readonly LedgerFault[];
  readonly faultCount: number;
  /** What came of segments, where there are some. What is wrong with one is no fault of the ledger: the events were read instead. */
  readonly segments?: SegmentReport;
};

export type Progress = {
  readonly streams: number;
  readonly receipts: number;
  /** How many receipts there will have been, where anything tells. */
  readonly expected?: number | null;
};

/** A report in the making. */
export type Tally = {
  readonly add: (report: BatchReport) => void;
  readonly fault: (fault: LedgerFault) => void;
  readonly progress: () => Progress;
  readonly report: (fingerprint: PublicKeyId | null) => LedgerReport;
};

export const openTally = (source: string, pinned: boolean): Tally => {
  const sum = { streams: 0, receipts: 0, unverifiable: 0 };
  const segmentTally = openSegmentTally();
  const faults = new Map<string, LedgerFault>();
  let worst: Verdict = 'valid';
  let unlisted = 0;

  /** Two lanes that look at one account's stream find the same fault. */
  const fault = (found: LedgerFault): void => {
    const name = `${found.key} ${found.code}`;
    if (faults.has(name)) return;
    if (worst !== 'invalid') worst = verdictOf([...faults.values(), found]);
    if (faults.size < limits.reportedFaults) faults.set(name, found);
    else unlisted += 1;
  };

  return {
    add: ({ streams, receipts, unverifiable, faults: found, segments }) => {
      sum.streams += streams;
      sum.receipts += receipts;
      sum.unverifiable += unverifiable;
      for (const one of found) fault(one);
      if (segments !== undefined) segmentTally.add(segments);
    },
    fault,
    progress: () => ({ streams: sum.streams, receipts: sum.receipts }),
    report: (fingerprint) => ({
      source,
      // Receipts of which nothing can be said have a fault somewhere else to show for it; should that not be listed, this is not valid.
      verdict: worst === 'valid' && sum.unverifiable > 0 ? 'incomplete' : worst,
      fingerprint,
      pinned,
      ...sum,
      faults: [...faults.values()].sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0)),
      faultCount: faults.size + unlisted,
      ...segmentTally.report(),
    }),
  };
};
