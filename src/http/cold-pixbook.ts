import { mayRead } from '../access/authorise.ts';
import type { Book } from '../command/ledger-commands.ts';
import type { PixbookResource } from '../port/ledger-queries.ts';
import { Outage } from '../port/outage.ts';
import { nextPosition } from '../receipt/chain.ts';
import type { EventId, UserId } from '../receipt/ids.ts';
import { keyAt } from '../receipt/key-path.ts';
import { type Stream, accountStream, pixbookStream } from '../receipt/stream.ts';
import { resourceOf } from '../snapshot/book-at.ts';
import type { ColdReading } from '../snapshot/cold-reads.ts';
import { positionIn } from './event-position.ts';
import type { Service } from './service.ts';
import { readsIn } from './visible.ts';

/**
 * A pixbook that the projection does not show, or not yet, from the store alone: membership as the account's receipts give it, the book from its
 * snapshot and the receipts behind it, all verified. The same resource and the same walls as ever; nothing is written. Null when the projection
 * has all there is, when the user may not read the account, when `minEventId` is not there, and when the store does not answer, or not within
 * what such a reading may cost: the caller has its refusal ready.
 */
export const coldPixbook = async (
  service: Service,
  userId: UserId,
  { accountId, bookId }: Book,
  minEventId: EventId | undefined,
): Promise<PixbookResource | null> => {
  const stream = pixbookStream(accountId, bookId);
  const atLeast = minEventId === undefined ? 0 : positionIn(stream, minEventId);
  if (atLeast === null) return null;
  try {
    // One look at the store: what is not there, or is somebody else's, costs no more when the projection is whole.
    const isAccountBehind = await isBehind(service, accountStream(accountId));
    if (!isAccountBehind && !((await readsIn(service, userId, accountId)) && (await isBehind(service, stream)))) return null;
    return await service.coldReadIfFree(async (reading) => {
      if (isAccountBehind && !(await readsCold(reading, userId, accountId))) return null;
      const book = await reading.book(stream);
      return book === null || book.head.position < atLeast ? null : resourceOf(book);
    });
  } catch (error) {
    if (error instanceof Outage && error.dependency === 'store') return null;
    throw error;
  }
};

/** Whether the store has a receipt more than the projection shows. */
const isBehind = async ({ queries, store }: Service, stream: Stream): Promise<boolean> =>
  store.exists(keyAt(stream, nextPosition(await queries.head(stream))));

const readsCold = async (reading: ColdReading, userId: UserId, accountId: Book['accountId']): Promise<boolean> => {
  const account = await reading.account(accountId);
  return account !== null && mayRead({ userId, role: account.members.get(userId) ?? null, accountStatus: account.status }).ok;
};
