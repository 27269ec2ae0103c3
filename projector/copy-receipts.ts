import { limits } from '../src/limits.ts';
import { type Clock, withDeadline } from '../src/port/clock.ts';
import type { ReceiptStore } from '../src/port/receipt-store.ts';
import type { ReplayWork } from './lane.ts';
import { createPatiently } from './patient-create.ts';

/** What a copy came to. `taken`: keys under which the target holds other bytes; nothing there was changed. */
export type Copied = { readonly created: number; readonly there: number; readonly taken: readonly string[] };

export type CopyWork = {
  readonly work: ReplayWork;
  /** Puts one object as the work puts receipts. */
  readonly put: (key: string, bytes: Uint8Array) => Promise<void>;
  readonly copied: () => Copied;
};

/**
 * The work of a replay that puts every receipt into another store, in the order of each stream, so that a copy that is cut off holds the
 * beginnings of streams and can be repeated. Conditional creates only: nothing is ever overwritten. Throws `Outage`.
 */
export const copyWork = (to: ReceiptStore, clock: Clock, write: boolean): CopyWork => {
  const sum = { created: 0, there: 0 };
  const taken: string[] = [];

  const put = async (key: string, bytes: Uint8Array): Promise<void> => {
    const created = write ? await createPatiently(to, clock, key, bytes) : false;
    if (created) {
      sum.created += 1;
      return;
    }
    const found = await withDeadline(clock, 'store', limits.storeTimeoutMs, () => to.read(key));
    if (found === null) return;
    if (Buffer.compare(found, bytes) === 0) sum.there += 1;
    else if (taken.length < limits.reportedFaults) taken.push(key);
  };

  const work: ReplayWork = {
    begin: () => ({ receipt: ({ key, read }) => put(key, read.bytes), end: () => undefined }),
    finish: () => Promise.resolve(),
    abandon: () => Promise.resolve(),
  };
  return { work, put, copied: () => ({ ...sum, taken }) };
};
