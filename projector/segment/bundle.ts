import type { Clock } from '../../src/port/clock.ts';
import type { ReceiptStore } from '../../src/port/receipt-store.ts';
import { LEDGER_ROOT } from '../../src/receipt/key-path.ts';
import { type LedgerFault, missing, unexpectedObject } from '../ledger-fault.ts';
import type { Progress } from '../ledger-report.ts';
import type { LedgerSource } from '../source.ts';
import type { Catalogue } from './catalogue.ts';
import { positionInKey } from './event-place.ts';
import { type WantedKeys, readInOrder } from './read-in-order.ts';
import { type SegmentDraft, addReceipt, emptyDraft, hasRoomFor, sealDraft } from './segment-draft.ts';
import type { SegmentFault } from './segment-fault.ts';
import { type Shard, isInShard } from './shard.ts';
import { type StreamTaker, type Taken, openTaker, takeNext } from './stream-taker.ts';
import { writeSegment } from './write-segment.ts';

export type BundleOptions = {
  /** Opened with `durable`: what is in a segment must not be taken back by loss of power. */
  readonly source: LedgerSource;
  /** Where segments are put: the store that the source reads. */
  readonly store: ReceiptStore;
  readonly clock: Clock;
  /** What is bundled already; an empty one bundles all anew. */
  readonly catalogue: Catalogue;
  /** Receipts of this instant or later are left for another run. */
  readonly settledBeforeMs: number;
  readonly shard: Shard;
  /** How few receipts are still worth a segment at the end. */
  readonly fewest: number;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
};

export type BundleReport = {
  /** Segments made, and those that were there to the byte: of another worker, or of a run that was cut off. */
  readonly made: number;
  readonly there: number;
  /** What they hold. */
  readonly receipts: number;
  readonly rawBytes: number;
  readonly storedBytes: number;
  /** Settled receipts that were too few for a segment. */
  readonly left: number;
  /** What is wrong with the ledger, as far as it was read. The streams named are bundled up to there. */
  readonly faults: readonly LedgerFault[];
  readonly segmentFaults: readonly SegmentFault[];
};

/**
 * Bundles the settled receipts that no segment has, in the order of their keys. Holds one segment at a time. Any number may run at once: with
 * the same view they make the same objects, and with different ones segments that overlap, which does no harm. Throws `Outage`.
 */
export const bundle = async (options: BundleOptions): Promise<BundleReport> => {
  const { store, clock, fewest, onProgress } = options;
  const sum = { made: 0, there: 0, receipts: 0, rawBytes: 0, storedBytes: 0 };
  const progress = { streams: 0, receipts: 0 };
  const faults: LedgerFault[] = [];
  const segmentFaults: SegmentFault[] = [];
  let draft = emptyDraft();

  const write = async (full: SegmentDraft): Promise<void> => {
    const sealed = sealDraft(full);
    const outcome = await writeSegment(store, clock, sealed);
    if (typeof outcome === 'object') return void segmentFaults.push(outcome);
    sum[outcome] += 1;
    sum.receipts += sealed.about.receipts;
    sum.rawBytes += sealed.about.rawBytes;
    sum.storedBytes += sealed.about.storedBytes;
  };

  for await (const each of settledReceipts(options, faults)) {
    if (!hasRoomFor(draft, each.bytes.length)) {
      await write(draft);
      draft = emptyDraft();
      onProgress?.({ ...progress });
    }
    if (draft.runs.at(-1)?.prefix !== each.prefix) progress.streams += 1;
    addReceipt(draft, each.prefix, each.position, each.bytes);
    progress.receipts += 1;
  }
  const isWorthIt = draft.receipts >= Math.max(1, fewest);
  if (isWorthIt) await write(draft);
  onProgress?.({ ...progress });
  return { ...sum, left: isWorthIt ? 0 : draft.receipts, faults, segmentFaults };
};

type SettledReceipt = { readonly prefix: string; readonly position: number; readonly bytes: Uint8Array };

/** Receipts to be bundled, in the order of keys, each stream up to what is too young or wrong. */
async function* settledReceipts(options: BundleOptions, faults: LedgerFault[]): AsyncGenerator<SettledReceipt> {
  const { source, catalogue, settledBeforeMs } = options;
  let taker: StreamTaker | null = null;
  let isOver = false;
  for await (const { prefix, key, bytes } of readInOrder(source, wantedKeys(options, faults))) {
    if (taker?.prefix !== prefix) {
      taker = openTaker(prefix, catalogue.coveredTo(prefix));
      isOver = false;
    }
    if (isOver) continue;
    const position = positionInKey(prefix, key);
    const taken = position === taker.next ? takeNext(taker, key, bytes, settledBeforeMs) : await endAtGap(source, taker);
    if (taken.what === 'take') yield { prefix, position, bytes: taken.bytes };
    else {
      isOver = true;
      if (taken.fault !== null) faults.push(taken.fault);
    }
  }
}

/** What was appended while the keys were listed may be missing from the list alone, and is too young anyway. */
const endAtGap = async (source: LedgerSource, { prefix, next }: StreamTaker): Promise<Taken> => {
  const fault = missing(prefix, next, next);
  const [found] = await source.readMany([fault.key]);
  return { what: 'end', fault: found ? null : fault };
};

/** Keys of receipts that are in no segment, stream by stream. */
async function* wantedKeys({ source, catalogue, shard }: BundleOptions, faults: LedgerFault[]): AsyncGenerator<WantedKeys> {
  for await (const found of source.find(LEDGER_ROOT)) {
    if ('unexpected' in found) {
      faults.push(unexpectedObject(found.unexpected, null));
      continue;
    }
    const { prefix } = found.stream;
    if (!isInShard(shard, prefix)) continue;
    const from = catalogue.coveredTo(prefix);
    for await (const page of source.pages(found.stream)) {
      const positions = page.map((key) => positionInKey(prefix, key));
      for (const [i, key] of page.entries()) if (positions[i] === -1) faults.push(unexpectedObject(key, prefix));
      const keys = page.filter((_, i) => (positions[i] ?? -1) >= from);
      if (keys.length > 0) yield { prefix, keys };
    }
  }
}
