import type { Row, Rows } from '../../projection/rows.ts';

type Receipts = Rows['receipts'];

/** Rows of `receipts` by the hex of their idempotency digest, as the unique index in Postgres has them. */
const indexes = new WeakMap<Receipts, Map<string, Row>>();

/** The row under an idempotency digest, or undefined. */
export const rowWithDigest = (receipts: Receipts, digest: Buffer): Row | undefined =>
  indexOf(receipts).get(digest.toString('hex'));

/** Takes note of a row that was just inserted; whatever else happens to the table is noticed by its size, and the index made anew. */
export const indexRow = (receipts: Receipts, row: Row): void => {
  const index = indexes.get(receipts);
  if (index !== undefined) enter(index, row);
};

const indexOf = (receipts: Receipts): Map<string, Row> => {
  const known = indexes.get(receipts);
  if (known?.size === receipts.size) return known;
  const index = new Map<string, Row>();
  for (const row of receipts.values()) enter(index, row);
  indexes.set(receipts, index);
  return index;
};

const enter = (index: Map<string, Row>, row: Row): void => {
  if (Buffer.isBuffer(row.idempotency_digest)) index.set(row.idempotency_digest.toString('hex'), row);
};
