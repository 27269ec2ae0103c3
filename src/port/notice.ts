import type { StoredFault } from './quarantine.ts';

/** What an operator must hear of, by a stable code. */
export const noticeCodes = [
  'store-lost-receipt', // a receipt we know of is gone
  'ledger-invalid', // a stored object is not the receipt that must be there
  'projection-different', // the projection holds another receipt than the store
  'projection-pending', // a durable receipt could not be applied yet
  'position-lost', // a rival took the position
  'outcome-unknown', // a create may or may not have been applied
] as const;

/** `alarm` means: look now. */
export type Notice = {
  readonly level: 'alarm' | 'warning';
  readonly code: (typeof noticeCodes)[number];
  /** The stream's prefix. */
  readonly stream: string;
  /** One sentence; no secrets, no payload. */
  readonly detail: string;
  /** Of `ledger-invalid`, where a stream cannot be gone on with: what stops it. */
  readonly fault?: StoredFault;
};

/** Where notices go: the log and the metrics. Must not throw. */
export type Notify = (notice: Notice) => void;
