import { limits } from '../limits.ts';
import type { PixbookResource } from '../port/ledger-queries.ts';
import type { ReceiptStore } from '../port/receipt-store.ts';
import { headOf } from '../receipt/chain.ts';
import { keyAt } from '../receipt/key-path.ts';
import { type ReadReceipt, readReceipt } from '../receipt/read.ts';
import { type StreamOf, pixbookStream } from '../receipt/stream.ts';
import { type Result, err, ok } from '../result.ts';
import { type BookAt, type ShownBook, shownBy } from '../snapshot/book-at.ts';
import type { ColdReads } from '../snapshot/cold-reads.ts';
import { eventOf } from '../stream/event.ts';
import type { PixbookEvent } from '../stream/pixbook/event.ts';
import { positionIn } from './event-position.ts';
import type { Problem } from './problem.ts';
import type { AsOf } from './schema.ts';

type BookStream = StreamOf<'pixbook'>;
/** What the receipts from the last save up to a moment say of what is shown. */
type Changes = Omit<ShownBook, 'createdAt'>;

/** Where a pixbook of the past is read. */
export type AsOfParts = { readonly store: Pick<ReceiptStore, 'read'>; readonly cold: Pick<ColdReads, 'snapshot'> };

/**
 * A pixbook as it was just after a receipt, from the store: the receipt itself (the head of then), and back from it to the last save, or to a
 * snapshot where that comes first. What never changes (identity, collection, generation, creation) is the same in the resource of now. Reads in
 * growing batches, at most `limits.asOfReceipts` receipts, whatever the length of the stream; strict reading, without signatures, which `verify`
 * checks. A snapshot saves reading and changes no answer.
 */
export const pixbookAsOf = async (
  parts: AsOfParts,
  now: PixbookResource,
  asOf: AsOf,
): Promise<Result<PixbookResource, Problem>> => {
  const stream = pixbookStream(now.accountId, now.bookId);
  const position = typeof asOf === 'number' ? asOf : positionIn(stream, asOf);
  if (position === null || position > now.head.position)
    return err({ code: 'as-of-not-found', detail: 'asOf is not a position or an event of this pixbook' });
  const last = await readAt(parts, stream, position);
  if (!last.ok) return last;
  const changes = await changesUpTo(parts, stream, last.value);
  if (!changes.ok) return changes;
  const status = changes.value.closedAt === null ? 'open' : 'closed';
  return ok({ ...now, ...changes.value, status, head: headOf(last.value) });
};

const unchanged: Changes = { state: null, stateEventId: null, savedAt: null, closedAt: null };

/** How far a walk back has come: what it saw so far says, the lowest receipt it read, and whether each is the one that the next names. */
type Walk = { later: Partial<ShownBook>; lowest: ReadReceipt; seen: number; isChain: boolean };

/** Goes back from the last receipt until a save, which says everything about the saved state, or the creation, before which is nothing. */
const changesUpTo = async (parts: AsOfParts, stream: BookStream, last: ReadReceipt): Promise<Result<Changes, Problem>> => {
  const walk: Walk = { later: {}, lowest: last, seen: 0, isChain: true };
  let batch: readonly ReadReceipt[] = [last];
  let snapshot: BookAt | null | undefined;
  for (let batchSize = 2; ; batchSize = Math.min(batchSize * 2, limits.parallelReads)) {
    for (const read of batch) {
      const saysAll = goBack(walk, read);
      if (!saysAll.ok) return saysAll;
      if (saysAll.value) return ok(changesOf({ ...unchanged, ...walk.later }));
    }
    if (snapshot === undefined && walk.seen >= limits.asOfUnaidedReceipts)
      snapshot = notAfter(last, await parts.cold.snapshot(stream));
    if (snapshot && leadsTo(snapshot, walk)) return ok(changesOf({ ...snapshot.shown, ...walk.later }));
    const before = walk.lowest.position;
    // What it leads to is not what was read: as if there were none.
    if (snapshot && snapshot.head.position >= before - 1) snapshot = null;
    if (walk.seen >= limits.asOfReceipts)
      return err({ code: 'as-of-too-far', detail: `the last save is more than ${limits.asOfReceipts} receipts before asOf` });
    const length = Math.min(batchSize, before - (snapshot ? snapshot.head.position + 1 : 0));
    const read = await Promise.all(Array.from({ length }, (_, i) => readAt(parts, stream, before - 1 - i)));
    const lost = read.find((each) => !each.ok);
    if (lost !== undefined) return lost;
    batch = read.flatMap((each) => (each.ok ? [each.value] : []));
  }
};

/** Takes one more receipt; true when nothing before it matters. */
const goBack = (walk: Walk, read: ReadReceipt): Result<boolean, Problem> => {
  const { receipt, position } = read;
  const event = eventOf(receipt);
  if (!event.ok) return err(unreadable(position));
  walk.isChain &&= walk.seen === 0 || walk.lowest.receipt.prevHash === receipt.hash;
  walk.later = { ...shownBy(event.value as PixbookEvent, receipt), ...walk.later };
  walk.lowest = read;
  walk.seen += 1;
  return ok(receipt.type === 'PIXBOOK_SAVE' || position === 0);
};

/** A snapshot of later tells nothing of then. */
const notAfter = (last: ReadReceipt, snapshot: BookAt | null): BookAt | null =>
  snapshot !== null && snapshot.head.position <= last.position ? snapshot : null;

/** Whether what was read follows from a snapshot: a chain that holds its head, or goes on from it. */
const leadsTo = ({ head }: BookAt, { lowest, isChain }: Walk): boolean =>
  isChain &&
  (head.position >= lowest.position || (head.position === lowest.position - 1 && lowest.receipt.prevHash === head.hash));

const changesOf = ({ state, stateEventId, savedAt, closedAt }: Changes): Changes => ({ state, stateEventId, savedAt, closedAt });

const readAt = async ({ store }: AsOfParts, stream: BookStream, position: number): Promise<Result<ReadReceipt, Problem>> => {
  const key = keyAt(stream, position);
  const bytes = await store.read(key);
  const read = bytes === null ? null : readReceipt(bytes, key);
  return read?.ok ? read : err(unreadable(position));
};

const unreadable = (position: number): Problem => ({
  code: 'receipt-lost',
  detail: `the receipt at position ${position} is not in the store, or not as it was written`,
});
