import { mayIssue } from '../access/authorise.ts';
import type { Batch, BatchOrder, Batches } from '../port/batches.ts';
import type { Clock } from '../port/clock.ts';
import type { LedgerQueries } from '../port/ledger-queries.ts';
import { type IdentityId, OPERATOR_ACCOUNT_ID, type UserId, derivedUlid, instantOf } from '../receipt/ids.ts';
import { type Result, err, ok } from '../result.ts';
import { type CodeKey, codeIdOf, newCode } from '../stream/code/secret.ts';
import type { BatchCommands, BatchRefusal, BatchRequest } from './batch-commands.ts';
import { codeItemOf } from './batch-item.ts';
import { fromReadModel } from './deadline.ts';
import type { CommandContext } from './ledger-commands.ts';

export type BatchParts = {
  readonly batches: Batches;
  readonly queries: Pick<LedgerQueries, 'membership' | 'identity' | 'collection' | 'drop'>;
  readonly codeKey: CodeKey;
  readonly clock: Clock;
};

/** The commands of batches: orders and what came of them. What makes the items is `runBatch`. */
export const batchCommands = (parts: BatchParts): BatchCommands => ({
  order: async (context, request) => {
    const allowed = await mayOrder(parts, context.userId, request.identityId);
    if (!allowed.ok) return allowed;
    const order = orderOf(context, request);
    // A repeated order is answered although its drop may be closed by now.
    const known = await asked(parts, () => parts.batches.read(order.batchId));
    const open = known === null ? await dropIsOpen(parts, request) : ok(undefined);
    if (!open.ok) return open;
    const taken = await asked(parts, () => parts.batches.order(order, now(parts)));
    return taken === 'differs'
      ? refuse('idempotency-key-reused', 'this Idempotency-Key belongs to another order; use a new one')
      : ok(taken);
  },
  read: (userId, batchId) => visible(parts, userId, batchId),
  showCodes: async (userId, batchId) => {
    const found = await visible(parts, userId, batchId);
    if (!found.ok) return found;
    const batch = found.value;
    if (batch.kind !== 'codes') return refuse('batch-missing', 'there is no such batch of codes');
    if (batch.status !== 'finished') return refuse('batch-not-finished', 'the codes are shown when the batch is finished');
    // A crash after this: the codes were shown to nobody, and never will be. The issuer revokes them and orders others.
    if (!(await asked(parts, () => parts.batches.claimShowing(batchId, now(parts)))))
      return refuse('codes-shown', 'the codes were shown before, and are shown once');
    const failed = new Set(batch.failures.map(({ item }) => item));
    const made = Array.from({ length: batch.total }, (_, index) => index).filter((index) => !failed.has(codeItemOf(index)));
    return ok(
      made.map((index) => {
        const code = newCode(parts.codeKey, batchId, index);
        return { codeId: codeIdOf(parts.codeKey, code), code };
      }),
    );
  },
});

/** A batch's id follows from who asked and under which key, so that asking twice is one batch on a wiped database too. */
const orderOf = ({ userId, idempotencyKey }: CommandContext, request: BatchRequest): BatchOrder => {
  const { kind, identityId, collectionId, dropId } = request;
  const books = request.kind === 'packs' ? request.books : [];
  const total = request.kind === 'packs' ? request.books.length : request.count;
  const batchId = `bat_${derivedUlid('pixpax/batch-id/v1', userId, idempotencyKey)}`;
  return { batchId, kind, userId, identityId, collectionId, dropId, books, total };
};

/** As for each of its items: an issuer, or operator, who may sign with this identity of the operator's account. */
const mayOrder = async (parts: BatchParts, userId: UserId, identityId: IdentityId): Promise<Result<void, BatchRefusal>> => {
  const [role, signing] = await asked(parts, () =>
    Promise.all([parts.queries.membership(userId, OPERATOR_ACCOUNT_ID), parts.queries.identity(OPERATOR_ACCOUNT_ID, identityId)]),
  );
  const allowed = mayIssue({ userId, role, accountStatus: 'open' }, signing);
  if (allowed.ok) return allowed;
  const { code, detail } = allowed.error;
  return code === 'identity-missing' || code === 'identity-revoked' ? refuse(code, detail) : refuse('forbidden', detail);
};

const dropIsOpen = async (
  parts: BatchParts,
  { collectionId, dropId }: Pick<BatchRequest, 'collectionId' | 'dropId'>,
): Promise<Result<void, BatchRefusal>> => {
  const [collection, drop] = await asked(parts, () =>
    Promise.all([parts.queries.collection(collectionId), parts.queries.drop(dropId)]),
  );
  if (collection === null) return refuse('collection-missing', 'there is no such collection');
  if (drop?.collectionId !== collectionId) return refuse('drop-missing', 'the collection has no such drop');
  return drop.status === 'open' ? ok(undefined) : refuse('drop-closed', 'the drop is closed');
};

/** Whoever ordered a batch sees it while they are an issuer; operators see all. */
const visible = async (parts: BatchParts, userId: UserId, batchId: string): Promise<Result<Batch, BatchRefusal>> => {
  const [role, batch] = await asked(parts, () =>
    Promise.all([parts.queries.membership(userId, OPERATOR_ACCOUNT_ID), parts.batches.read(batchId)]),
  );
  const sees = role === 'operator' || (role === 'issuer' && batch?.userId === userId);
  return batch !== null && sees ? ok(batch) : refuse('batch-missing', 'there is no such batch');
};

const asked = <T>({ clock }: BatchParts, call: () => Promise<T>): Promise<T> => fromReadModel({ clock }, call);

const now = ({ clock }: BatchParts) => instantOf(clock.now());

const refuse = (code: BatchRefusal['code'], detail: string): Result<never, BatchRefusal> => err({ code, detail });
