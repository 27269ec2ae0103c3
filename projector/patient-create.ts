import { limits } from '../src/limits.ts';
import { type Clock, withDeadline } from '../src/port/clock.ts';
import { Outage } from '../src/port/outage.ts';
import type { ReceiptStore } from '../src/port/receipt-store.ts';

/** Creates an object; false when the key is taken. A store that is busy for longer than a few tries is an `Outage`. */
export const createPatiently = async (to: ReceiptStore, clock: Clock, key: string, bytes: Uint8Array): Promise<boolean> => {
  for (let attempt = 1; attempt <= limits.putAttempts; attempt++) {
    // A crash before, in or after this: repeating the command finds the object, or makes it.
    const outcome = await withDeadline(clock, 'store', limits.storeTimeoutMs, () => to.create(key, bytes));
    if (outcome !== 'busy') return outcome === 'created';
    await clock.sleep(clock.random() * Math.min(limits.backoffCapMs, limits.backoffBaseMs * 2 ** attempt));
  }
  throw new Outage('store', 'store-unavailable', `${to.description} is busy; repeat the command, what was written stays`);
};
