import { limits } from '../../src/limits.ts';
import { type BundleOptions, type BundleReport, bundle } from './bundle.ts';
import { emptyCatalogue } from './catalogue.ts';
import { pruneBroken, pruneSuperseded } from './prune.ts';
import { readCatalogue } from './read-catalogue.ts';
import { type SegmentReport, openSegmentTally } from './segment-tally.ts';

export type KeepOptions = Pick<BundleOptions, 'source' | 'store' | 'clock' | 'settledBeforeMs' | 'shard' | 'onProgress'> & {
  /** Make a segment of what is left at the end too, however little. */
  readonly all: boolean;
  /** Bundle what is bundled already too. */
  readonly anew: boolean;
  /** Delete segments that are broken or superseded. */
  readonly prune: boolean;
};

export type KeepReport = Omit<BundleReport, 'segmentFaults'> & {
  /** Whether all was bundled anew, because that was asked for or too many segments lay over one place. */
  readonly anew: boolean;
  /** Segments deleted because they could not be used, and because others have all they had. */
  readonly prunedBroken: number;
  readonly prunedSuperseded: number;
  /** What came of the segments that were there before; with `prune` what was wrong with them is done away with. */
  readonly segments?: SegmentReport;
};

/** One run of the upkeep of segments. Any number may run at once. Throws `Outage`. */
export const keepSegments = async (options: KeepOptions): Promise<KeepReport> => {
  const { source, store, clock, shard, all, prune } = options;
  const tally = openSegmentTally();
  let { catalogue, faults } = await readCatalogue(store);
  let prunedBroken = 0;
  if (prune) {
    prunedBroken = await pruneBroken(store, clock, catalogue, faults);
    if (prunedBroken > 0) ({ catalogue, faults } = await readCatalogue(store));
  }
  if (faults.length > 0) tally.add({ read: 0, compared: 0, faults });

  // Each part of a divided run leaves segments of its own over every place.
  const anew = options.anew || catalogue.depth > limits.segmentDepth * shard.of;
  const { segmentFaults, ...bundled } = await bundle({
    ...options,
    catalogue: anew ? emptyCatalogue() : catalogue,
    // What is left out of a new order would keep the old segments alive.
    fewest: all || anew ? 1 : limits.segmentMinReceipts,
  });
  const use = source.takeSegmentUse?.();
  // Those it met before they were pruned are no more.
  if (use !== undefined) tally.add(prune ? { ...use, faults: use.faults.filter(({ event }) => event !== null) } : use);
  if (segmentFaults.length > 0) tally.add({ read: 0, compared: 0, faults: segmentFaults });

  const prunedSuperseded = prune ? await pruneSuperseded(store, clock, (await readCatalogue(store)).catalogue) : 0;
  return { ...bundled, anew, prunedBroken, prunedSuperseded, ...tally.report() };
};
