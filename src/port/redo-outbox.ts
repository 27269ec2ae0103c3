import type { RedoKind } from '../projection/row-change.ts';
import type { EventId } from '../receipt/ids.ts';

/** Something that must still follow from a receipt: see `Redo`. `target` is the prefix of the stream that must follow. */
export type RedoItem = { readonly eventId: EventId; readonly target: string; readonly kind: RedoKind };

/**
 * The work that receipts have left open, in the order in which they came. Not the truth: a row that is lost, done twice or done by two at
 * once does no harm, for what follows has an idempotency key of its own. Throws `Outage` (`postgres-unavailable`).
 */
export interface RedoOutbox {
  /** Items that were open for at least `openForMs`, oldest first: younger ones are being seen to by the command that made them. */
  open(limit: number, openForMs: number): Promise<readonly RedoItem[]>;
  /** `outcome` is `done`, or the code of the refusal after which nothing can follow any more. */
  close(item: RedoItem, outcome: string): Promise<void>;
}
