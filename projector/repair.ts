import pg from 'pg';
import { MalformedRow } from '../src/adapter/stored-column.ts';
import type { ReadModel } from '../src/port/read-model.ts';
import { project } from '../src/projection/project.ts';
import { type Head, headOf, nextPosition } from '../src/receipt/chain.ts';
import type { PublicKeyId } from '../src/receipt/ids.ts';
import { keyAt, prefixOf } from '../src/receipt/key-path.ts';
import type { Stream } from '../src/receipt/stream.ts';
import { type ReplayWork, laneHere } from './lane.ts';
import type { LedgerReport, Progress } from './ledger-report.ts';
import { type LedgerScope, isInScope } from './ledger-scope.ts';
import { replayLedger } from './replay.ts';
import type { LedgerSource } from './source.ts';
import type { CheckedReceipt } from './stream-check.ts';

export type RepairOptions = {
  /** Opened with `durable`. */
  readonly source: LedgerSource;
  readonly model: ReadModel;
  readonly trust: PublicKeyId | null;
  /** Null, the default: the whole ledger. */
  readonly scope?: LedgerScope | null;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
};

/**
 * What applying cannot mend. `different`: another receipt is applied here than the store has. `ahead`: receipts are applied that the store
 * does not have. `rows`: the rows are not those that the next receipt changes.
 */
export type Unmended = { readonly stream: string; readonly position: number; readonly code: 'different' | 'ahead' | 'rows' };

/** What came of applying. */
export type Applied = {
  readonly ledger: LedgerReport;
  /** Streams in scope that the store has. */
  readonly streams: number;
  /** Receipts that were missing in the projection, and the streams they belong to. */
  readonly applied: number;
  readonly appliedStreams: number;
  readonly unmended: readonly Unmended[];
};

/**
 * Applies to the live projection what it lacks, stream by stream, by the port that commands use: whoever else applies meanwhile does no
 * harm. A stream at fault is applied up to its fault and named; the others are not touched by it. Throws `Outage`.
 */
export const repair = async ({ source, model, trust, scope = null, onProgress }: RepairOptions): Promise<Applied> => {
  const done = { streams: 0, applied: 0, appliedStreams: 0 };
  const unmended: Unmended[] = [];
  const work: ReplayWork = {
    begin: (stream) => {
      if (!isInScope(scope, prefixOf(stream))) return null;
      const mending = openMending(source, model, stream);
      return {
        receipt: (checked) => mending.take(checked),
        end: async ({ receipts, faults }) => {
          const { applied, fault } = await mending.close();
          if (receipts + faults.length > 0) done.streams += 1;
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
    below: scope?.below,
    onProgress,
  });
  return { ledger, ...done, unmended };
};

type Mending = {
  readonly take: (checked: CheckedReceipt) => Promise<void>;
  readonly close: () => Promise<{ readonly applied: number; readonly fault: Unmended | null }>;
};

/**
 * A row that is there already, one to be changed that is not (the statement says so by a cast that fails), a head that is none: damaged rows
 * are no bug, and must not keep the others from being repaired.
 */
const damaged = (error: unknown): 'damaged' => {
  if (error instanceof MalformedRow) return 'damaged';
  if (error instanceof pg.DatabaseError && (error.code === '23505' || error.code === '22P02')) return 'damaged';
  throw error;
};

const openMending = (source: LedgerSource, model: ReadModel, stream: Stream): Mending => {
  let head: Head | null | undefined;
  let last = -1;
  let applied = 0;
  let fault: Unmended | null = null;
  const differs = (position: number, code: Unmended['code'] = 'different'): void => {
    fault = { stream: prefixOf(stream), position, code };
  };

  return {
    take: async ({ read }) => {
      last = read.position;
      if (fault !== null) return;
      const shown = head ?? (await model.head(stream).catch(damaged));
      if (shown === 'damaged') return differs(read.position, 'rows');
      head = shown;
      if (read.position < nextPosition(head)) {
        if (read.position === head?.position && read.receipt.hash !== head.hash) differs(read.position);
        return;
      }
      const projected = project(read);
      if (!projected.ok) throw new TypeError(`a receipt that was checked cannot be projected: ${projected.error.detail}`);
      // A crash before, in or after this: the next repair finds the head where it is and goes on from there.
      const outcome = await model.apply({ stream, head: headOf(read), projected: projected.value }).catch(damaged);
      if (outcome === 'damaged') return differs(read.position, 'rows');
      if (outcome === 'applied') applied += 1;
      if (outcome === 'different') differs(read.position);
      // `behind`: the projection was wiped or swapped under our hands; the stream heals by use, or by the next repair.
      if (outcome !== 'behind') head = headOf(read);
    },
    close: async () => {
      const shown = fault === null ? await model.head(stream).catch(damaged) : null;
      if (shown === 'damaged') differs(last, 'rows');
      else if (shown !== null && shown.position > last) {
        // Appended since the stream was listed, or never written.
        const [there] = await source.readMany([keyAt(stream, shown.position)]);
        if (!there) fault = { stream: prefixOf(stream), position: shown.position, code: 'ahead' };
      }
      return { applied, fault };
    },
  };
};
