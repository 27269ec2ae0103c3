import type pg from 'pg';
import { columnsOf } from '../src/adapter/postgres/columns.ts';
import { withClient } from '../src/adapter/postgres/pool.ts';
import { orOutage } from '../src/adapter/postgres/postgres-outage.ts';
import { limits } from '../src/limits.ts';
import { redoOf } from '../src/projection/redo.ts';
import { type ProjectedTable, type Redo, primaryKeys } from '../src/projection/row-change.ts';
import { headPlaceOf } from '../src/projection/rows.ts';
import type { PublicKeyId } from '../src/receipt/ids.ts';
import { eventIdAt, prefixOf } from '../src/receipt/key-path.ts';
import type { Receipt } from '../src/receipt/receipt.ts';
import type { Stream, StreamType } from '../src/receipt/stream.ts';
import { type Result, err, ok } from '../src/result.ts';
import { FOLDED, type FoldedRows, foldedRows } from './folded-rows.ts';
import { type ReplayWork, laneHere } from './lane.ts';
import type { LedgerReport } from './ledger-report.ts';
import { LIVE } from './live-projection.ts';
import { replayLedger } from './replay.ts';
import type { LedgerSource } from './source.ts';
import { streamRows } from './stream-rows.ts';

/** Rows of a stream that were taken away, and that were written; one that was wrong is counted as both. */
export type MendedRows = { readonly stream: string; readonly removed: number; readonly written: number };

/** `at-fault`: the store's objects are not all true, and the rows may be all that is left. `ahead`: the rows know a receipt that it lost. */
export type NotMended = { readonly code: 'at-fault' } | { readonly code: 'ahead'; readonly position: number };

/**
 * Makes the live rows of one stream what its receipts give, in one transaction that touches the rows that differ and no others. The head's row is
 * locked first, so that whoever applies to the stream waits, and its receipts are read then: none can come between. Nothing is written that
 * the rows know better than the store. The pool is of `scans`; no swap may come between (`soleRun`). Throws `Outage`.
 */
export const mendRows = (
  pool: pg.Pool,
  { source, trust }: { readonly source: LedgerSource; readonly trust: PublicKeyId | null },
  stream: Stream,
): Promise<Result<MendedRows, NotMended>> =>
  orOutage(() =>
    withClient(pool, async (client) => {
      await client.query('BEGIN');
      await client.query(`SET LOCAL lock_timeout = ${limits.databaseTimeoutMs}`);
      const folded = await foldedRows(client);
      const applied = await lockHead(client, stream);
      const { whole, receipts, redo } = await foldStream(source, trust, stream, folded);
      await folded.settled();
      const isAhead = await knows(client, stream, receipts);
      if (!whole || isAhead) {
        await client.query('ROLLBACK');
        return err(whole ? { code: 'ahead', position: receipts } : { code: 'at-fault' });
      }
      let [removed, written] = [0, 0];
      for (const table of tablesOf(stream)) {
        for (const statement of removals(table, stream)) removed += (await client.query(statement)).rowCount ?? 0;
        written += (await client.query(insertSql(table))).rowCount ?? 0;
      }
      await queueRedo(
        client,
        redo.filter(({ position }) => position > applied),
      );
      // A crash before this leaves every row as it was.
      await client.query('COMMIT');
      return ok({ stream: prefixOf(stream), removed, written });
    }),
  );

/** The position that is applied, -1 for none. Where there is no head, one is put that nobody else sees: who would write the first waits for it. */
const lockHead = async (client: pg.ClientBase, stream: Stream): Promise<number> => {
  const { table, key } = headPlaceOf(stream);
  const columns = Object.keys(key);
  await client.query(
    `INSERT INTO ${LIVE}.${table} (${columns.join(', ')}, position, event_id, hash, created_at)
     VALUES (${columns.map((_, i) => `$${i + 1}`).join(', ')}, -1, '', '', 'epoch') ON CONFLICT DO NOTHING`,
    Object.values(key),
  );
  const [primary] = primaryKeys[table];
  const { rows } = await client.query<{ position: number }>(
    `SELECT position::float8 AS position FROM ${LIVE}.${table} WHERE ${primary} = $1 FOR UPDATE`,
    [key[primary]],
  );
  return rows[0]?.position ?? -1;
};

type PlacedRedo = Redo & { readonly position: number; readonly receipt: Receipt };

type FoldedStream = {
  readonly whole: boolean;
  readonly receipts: number;
  /** What must follow from its receipts elsewhere. */
  readonly redo: readonly PlacedRedo[];
};

