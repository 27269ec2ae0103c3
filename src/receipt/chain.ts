import { type Result, err, ok } from '../result.ts';
import type { EventId, Instant, ReceiptHash } from './ids.ts';
import type { Receipt, StoredReceipt } from './receipt.ts';

/** The last receipt of a stream, as the next one must know it. `null` stands for a stream without receipts. */
export type Head = {
  readonly position: number;
  readonly eventId: EventId;
  readonly hash: ReceiptHash;
  readonly createdAt: Instant;
};

/** A stored receipt as the head of its stream. */
export const headOf = ({ receipt, position }: Pick<StoredReceipt, 'receipt' | 'position'>): Head => ({
  position,
  eventId: receipt.eventId,
  hash: receipt.hash,
  createdAt: receipt.createdAt,
});

/** The position that comes after a head. */
export const nextPosition = (head: Head | null): number => (head === null ? 0 : head.position + 1);

export type ChainFault = {
  readonly code: 'position-gap' | 'prev-mismatch' | 'runs-backwards';
  readonly detail: string;
};

/** Whether a receipt follows a head: next position, `prevEventId` and `prevHash` of the head, `createdAt` not before it. */
export const follows = (head: Head | null, position: number, receipt: Receipt): Result<void, ChainFault> => {
  if (position !== nextPosition(head))
    return err({ code: 'position-gap', detail: `position ${position} after ${head === null ? 'nothing' : head.position}` });
  if (receipt.prevEventId !== (head?.eventId ?? null) || receipt.prevHash !== (head?.hash ?? null))
    return err({ code: 'prev-mismatch', detail: 'prevEventId and prevHash are not those of the receipt before' });
  if (head !== null && receipt.createdAt < head.createdAt)
    return err({ code: 'runs-backwards', detail: 'createdAt is before that of the receipt before' });
  return ok(undefined);
};
