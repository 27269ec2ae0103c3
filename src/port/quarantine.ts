import type { Instant } from '../receipt/ids.ts';

/** What is wrong with an object of the store that must be a stream's next receipt. `detail` quotes nothing from a payload. */
export type StoredFault = { readonly code: string; readonly detail: string };

/**
 * Writes down that a stream (its prefix) is stopped by what the store holds, for operators and alarms: it stops nothing by itself. Any number of
 * times; taken back by a run of the projector that finds the stream whole. Throws `Outage` (`postgres-unavailable`).
 */
export type NoteQuarantined = (stream: string, fault: StoredFault, now: Instant) => Promise<void>;
