import type pg from 'pg';
import { orOutage } from '../src/adapter/postgres/postgres-outage.ts';
import { eventIdAtPrefix } from '../src/receipt/key-path.ts';
import type { HeadDifference } from './head-differences.ts';
import { type LedgerFault, missing } from './ledger-fault.ts';
import { LIVE } from './live-projection.ts';

/**
 * Receipts that the live projection has applied, not only as a head but each with its row, and that the store does not have: lost there, and
 * known from nowhere else. `verify` cannot see a stream's end missing; this can, and a rebuild would wipe the trace. Throws `Outage`.
 */
export const lostReceipts = async (
  client: pg.ClientBase,
  differences: readonly HeadDifference[],
): Promise<readonly LedgerFault[]> => {
  const ahead = differences.flatMap(({ kind, stream, live, fresh }) => {
    const first = (fresh?.position ?? -1) + 1;
    return kind === 'ahead' && live !== null
      ? [{ stream, first, last: live.position, eventId: eventIdAtPrefix(stream, first) }]
      : [];
  });
  if (ahead.length === 0) return [];
  const { rows } = await orOutage(() =>
    client.query<{ event_id: string }>(`SELECT event_id FROM ${LIVE}.receipts WHERE event_id = ANY($1)`, [
      ahead.map(({ eventId }) => eventId),
    ]),
  );
  const applied = new Set(rows.map(({ event_id }) => event_id));
  return ahead
    .filter(({ eventId }) => applied.has(eventId))
    .map(({ stream, first, last }) =>
      missing(
        stream,
        first,
        last,
        'the live projection has applied it: the store has lost it; bring it back with `import` from a copy',
      ),
    );
};
