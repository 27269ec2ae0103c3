import type { Batch, BatchOrder, Batches } from '../port/batches.ts';

/** Batches in RAM, for tests: the port's contract without durability, and without a queue. */
export const memoryBatches = (known: Map<string, Batch> = new Map()): Batches => {
  const change = (batchId: string, changes: Partial<Batch>): void => {
    const batch = known.get(batchId);
    if (batch !== undefined) known.set(batchId, { ...batch, ...changes });
  };
  return {
    order: async (order, now) => {
      const there = known.get(order.batchId);
      if (there !== undefined) return asOrdered(there) === asOrdered(order) ? there : 'differs';
      const fresh = { status: 'queued', done: 0, failures: [], createdAt: now, finishedAt: null, shownAt: null } as const;
      const batch = { ...order, ...fresh };
      known.set(order.batchId, batch);
      return batch;
    },
    read: async (batchId) => known.get(batchId) ?? null,
    progress: async (batchId, done, failures) => change(batchId, { status: 'running', done, failures }),
    finish: async (batchId, failures, now) => {
      const total = known.get(batchId)?.total ?? 0;
      change(batchId, { status: 'finished', done: total, failures, finishedAt: now });
    },
    claimShowing: async (batchId, now) => {
      const batch = known.get(batchId);
      if (batch?.kind !== 'codes' || batch.status !== 'finished' || batch.shownAt !== null) return false;
      change(batchId, { shownAt: now });
      return true;
    },
  };
};

const asOrdered = ({ kind, userId, identityId, collectionId, dropId, books, total }: BatchOrder): string =>
  JSON.stringify([kind, userId, identityId, collectionId, dropId, books, total]);
