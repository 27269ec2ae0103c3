import { Outage } from '../port/outage.ts';
import type { BookRef } from '../port/read-model.ts';
import type { TradeId } from '../receipt/ids.ts';
import { prefixOf } from '../receipt/key-path.ts';
import { type Stream, accountStream, pixbookStream } from '../receipt/stream.ts';
import { type Result, ok } from '../result.ts';
import type { AccountState } from '../stream/account/evolve.ts';
import { noConcerns } from '../stream/pixbook/concerns.ts';
import { type BookTrade, offerIn, reservationIn } from '../stream/pixbook/state.ts';
import type { AppendParts } from './append.ts';
import { fromReadModel } from './deadline.ts';
import { derivedKey } from './derived-key.ts';
import type { AppendRefusal, Book } from './ledger-commands.ts';
import { touchStreams } from './touch.ts';

/**
 * Looks into a stream that a command needs besides its own, caught up. What is not found is looked for once more from the start: the
 * projection may have been wiped since this process caught the stream up. Throws `Outage`.
 */
const lookInto = async <T>(
  parts: AppendParts,
  stream: Stream,
  read: () => Promise<T | null>,
): Promise<Result<T | null, AppendRefusal>> => {
  for (const isLast of [false, true]) {
    const touched = await touchStreams(parts, stream);
    if (!touched.ok) return touched;
    const found = await fromReadModel(parts, read);
    if (found !== null || isLast) return ok(found);
    parts.memory.forget(prefixOf(stream));
    if ('accountId' in stream) parts.memory.forget(prefixOf(accountStream(stream.accountId)));
  }
  return ok(null);
};

/** A book of an account, and what its id follows from; null when that account has no such book. */
export const bookAt = (parts: AppendParts, { accountId, bookId }: Book): Promise<Result<BookRef | null, AppendRefusal>> =>
  lookInto(parts, pixbookStream(accountId, bookId), async () => {
    const ref = await parts.readModel.book(bookId);
    return ref?.accountId === accountId ? ref : null;
  });

/** What a book knows of a trade, on either side, and how its account stands. */
export type TradeSeen = {
  readonly accountStatus: AccountState['status'];
  readonly offer: Extract<BookTrade, { side: 'offerer' }> | null;
  readonly reservation: Extract<BookTrade, { side: 'accepter' }> | null;
};

/** A trade as this book has it now; null when there is no such book. */
export const tradeAt = (
  parts: AppendParts,
  { accountId, bookId }: Book,
  tradeId: TradeId,
): Promise<Result<TradeSeen | null, AppendRefusal>> => {
  const stream = pixbookStream(accountId, bookId);
  const request = { stream, idempotencyKey: derivedKey(tradeId, 'look'), userId: null, identityId: null };
  const concerns = { ...noConcerns, tradeIds: [tradeId] };
  return lookInto(parts, stream, async () => {
    const { state, accountStatus } = await parts.readModel.pixbookView({ ...request, concerns });
    return state.status === 'absent'
      ? null
      : { accountStatus, offer: offerIn(state, tradeId), reservation: reservationIn(state, tradeId) };
  });
};

/** The value, where a stream that is stopped stops what rests on it too. Throws `Outage`. */
export const orStopped = <T>(seen: Result<T, AppendRefusal>): T => {
  if (!seen.ok) throw new Outage('store', 'store-refused', seen.error.detail);
  return seen.value;
};
