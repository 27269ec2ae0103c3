import type { Page, PageRequest } from '../port/ledger-queries.ts';

/** A page of rows that are all in memory. */
export const memoryPage = <Row, Key extends string>(
  rows: Row[],
  keyOf: (row: Row) => Key,
  { after, limit }: PageRequest<Key>,
): Page<Row> => {
  const rest = rows.filter((row) => after === null || keyOf(row) > after).sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  return { rows: rest.slice(0, limit), hasMore: rest.length > limit };
};

/** The same with the greatest key first: `after` is the last of the page before. */
export const newestFirst = <Row>(
  rows: readonly Row[],
  keyOf: (row: Row) => string,
  { after, limit }: PageRequest<string>,
): Page<Row> => {
  const rest = rows.filter((row) => after === null || keyOf(row) < after).sort((a, b) => (keyOf(a) > keyOf(b) ? -1 : 1));
  return { rows: rest.slice(0, limit), hasMore: rest.length > limit };
};