const foldStream = async (
  source: LedgerSource,
  trust: PublicKeyId | null,
  stream: Stream,
  folded: FoldedRows,
): Promise<FoldedStream> => {
  const below = prefixOf(stream);
  const redo: PlacedRedo[] = [];
  let found = { whole: true, receipts: 0 };
  const work: ReplayWork = {
    begin: (each) => {
      if (prefixOf(each) !== below) return null;
      const rows = streamRows(each);
      return {
        receipt: ({ read, event }) => {
          rows.take(read);
          for (const one of redoOf(event)) redo.push({ ...one, position: read.position, receipt: read.receipt });
        },
        end: async ({ whole, receipts }) => {
          found = { whole, receipts };
          await folded.put(rows.changed());
        },
      };
    },
    finish: () => Promise.resolve(),
    abandon: () => Promise.resolve(),
  };
  const ledger: LedgerReport = await replayLedger({
    source,
    lanes: [laneHere(source, trust, work)],
    pinned: trust !== null,
    below,
  });
  // Without a genesis that can be believed nothing is known of any stream.
  return { ...found, whole: found.whole && ledger.fingerprint !== null, redo };
};

/** Whether the live rows tell of a receipt at a position: that of one that the store does not have is the last trace of it. */
const knows = async (client: pg.ClientBase, stream: Stream, position: number): Promise<boolean> => {
  const { rowCount } = await client.query(`SELECT FROM ${LIVE}.receipts WHERE event_id = $1`, [eventIdAt(stream, position)]);
  return rowCount !== 0;
};

const tablesOf = ({ type }: Stream): readonly ProjectedTable[] => [...TABLES[type], 'receipts'];

/** The tables that receipts of each kind of stream make rows of, besides `receipts`. */
const TABLES: { readonly [T in StreamType]: readonly ProjectedTable[] } = {
  account: ['accounts', 'account_members', 'account_invitations', 'identities', 'identity_keys', 'account_ledger_heads'],
  pixbook: ['pixbooks', 'packs', 'card_instances', 'trades', 'trade_reservations', 'pixbook_ledger_heads'],
  collection: ['collections', 'collection_versions', 'retired_series', 'drops', 'collection_ledger_heads'],
  code: ['codes', 'code_ledger_heads'],
};

/** Takes away what differs: rows of the stream that no receipt gives as they are, and rows that are in the way of those that it gives. */
const removals = (table: ProjectedTable, stream: Stream): readonly pg.QueryConfig[] => {
  const key = table === 'receipts' ? { stream: prefixOf(stream) } : headPlaceOf(stream).key;
  const mine = Object.keys(key).map((column, i) => `l.${column} = $${i + 1}`);
  const same = samePrimaryKey(table);
  return [
    {
      text: `DELETE FROM ${LIVE}.${table} AS l WHERE ${mine.join(' AND ')}
             AND NOT EXISTS (SELECT FROM ${FOLDED}.${table} AS f WHERE ${same} AND f::text = l::text)`,
      values: Object.values(key),
    },
    { text: `DELETE FROM ${LIVE}.${table} AS l USING ${FOLDED}.${table} AS f WHERE ${same} AND f::text <> l::text` },
    ...(table === 'receipts' ? [{ text: `DELETE FROM ${LIVE}.receipts AS l USING ${FOLDED}.receipts AS f WHERE ${TAKEN}` }] : []),
  ];
};

const TAKEN = 'f.idempotency_digest = l.idempotency_digest AND f.event_id <> l.event_id';

const samePrimaryKey = (table: ProjectedTable): string =>
  primaryKeys[table].map((column) => `f.${column} = l.${column}`).join(' AND ');

const insertSql = (table: ProjectedTable): string => {
  const columns = columnsOf(table).join(', ');
  const missing = `NOT EXISTS (SELECT FROM ${LIVE}.${table} AS l WHERE ${samePrimaryKey(table)})`;
  return `INSERT INTO ${LIVE}.${table} (${columns}) SELECT ${columns} FROM ${FOLDED}.${table} AS f WHERE ${missing}`;
};

/** Of receipts that were not applied: those that were have theirs, done or not. */
const queueRedo = async (client: pg.ClientBase, redo: readonly PlacedRedo[]): Promise<void> => {
  for (const { target, kind, receipt } of redo)
    await client.query(
      'INSERT INTO ops.redo_outbox (event_id, target, kind, created_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING',
      [receipt.eventId, target, kind, receipt.createdAt],
    );
};
