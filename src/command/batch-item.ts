import type { BatchFailure, BatchOrder } from '../port/batches.ts';
import { JobPostponed } from '../port/jobs.ts';
import type { LedgerQueries } from '../port/ledger-queries.ts';
import { prefixOf } from '../receipt/key-path.ts';
import { codeStream, pixbookStream } from '../receipt/stream.ts';
import { type CodeKey, codeIdOf, newCode } from '../stream/code/secret.ts';
import { derivedKey } from './derived-key.ts';
import type { Book, CommandOutcome, CommandRefusal, LedgerCommands } from './ledger-commands.ts';

export type ItemParts = {
  readonly commands: Pick<LedgerCommands, 'issuePack' | 'createCode'>;
  readonly queries: Pick<LedgerQueries, 'code'>;
  readonly codeKey: CodeKey;
};

/** One pack or one code of a batch. `make` answers why it cannot be made, or null; making it again is harmless. Throws `Outage`, `JobPostponed`. */
export type BatchItem = { readonly item: string; readonly make: () => Promise<BatchFailure | null> };

/** How failures name a code: by its number, from 1. */
export const codeItemOf = (index: number): string => String(index + 1);

/** The items of an order: always the same, under the same idempotency keys, so that a batch may be run again from its start. */
export const itemsOf = (parts: ItemParts, order: BatchOrder): readonly BatchItem[] =>
  order.kind === 'packs'
    ? order.books.map((book) => ({ item: book.bookId, make: () => makePack(parts, order, book) }))
    : Array.from({ length: order.total }, (_, index) => ({
        item: codeItemOf(index),
        make: () => makeCode(parts, order, index),
      }));

const makePack = async ({ commands }: ItemParts, order: BatchOrder, book: Book): Promise<BatchFailure | null> => {
  const { userId, identityId, dropId } = order;
  const idempotencyKey = derivedKey(order.batchId, prefixOf(pixbookStream(book.accountId, book.bookId)));
  const outcome = await commands.issuePack({ userId, idempotencyKey, ifMatch: null }, book, { dropId, identityId });
  // A book has one pack of a drop: whoever asked for it first, the batch has nothing left to do here.
  return failureOf(book.bookId, outcome, (refusal) => Promise.resolve(refusal.code === 'pack-issued'));
};

const makeCode = async (parts: ItemParts, order: BatchOrder, index: number): Promise<BatchFailure | null> => {
  const { userId, identityId, collectionId, dropId, batchId } = order;
  const codeId = codeIdOf(parts.codeKey, newCode(parts.codeKey, batchId, index));
  const idempotencyKey = derivedKey(batchId, prefixOf(codeStream(codeId)));
  const code = { identityId, codeId, collectionId, dropId, batchId };
  const outcome = await parts.commands.createCode({ userId, idempotencyKey, ifMatch: null }, code);
  return failureOf(
    codeItemOf(index),
    outcome,
    async (refusal) => refusal.code === 'code-exists' && (await parts.queries.code(codeId))?.batchId === batchId,
  );
};

/** Refusals that pass: others are at this stream, or the outcome is not known yet. The item is made when the batch runs again. */
const PASSING: ReadonlySet<CommandRefusal['code']> = new Set(['queue-full', 'contended', 'outcome-unknown']);

const failureOf = async (
  item: string,
  outcome: CommandOutcome,
  isThere: (refusal: CommandRefusal) => Promise<boolean>,
): Promise<BatchFailure | null> => {
  if (outcome.ok) return null;
  const { code, detail } = outcome.error;
  if (PASSING.has(code)) throw new JobPostponed(code);
  return (await isThere(outcome.error)) ? null : { item, code, detail };
};
