import type pg from 'pg';
import { orOutage } from '../src/adapter/postgres/postgres-outage.ts';
import type { HeadTable } from '../src/projection/rows.ts';
import type { Stream, StreamType } from '../src/receipt/stream.ts';

/** How far a stream is applied in one projection. */
export type AppliedPlace = { readonly position: number; readonly hash: string };

/**
 * A stream whose head is not the same in the live projection and in one made from the receipts. `behind`: the live one lacks receipts,
 * which is normal for a moment after an append. `ahead`: it has more. `different`: another receipt at the same position.
 */
export type HeadDifference = {
  readonly stream: string;
  readonly kind: 'behind' | 'ahead' | 'different';
  readonly live: AppliedPlace | null;
  readonly fresh: AppliedPlace | null;
};

type Found = {
  readonly stream: string;
  readonly live_position: number | null;
  readonly live_hash: string | null;
  readonly fresh_position: number | null;
  readonly fresh_hash: string | null;
};

/** The tables that hold heads: the columns that name a stream, and the prefix they give. */
const HEADS: { readonly [T in HeadTable]: { readonly columns: string; readonly stream: string } } = {
  account_ledger_heads: { columns: 'account_id', stream: `'pixpax/accounts/' || account_id` },
  pixbook_ledger_heads: { columns: 'account_id, book_id', stream: `'pixpax/pixbooks/' || account_id || '/' || book_id` },
  collection_ledger_heads: { columns: 'collection_id', stream: `'pixpax/collections/' || collection_id` },
  code_ledger_heads: { columns: 'code_id', stream: `'pixpax/codes/' || code_id` },
};

export type HeadDifferenceOptions = {
  /** Leaves out the streams that the live projection merely lags in: beside an empty one, those are all there are. */
  readonly withoutBehind?: boolean;
};

/** Streams whose heads differ between two projections, as the client's transaction sees them. Throws `Outage`. */
export const headDifferences = async (
  client: pg.ClientBase,
  live: string,
  fresh: string,
  { withoutBehind = false }: HeadDifferenceOptions = {},
): Promise<readonly HeadDifference[]> => {
  const sides = 'l.position AS live_position, l.hash AS live_hash, f.position AS fresh_position, f.hash AS fresh_hash';
  const unequal =
    '(l.position, l.hash, l.event_id, l.created_at) IS DISTINCT FROM (f.position, f.hash, f.event_id, f.created_at)' +
    (withoutBehind ? ' AND coalesce(l.position, -1) >= coalesce(f.position, -1)' : '');
  const differing = Object.entries(HEADS).map(
    ([table, { columns, stream }]) =>
      `SELECT ${stream} AS stream, ${sides} FROM ${live}.${table} AS l FULL JOIN ${fresh}.${table} AS f USING (${columns}) WHERE ${unequal}`,
  );
  const { rows } = await orOutage(() => client.query<Found>(`${differing.join(' UNION ALL ')} ORDER BY stream`));
  return rows.map(differenceOf);
};

const differenceOf = (row: Found): HeadDifference => {
  const live = placeOf(row.live_position, row.live_hash);
  const fresh = placeOf(row.fresh_position, row.fresh_hash);
  return { stream: row.stream, kind: kindOf(live?.position ?? -1, fresh?.position ?? -1), live, fresh };
};

const kindOf = (live: number, fresh: number): HeadDifference['kind'] =>
  live === fresh ? 'different' : live < fresh ? 'behind' : 'ahead';

const placeOf = (position: number | null, hash: string | null): AppliedPlace | null =>
  position === null || hash === null ? null : { position, hash };

/** Whether a projection has no head at all. */
export const noHeadsSql = (schema: string): string =>
  Object.keys(HEADS)
    .map((table) => `NOT EXISTS (SELECT FROM ${schema}.${table})`)
    .join(' AND ');

/** How many receipts a projection has applied. */
export const receiptsAppliedSql = (schema: string): string =>
  `SELECT (${Object.keys(HEADS)
    .map((table) => `(SELECT coalesce(sum(position + 1), 0) FROM ${schema}.${table})`)
    .join(' + ')})::bigint AS receipts`;

/** The heads that a projection has of some streams: their positions by prefix. Throws `Outage`. */
export const headsOf = async (
  client: pg.ClientBase,
  schema: string,
  streams: readonly Stream[],
): Promise<ReadonlyMap<string, number>> => {
  const heads = new Map<string, number>();
  for (const [type, of] of Map.groupBy(streams, (one) => one.type)) {
    const { table, id } = BY_TYPE[type];
    const { rows } = await orOutage(() =>
      client.query<{ stream: string; position: number }>(
        `SELECT ${HEADS[table].stream} AS stream, position FROM ${schema}.${table} WHERE ${id} = ANY ($1)`,
        [of.map(idOf)],
      ),
    );
    for (const { stream, position } of rows) heads.set(stream, position);
  }
  return heads;
};

const BY_TYPE: { readonly [T in StreamType]: { readonly table: HeadTable; readonly id: string } } = {
  account: { table: 'account_ledger_heads', id: 'account_id' },
  pixbook: { table: 'pixbook_ledger_heads', id: 'book_id' },
  collection: { table: 'collection_ledger_heads', id: 'collection_id' },
  code: { table: 'code_ledger_heads', id: 'code_id' },
};

const idOf = (stream: Stream): string => {
  switch (stream.type) {
    case 'account':
      return stream.accountId;
    case 'pixbook':
      return stream.bookId;
    case 'collection':
      return stream.collectionId;
    case 'code':
      return stream.codeId;
  }
};
