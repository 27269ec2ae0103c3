import type pg from 'pg';
import { orOutage } from '../src/adapter/postgres/postgres-outage.ts';

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

/** Streams whose heads differ between two projections, as the client's transaction sees them. Throws `Outage`. */
export const headDifferences = async (client: pg.ClientBase, live: string, fresh: string): Promise<readonly HeadDifference[]> => {
  const sides = 'l.position AS live_position, l.hash AS live_hash, f.position AS fresh_position, f.hash AS fresh_hash';
  const unequal =
    '(l.position, l.hash, l.event_id, l.created_at) IS DISTINCT FROM (f.position, f.hash, f.event_id, f.created_at)';
  const { rows } = await orOutage(() =>
    client.query<Found>(
      `SELECT 'pixpax/accounts/' || account_id AS stream, ${sides}
         FROM ${live}.account_ledger_heads AS l FULL JOIN ${fresh}.account_ledger_heads AS f USING (account_id) WHERE ${unequal}
       UNION ALL
       SELECT 'pixpax/pixbooks/' || account_id || '/' || book_id, ${sides}
         FROM ${live}.pixbook_ledger_heads AS l FULL JOIN ${fresh}.pixbook_ledger_heads AS f USING (account_id, book_id) WHERE ${unequal}
       ORDER BY stream`,
    ),
  );
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
