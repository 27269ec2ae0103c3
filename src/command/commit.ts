import { limits } from '../limits.ts';
import { Outage } from '../port/outage.ts';
import type { CreateOutcome } from '../port/receipt-store.ts';
import { backOff } from './backoff.ts';
import { fromStore } from './deadline.ts';
import type { CommandPorts } from './ports.ts';

/**
 * What became of a receipt's bytes. `durable`: the object exists with exactly these bytes. `lost`: the position holds other bytes.
 * `busy`: the store kept refusing; nothing was written. `unknown`: it may exist, or come to exist later.
 */
export type CommitOutcome = 'durable' | 'lost' | 'busy' | 'unknown';

/**
 * The commit point: one conditional create, repeated with identical bytes until its outcome is known (receipt.md §5 step 6). Throws `Outage`
 * only when the store refused every try outright (`store-refused`), so that nothing can have been written.
 */
export const commitReceipt = async (
  ports: Pick<CommandPorts, 'store' | 'clock'>,
  key: string,
  bytes: Uint8Array,
): Promise<CommitOutcome> => {
  let mayHaveBeenWritten = false;
  for (let attempt = 0; attempt < limits.putAttempts; attempt++) {
    if (attempt > 0) await backOff(ports.clock, attempt);
    const outcome = await tryCreate(ports, key, bytes);
    if (outcome === 'created') return 'durable';
    // `exists` may be a rival, or our own bytes from a try whose answer was lost: only the bytes can tell.
    if (outcome === 'exists') return compare(ports, key, bytes);
    if (outcome instanceof Outage) {
      if (outcome.code === 'store-refused' && !mayHaveBeenWritten) throw outcome;
      mayHaveBeenWritten = true;
    }
  }
  if (!mayHaveBeenWritten) return 'busy';
  return compare(ports, key, bytes);
};

const tryCreate = async (
  { store, clock }: Pick<CommandPorts, 'store' | 'clock'>,
  key: string,
  bytes: Uint8Array,
): Promise<CreateOutcome | Outage> => {
  try {
    // A crash here: the object is there or not, whole or not at all. The client repeats its key and finds out which.
    return await fromStore({ clock }, () => store.create(key, bytes));
  } catch (error) {
    if (error instanceof Outage) return error;
    throw error;
  }
};

/** Absence is never final: a delayed create may still land, so it counts as unknown. */
const compare = async (
  { store, clock }: Pick<CommandPorts, 'store' | 'clock'>,
  key: string,
  bytes: Uint8Array,
): Promise<CommitOutcome> => {
  try {
    const stored = await fromStore({ clock }, () => store.read(key));
    if (stored === null) return 'unknown';
    return Buffer.from(stored).equals(bytes) ? 'durable' : 'lost';
  } catch (error) {
    if (error instanceof Outage) return 'unknown';
    throw error;
  }
};
