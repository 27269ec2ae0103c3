import { limits } from '../limits.ts';
import type { PixbookResource } from '../port/ledger-queries.ts';
import type { ReceiptStore } from '../port/receipt-store.ts';
import { headOf } from '../receipt/chain.ts';
import { keyAt } from '../receipt/key-path.ts';
import { type ReadReceipt, readReceipt } from '../receipt/read.ts';
import { type StreamOf, pixbookStream } from '../receipt/stream.ts';
import { type Result, err, ok } from '../result.ts';
import { eventOf } from '../stream/event.ts';
import type { PixbookEvent } from '../stream/pixbook/event.ts';
import { positionIn } from './event-position.ts';
import type { Problem } from './problem.ts';
import type { AsOf } from './schema.ts';

type BookStream = StreamOf<'pixbook'>;
/** What the receipts from the last save up to a moment say of the changing members. */
type Changes = Pick<PixbookResource, 'status' | 'state' | 'stateEventId' | 'savedAt' | 'closedAt'>;

/**
 * A pixbook as it was just after a receipt, from the store: the receipt itself (the head of then), and back from it to the last save. What never
 * changes (identity, collection, generation, creation) is the same in the resource of now. Reads in growing batches, at most
 * `limits.asOfReceipts` receipts, whatever the length of the stream; strict reading, without signatures, which `verify` checks.
 */
export const pixbookAsOf = async (
  store: ReceiptStore,
  now: PixbookResource,
  asOf: AsOf,
): Promise<Result<PixbookResource, Problem>> => {
  const stream = pixbookStream(now.accountId, now.bookId);
  const position = typeof asOf === 'number' ? asOf : positionIn(stream, asOf);
  if (position === null || position > now.head.position)
    return err({ code: 'as-of-not-found', detail: 'asOf is not a position or an event of this pixbook' });
  const last = await readAt(store, stream, position);
  if (!last.ok) return last;
  const changes = await changesUpTo(store, stream, last.value);
  return changes.ok ? ok({ ...now, ...changes.value, head: headOf(last.value) }) : changes;
};

const unchanged: Changes = { status: 'open', state: null, stateEventId: null, savedAt: null, closedAt: null };

/** Goes back from the last receipt until a save, which says everything about the saved state, or the creation, before which is nothing. */
const changesUpTo = async (store: ReceiptStore, stream: BookStream, last: ReadReceipt): Promise<Result<Changes, Problem>> => {
  let batch: readonly ReadReceipt[] = [last];
  let later: Partial<Changes> = {};
  for (let batchSize = 2, seen = 0; ; batchSize = Math.min(batchSize * 2, limits.parallelReads)) {
    for (const { receipt, position } of batch) {
      const event = eventOf(receipt);
      if (!event.ok) return err(unreadable(position));
      later = { ...changesBy(event.value as PixbookEvent, receipt), ...later };
      if (receipt.type === 'PIXBOOK_SAVE' || position === 0) return ok({ ...unchanged, ...later });
    }
    seen += batch.length;
    const before = batch.at(-1)?.position ?? 0;
    if (seen >= limits.asOfReceipts)
      return err({ code: 'as-of-too-far', detail: `the last save is more than ${limits.asOfReceipts} receipts before asOf` });
    const positions = Array.from({ length: Math.min(batchSize, before) }, (_, i) => before - 1 - i);
    const read = await Promise.all(positions.map((position) => readAt(store, stream, position)));
    const lost = read.find((each) => !each.ok);
    if (lost !== undefined) return lost;
    batch = read.flatMap((each) => (each.ok ? [each.value] : []));
  }
};

const changesBy = (event: PixbookEvent, { eventId, createdAt }: ReadReceipt['receipt']): Partial<Changes> => {
  switch (event.type) {
    case 'PIXBOOK_CREATED':
      return {};
    case 'PIXBOOK_SAVE':
      return { state: event.payload.state, stateEventId: eventId, savedAt: createdAt };
    case 'PIXBOOK_CLOSED':
      return { status: 'closed', closedAt: createdAt };
    default:
      return {}; // packs, cards and trades have resources of their own
  }
};

const readAt = async (store: ReceiptStore, stream: BookStream, position: number): Promise<Result<ReadReceipt, Problem>> => {
  const key = keyAt(stream, position);
  const bytes = await store.read(key);
  const read = bytes === null ? null : readReceipt(bytes, key);
  return read?.ok ? read : err(unreadable(position));
};

const unreadable = (position: number): Problem => ({
  code: 'receipt-lost',
  detail: `the receipt at position ${position} is not in the store, or not as it was written`,
});
