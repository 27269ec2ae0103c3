import type { Projected } from '../projection/project.ts';
import { headOf } from '../receipt/chain.ts';
import { prefixOf } from '../receipt/key-path.ts';
import type { StoredReceipt } from '../receipt/receipt.ts';
import type { Stream } from '../receipt/stream.ts';
import { catchUp } from './catch-up.ts';
import { fromReadModel } from './deadline.ts';
import type { Acknowledged } from './ledger-commands.ts';
import type { CommandPorts } from './ports.ts';
import type { StreamMemory } from './stream-memory.ts';

/** A receipt with what it does to the projection, rehearsed before it became durable. */
export type ProjectedReceipt = StoredReceipt & { readonly projected: Projected };

/**
 * Applies a durable receipt. Never throws and never undoes: when the projection cannot take it now the answer is `pending`, the stream is
 * forgotten, and whoever touches it next (this process, another one, `repair`) catches it up from the store.
 */
export const applyDurable = async (
  parts: CommandPorts & { readonly memory: StreamMemory },
  stream: Stream,
  stored: ProjectedReceipt,
): Promise<Acknowledged['projection']> => {
  const prefix = prefixOf(stream);
  const pending = (detail: string, alarm: boolean): 'pending' => {
    parts.memory.forget(prefix);
    const code = alarm ? 'projection-different' : 'projection-pending';
    parts.notify({ level: alarm ? 'alarm' : 'warning', code, stream: prefix, detail });
    return 'pending';
  };
  try {
    const head = headOf(stored);
    // A crash before, in or after this: the receipt is in the store, and the next touch of the stream applies it.
    const outcome = await fromReadModel(parts, () => parts.readModel.apply({ stream, head, projected: stored.projected }));
    if (outcome === 'different') return pending(`another receipt is applied at ${stored.position}`, true);
    if (outcome === 'behind') {
      const caughtUp = await catchUp(parts, stream);
      if (!caughtUp.ok) return pending(caughtUp.error.fault.detail, true);
    }
    parts.memory.remember(prefix, head, true);
    return 'applied';
  } catch (error) {
    return pending(error instanceof Error ? error.message : 'unknown', false);
  }
};
