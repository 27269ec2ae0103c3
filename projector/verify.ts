import { availableParallelism } from 'node:os';
import { systemClock } from '../src/port/clock.ts';
import type { PublicKeyId } from '../src/receipt/ids.ts';
import { type Lane, laneHere, noWork } from './lane.ts';
import { laneInThread } from './lane-thread.ts';
import type { LedgerReport, Progress } from './ledger-report.ts';
import type { Recording } from './record/stream-recorder.ts';
import { replayLedger } from './replay.ts';
import type { LedgerSource } from './source.ts';

export type VerifyOptions = {
  readonly source: LedgerSource;
  /** The fingerprint that the operator's first key must have; null takes the ledger's own word, and the report says so. */
  readonly trust: PublicKeyId | null;
  /** A stream's prefix, or a folder above some: only these, and the streams of accounts that they rest on. */
  readonly below?: string | null | undefined;
  /** Threads that read and check, this one among them; by default one to a core. A source that no other thread can open takes one. */
  readonly threads?: number | undefined;
  /** What time it is, in milliseconds since 1970: from it follows which trades should have been settled by now. */
  readonly nowMs?: number | undefined;
  /** Given by `verifyRecorded` alone: what is taken from a record, and what stands between the replay and its source and lanes. */
  readonly recording?: Recording | undefined;
  readonly around?: Around | undefined;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
};

type Around = { readonly source: (source: LedgerSource) => LedgerSource; readonly lane: (lane: Lane) => Lane };

/**
 * Whether a ledger is true: every receipt, chain, signature, key and event, from genesis on; that nothing is missing in between or was put
 * among it; and that receipts which rest on others of another stream say what those say: packs, grants, codes and trades. Needs the receipts and nothing else, and writes nothing. What it cannot see: receipts
 * missing from the end of a stream, and streams that are missing whole (`verifyRecorded` does). Throws `Outage` when the source fails in the middle.
 */
export const verifyLedger = async (options: VerifyOptions): Promise<LedgerReport> => {
  const { source, trust, below, around, onProgress } = options;
  const lanes = lanesFor(options).map((lane) => around?.lane(lane) ?? lane);
  try {
    const report = await replayLedger({
      source: around?.source(source) ?? source,
      lanes,
      pinned: trust !== null,
      below,
      onProgress,
    });
    await Promise.all(lanes.map((lane) => lane.finish()));
    return withSegmentsJudged(report);
  } catch (error) {
    await Promise.all(lanes.map((lane) => lane.abandon()));
    throw error;
  }
};

/** Whoever verifies wants to hear of it, though the receipts are none the worse: they were read from the events. */
export const withSegmentsJudged = (report: LedgerReport): LedgerReport =>
  (report.segments?.faultCount ?? 0) > 0 ? { ...report, verdict: 'invalid' } : report;

/** This thread is one of them: it would only wait for the others, and has everything loaded. */
const lanesFor = ({
  source,
  trust,
  threads = availableParallelism(),
  nowMs = systemClock.now(),
  recording,
}: VerifyOptions): readonly Lane[] => {
  const { address } = source;
  const others = address === null ? 0 : Math.max(0, threads - 1);
  const judging = { nowMs, recording };
  const here = laneHere(source, trust, noWork, judging);
  if (address === null) return [here];
  return [here, ...Array.from({ length: others }, () => laneInThread({ address, trust, work: { kind: 'check', judging } }))];
};
