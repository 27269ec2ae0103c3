import { nextPosition } from '../receipt/chain.ts';
import type { AccountId } from '../receipt/ids.ts';
import type { KeyHistory } from '../receipt/key-history.ts';
import { type ReadReceipt, readReceipt } from '../receipt/read.ts';
import { verifyRead } from '../receipt/verify.ts';
import { type Result, err, ok } from '../result.ts';
import { eventOf } from '../stream/event.ts';
import { type StreamState, isPixbookEvent, requiredIssuer } from '../stream/fold.ts';
import { noPixbook } from '../stream/pixbook/state.ts';
import { replayStep } from '../stream/replay-step.ts';
import { type BookAt, bookAfter } from './book-at.ts';
import type { Budget, ColdFault } from './cold-accounts.ts';
import { type StoredObject, type StoredReader, objectsFrom } from './stored-objects.ts';

/** The keys of accounts as their streams have them; `again` reads on in one that was read for this answer before. */
export type Signers = (accountId: AccountId, again: boolean) => Promise<Result<KeyHistory, ColdFault>>;

/** Receipts read together at first: most books grow little between two snapshots. */
const EXPECTED_RECEIPTS = 8;

/**
 * The pixbook after every receipt that its stream has behind `start` (null: from the first one on), each read strictly, its chain, signature and
 * rules checked as `verify` does. Null when there is no receipt at all. Throws `Outage`.
 */
export const foldOn = async (
  reader: StoredReader,
  stream: BookAt['stream'],
  start: BookAt | null,
  signers: Signers,
  budget: Budget,
): Promise<Result<BookAt | null, ColdFault>> => {
  let book = start;
  for await (const object of objectsFrom(reader, stream, nextPosition(book?.head ?? null), EXPECTED_RECEIPTS)) {
    if (budget.leftReceipts <= 0) return err({ code: 'too-far', detail: 'the pixbook is too long to be read for one answer' });
    budget.leftReceipts -= 1;
    const next = await afterObject(book, stream, object, signers);
    if (!next.ok) return next;
    book = next.value;
  }
  return ok(book);
};

const afterObject = async (
  book: BookAt | null,
  stream: BookAt['stream'],
  { key, bytes }: StoredObject,
  signers: Signers,
): Promise<Result<BookAt, ColdFault>> => {
  const untrue = ({ code }: { readonly code: string }): Result<never, ColdFault> =>
    err({ code: 'untrue', detail: `${key}: ${code}` });
  const read = readReceipt(bytes, key);
  if (!read.ok) return untrue(read.error);
  const event = eventOf(read.value.receipt);
  if (!event.ok) return untrue(event.error);
  const before: StreamState = { type: 'pixbook', state: book?.state ?? noPixbook };
  const required = requiredIssuer(before, stream, event.value);
  if (!required.ok) return untrue(required.error);
  // The key may have been introduced after the account was read.
  for (const again of [false, true]) {
    const keys = await signers(required.value.accountId, again);
    if (!keys.ok) return keys;
    const after = checked(book, before, read.value, keys.value);
    if (after.ok && after.value.type === 'pixbook' && after.value.state.status !== 'absent' && isPixbookEvent(event.value))
      return ok(bookAfter(book, stream, read.value, event.value, after.value.state));
    if (!after.ok && again) return untrue(after.error);
  }
  throw new TypeError('the state after a receipt of a pixbook is a pixbook');
};

const checked = (book: BookAt | null, before: StreamState, read: ReadReceipt, keys: KeyHistory) => {
  const verified = verifyRead(read, book?.head ?? null, keys);
  if (!verified.ok) return verified;
  const step = replayStep(before, read.receipt, keys);
  return step.ok ? ok(step.value.state) : step;
};
