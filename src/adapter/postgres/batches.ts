import type pg from 'pg';
import { z } from 'zod';
import type { Batch, BatchFailure, BatchOrder, Batches } from '../../port/batches.ts';
import {
  type Instant,
  parseAccountId,
  parseBookId,
  parseCollectionId,
  parseDropId,
  parseIdentityId,
  parseUserId,
} from '../../receipt/ids.ts';
import {
  type RawRow,
  stored,
  storedCount,
  storedInstant,
  storedInstantOrNull,
  storedJson,
  storedText,
  storedWord,
} from '../stored-column.ts';
import { guardOn } from './guard.ts';
import { queryOn, withClient } from './pool.ts';
import { queueJob } from './queue-job.ts';
import { noTenant } from './scope.ts';

/** The batches in `ops.batches`. The pool is from `openPool` and stays its caller's. The job library's schema must be there. */
export const openBatches = (pool: pg.Pool): Batches => {
  const guard = guardOn(pool, 'projection');
  const change = (text: string, values: unknown[]) => guard(() => queryOn<RawRow>(pool, noTenant, { text, values }));
  return {
    order: (order, now) => guard(() => withClient(pool, (client) => takeOrder(client, order, now))),
    read: async (batchId) => {
      const [row] = await change('SELECT * FROM ops.batches WHERE batch_id = $1', [batchId]);
      return row === undefined ? null : batchOf(row);
    },
    // A run that begins again counts from 0: what people see never goes back.
    progress: async (batchId, done, failures) => {
      await change(
        `UPDATE ops.batches SET status = 'running', done = greatest(done, $2), failures = $3
         WHERE batch_id = $1 AND status <> 'finished'`,
        [batchId, done, JSON.stringify(failures)],
      );
    },
    finish: async (batchId, failures, now) => {
      await change(
        `UPDATE ops.batches SET status = 'finished', done = total, failures = $2, finished_at = $3
         WHERE batch_id = $1 AND status <> 'finished'`,
        [batchId, JSON.stringify(failures), now],
      );
    },
    claimShowing: async (batchId, now) => {
      const rows = await change(
        `UPDATE ops.batches SET shown_at = $2
         WHERE batch_id = $1 AND kind = 'codes' AND status = 'finished' AND shown_at IS NULL RETURNING batch_id`,
        [batchId, now],
      );
      return rows.length > 0;
    },
  };
};

/** A crash in here leaves neither the order nor its job. */
const takeOrder = async (client: pg.PoolClient, order: BatchOrder, now: Instant): Promise<Batch | 'differs'> => {
  const { batchId, kind, userId, identityId, collectionId, dropId, books, total } = order;
  await client.query('BEGIN');
  await client.query({
    text: `INSERT INTO ops.batches (batch_id, kind, user_id, identity_id, collection_id, drop_id, items, total, created_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING`,
    values: [batchId, kind, userId, identityId, collectionId, dropId, JSON.stringify(books.map(bookOf)), total, now],
  });
  const { rows } = await client.query<RawRow>('SELECT * FROM ops.batches WHERE batch_id = $1', [batchId]);
  const batch = batchOf(rows[0] ?? {});
  const isSame = sayOrder(batch) === sayOrder(order);
  // A repeated order whose job was lost gets another; one that has a job keeps it.
  if (isSame && batch.status !== 'finished') await queueJob(client, { kind: 'batch', batchId });
  await client.query('COMMIT');
  return isSame ? batch : 'differs';
};

type Book = BatchOrder['books'][number];
const bookOf = ({ accountId, bookId }: Book): Book => ({ accountId, bookId });

/** Two orders say the same exactly when they are the same. */
const sayOrder = ({ kind, userId, identityId, collectionId, dropId, books, total }: BatchOrder): string =>
  JSON.stringify([kind, userId, identityId, collectionId, dropId, books.map(bookOf), total]);

const itemsJson = z.array(z.strictObject({ accountId: z.string(), bookId: z.string() }));
const failuresJson: z.ZodType<BatchFailure[]> = z.array(
  z.strictObject({ item: z.string(), code: z.string(), detail: z.string() }),
);

const batchOf = (row: RawRow): Batch => ({
  batchId: storedText('batches.batch_id', row.batch_id),
  kind: storedWord('batches.kind', ['packs', 'codes'], row.kind),
  userId: stored('batches.user_id', parseUserId, row.user_id),
  identityId: stored('batches.identity_id', parseIdentityId, row.identity_id),
  collectionId: stored('batches.collection_id', parseCollectionId, row.collection_id),
  dropId: stored('batches.drop_id', parseDropId, row.drop_id),
  books: storedJson('batches.items', itemsJson, row.items).map(({ accountId, bookId }) => ({
    accountId: stored('batches.items', parseAccountId, accountId),
    bookId: stored('batches.items', parseBookId, bookId),
  })),
  total: storedCount('batches.total', row.total),
  status: storedWord('batches.status', ['queued', 'running', 'finished'], row.status),
  done: storedCount('batches.done', row.done),
  failures: storedJson('batches.failures', failuresJson, row.failures),
  createdAt: storedInstant('batches.created_at', row.created_at),
  finishedAt: storedInstantOrNull('batches.finished_at', row.finished_at),
  shownAt: storedInstantOrNull('batches.shown_at', row.shown_at),
});
