import type { ReceiptStore } from '../../src/port/receipt-store.ts';
import { LEDGER_ROOT, parseKey, positionOf } from '../../src/receipt/key-path.ts';

/** How many receipts were made, of which types, and of how many streams they are the first. */
export type Tally = { receipts: number; streams: number; bytes: number; readonly types: Record<string, number> };

export const noTally = (): Tally => ({ receipts: 0, streams: 0, bytes: 0, types: {} });

/** Adds `more` to `sum`. */
export const addTally = (sum: Tally, more: Tally): void => {
  sum.receipts += more.receipts;
  sum.streams += more.streams;
  sum.bytes += more.bytes;
  for (const [type, count] of Object.entries(more.types)) sum.types[type] = (sum.types[type] ?? 0) + count;
};

export type CountedStore = ReceiptStore & {
  readonly tally: Tally;
  /** Does this as soon as one more receipt is durable: what happens in between two receipts of one command. */
  readonly afterNextReceipt: (work: () => void) => void;
};

/** Counts each receipt once, told apart by its key: one whose outcome was unknown is created twice. */
export const countedStore = (store: ReceiptStore, onReceipt: () => void = () => undefined): CountedStore => {
  const tally = noTally();
  const counted = new Set<string>();
  let waiting: (() => void) | null = null;

  const count = (key: string, bytes: Uint8Array): void => {
    const place = parseKey(key);
    if (!place.ok || counted.has(key)) return;
    counted.add(key);
    const type = typeIn(bytes);
    tally.receipts += 1;
    tally.bytes += bytes.length;
    if (positionOf(place.value.eventId) === 0) tally.streams += 1;
    tally.types[type] = (tally.types[type] ?? 0) + 1;
    onReceipt();
    const work = waiting;
    waiting = null;
    work?.();
  };
  return {
    ...store,
    create: async (key, bytes) => {
      const outcome = await store.create(key, bytes);
      if (outcome !== 'busy' && key.startsWith(LEDGER_ROOT)) count(key, bytes);
      return outcome;
    },
    tally,
    afterNextReceipt: (work) => {
      waiting = work;
    },
  };
};

/** In canonical order `type` is the last member of a receipt. */
const typeIn = (bytes: Uint8Array): string =>
  /"type":"([A-Z_]+)"\}$/.exec(Buffer.from(bytes.subarray(-64)).toString('latin1'))?.[1] ?? 'UNKNOWN';
