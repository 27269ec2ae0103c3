import type pg from 'pg';
import type { LedgerQueries } from '../../port/ledger-queries.ts';
import { parseReceiptHash } from '../../receipt/ids.ts';
import { parsePrefix } from '../../receipt/key-path.ts';
import { stored, storedCount } from '../stored-column.ts';
import { accountQueries, identityQueries } from './account-queries.ts';
import { cardQueries } from './card-queries.ts';
import { codeQueries } from './code-queries.ts';
import { collectionQueries } from './collection-queries.ts';
import { guardOn } from './guard.ts';
import { appliedHead } from './heads.ts';
import { packQueries } from './pack-queries.ts';
import { pixbookQueries } from './pixbook-queries.ts';
import { rowsOf, sqlIn, withClient } from './pool.ts';
import type { Asking } from './query-page.ts';
import { requireSchemaName } from './schema-text.ts';
import { tradeQueries } from './trade-queries.ts';

export type LedgerQueriesOptions = {
  /** From `openPool`; stays its caller's. */
  readonly pool: pg.Pool;
  readonly schema?: string;
};

/**
 * The reads for HTTP, each one statement and so one snapshot, within the accounts it is about. What is looked up by an id alone asks the
 * directory first whose it is, which never changes. Lists go by their key: a page costs the same wherever it lies.
 */
export const openLedgerQueries = ({ pool, schema = 'projection' }: LedgerQueriesOptions): LedgerQueries => {
  const db = sqlIn(requireSchemaName(schema));
  const guard = guardOn(pool, schema);
  const asking: Asking = { db, ask: (scope, query) => guard(() => rowsOf(pool, scope, query)) };
  return {
    ...accountQueries(asking),
    ...identityQueries(asking),
    ...pixbookQueries(asking),
    ...collectionQueries(asking),
    ...codeQueries(asking),
    ...packQueries(asking),
    ...cardQueries(asking),
    ...tradeQueries(asking),
    receipt: async (eventId) => {
      const [row] = await asking.ask(
        'directory',
        db.selectFrom('receipts').select(['stream', 'position', 'hash']).where('event_id', '=', eventId),
      );
      return row === undefined
        ? null
        : {
            stream: stored('receipts.stream', (prefix) => parsePrefix(String(prefix)), row.stream),
            position: storedCount('receipts.position', row.position),
            hash: stored('receipts.hash', parseReceiptHash, row.hash),
          };
    },
    head: (stream) => guard(() => withClient(pool, (client) => appliedHead(client, schema, stream))),
  };
};
