/**
 * What can be wrong with a segment. `segment-invalid`: an object of it is missing, torn, or not what its name says. `segment-different`: it
 * is whole, but holds other bytes than the event. Never a fault of the ledger: the event is what counts, and what was read instead.
 */
export type SegmentFault = {
  readonly code: 'segment-invalid' | 'segment-different';
  /** The object of the segment to look at. */
  readonly key: string;
  /** The event that differs; null where the fault is the segment's alone. */
  readonly event: string | null;
  /** For people; quotes nothing from a receipt. */
  readonly detail: string;
};

/** The fault of an object that cannot be used. */
export const invalidSegment = (key: string, detail: string): SegmentFault => ({
  code: 'segment-invalid',
  key,
  event: null,
  detail,
});

/** The fault of a segment whose bytes for a receipt are not those of the event. */
export const differentSegment = (key: string, event: string): SegmentFault => ({
  code: 'segment-different',
  key,
  event,
  detail: 'the segment holds other bytes than the event',
});

/** What came of reading segments: receipts taken from them, those of these that were held against their events, and what was wrong. */
export type SegmentUse = { readonly read: number; readonly compared: number; readonly faults: readonly SegmentFault[] };
