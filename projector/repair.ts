import type { ReadModel } from '../src/port/read-model.ts';
import { project } from '../src/projection/project.ts';
import { type Head, headOf, nextPosition } from '../src/receipt/chain.ts';
import type { PublicKeyId } from '../src/receipt/ids.ts';
import { keyAt, prefixOf } from '../src/receipt/key-path.ts';
import type { Stream } from '../src/receipt/stream.ts';
import { type ReplayWork, laneHere } from './lane.ts';
import type { LedgerReport, Progress } from './ledger-report.ts';
import { replayLedger } from './replay.ts';
import type { LedgerSource } from './source.ts';
import type { CheckedReceipt } from './stream-check.ts';

export type RepairOptions = {
  /** Opened with `durable`. */
  readonly source: LedgerSource;
  readonly model: ReadModel;
  readonly trust: PublicKeyId | null;
  readonly below?: string | null | undefined;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
};

/**
 * What applying cannot mend. `different`: another receipt is applied here than the store has. `ahead`: receipts are applied that the store
 * does not have.
 */
export type Unmended = { readonly stream: string; readonly position: number; readonly code: 'different' | 'ahead' };

export type RepairReport = {
  readonly ledger: LedgerReport;
  /** Receipts that were missing in the projection, and the streams they belong to. */
  readonly applied: number;
  readonly appliedStreams: number;
  readonly unmended: readonly Unmended[];
};

/**
 * Applies to the live projection what it lacks, stream by stream, by the port that commands use: whoever else applies meanwhile does no
 * harm. A stream at fault is applied up to its fault and named; the others are not touched by it. Throws `Outage`.
 */
export const repair = async ({ source, model, trust, below, onProgress }: RepairOptions): Promise<RepairReport> => {
  const done = { applied: 0, appliedStreams: 0 };
  const unmended: Unmended[] = [];
  const work: ReplayWork = {
    begin: (stream) => {
      const mending = openMending(source, model, stream);
      return {
        receipt: (checked) => mending.take(checked),
        end: async () => {
          const { applied, fault } = await mending.close();
          done.applied += applied;
          if (applied > 0) done.appliedStreams += 1;
          if (fault !== null) unmended.push(fault);
        },
      };
    },
    finish: () => Promise.resolve(),
    abandon: () => Promise.resolve(),
  };
  const ledger = await replayLedger({
    source,
    lanes: [laneHere(source, trust, work)],
    pinned: trust !== null,
    below,
    onProgress,
  });
  return { ledger, ...done, unmended };
};

type Mending = {
  readonly take: (checked: CheckedReceipt) => Promise<void>;
  readonly close: () => Promise<{ readonly applied: number; readonly fault: Unmended | null }>;
};

const openMending = (source: LedgerSource, model: ReadModel, stream: Stream): Mending => {
  let head: Head | null | undefined;
  let last = -1;
  let applied = 0;
  let fault: Unmended | null = null;
  const differs = (position: number): void => {
    fault = { stream: prefixOf(stream), position, code: 'different' };
  };

  return {
    take: async ({ read }) => {
      head ??= await model.head(stream);
      last = read.position;
      if (fault !== null) return;
      if (read.position < nextPosition(head)) {
        if (read.position === head?.position && read.receipt.hash !== head.hash) differs(read.position);
        return;
      }
      const projected = project(read);
      if (!projected.ok) throw new TypeError(`a receipt that was checked cannot be projected: ${projected.error.detail}`);
      // A crash before, in or after this: the next repair finds the head where it is and goes on from there.
      const outcome = await model.apply({ stream, head: headOf(read), projected: projected.value });
      if (outcome === 'applied') applied += 1;
      if (outcome === 'different') differs(read.position);
      // `behind`: the projection was wiped or swapped under our hands; the stream heals by use, or by the next repair.
      if (outcome !== 'behind') head = headOf(read);
    },
    close: async () => {
      const shown = fault === null ? await model.head(stream) : null;
      if (shown !== null && shown.position > last) {
        // Appended since the stream was listed, or never written.
        const [there] = await source.readMany([keyAt(stream, shown.position)]);
        if (!there) fault = { stream: prefixOf(stream), position: shown.position, code: 'ahead' };
      }
      return { applied, fault };
    },
  };
};
