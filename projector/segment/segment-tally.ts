import { limits } from '../../src/limits.ts';
import type { SegmentFault, SegmentUse } from './segment-fault.ts';

/** What came of segments in a whole run: at most `limits.reportedFaults` of `faultCount` faults, in the order of keys. */
export type SegmentReport = SegmentUse & { readonly faultCount: number };

/** A report in the making. Empty as long as nobody had anything to do with segments. */
export type SegmentTally = {
  readonly add: (use: SegmentUse) => void;
  readonly report: () => { readonly segments?: SegmentReport };
};

export const openSegmentTally = (): SegmentTally => {
  const sum = { read: 0, compared: 0 };
  const faults = new Map<string, SegmentFault>();
  let unlisted = 0;
  let isUsed = false;
  return {
    add: ({ read, compared, faults: found }) => {
      isUsed = true;
      sum.read += read;
      sum.compared += compared;
      for (const fault of found) {
        // Every thread that needs a segment finds out for itself what is wrong with it.
        const name = `${fault.key} ${fault.event ?? ''}`;
        if (faults.has(name)) continue;
        if (faults.size < limits.reportedFaults) faults.set(name, fault);
        else unlisted += 1;
      }
    },
    report: () => {
      if (!isUsed) return {};
      const listed = [...faults].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, fault]) => fault);
      return { segments: { ...sum, faults: listed, faultCount: faults.size + unlisted } };
    },
  };
};
