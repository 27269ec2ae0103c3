import { memoryStore } from '../adapter/memory/receipt-store.ts';
import { keyOf } from '../receipt/key-path.ts';
import type { StoredReceipt } from '../receipt/receipt.ts';

/** A store that holds these receipts. */
export const storeOf = (receipts: readonly StoredReceipt[]) =>
  memoryStore(new Map(receipts.map(({ receipt, bytes }) => [keyOf(receipt.stream, receipt.eventId), bytes])));

export type Shown = { key: string; text: string };
export type Json = { [member: string]: unknown; receipts: Shown[] };

/** A certificate as it comes out of a file: plain data that a test may change. Throws when there is none. */
export const asFile = (made: object | null): Json => {
  if (made === null) throw new Error('nothing was certified');
  return JSON.parse(JSON.stringify(made)) as Json;
};
