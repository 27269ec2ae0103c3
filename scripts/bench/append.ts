import { randomBytes } from 'node:crypto';
import { openPool } from '../../src/adapter/postgres/pool.ts';
import { derivedUlid } from '../../src/receipt/ids.ts';
import { type Measured, measure } from './latency.ts';
import { type BenchLedger, type OpenBook, asksAnew, made, openBenchLedger, smallState } from './ledger-on-disk.ts';

const seconds = Number(process.env.BENCH_SECONDS ?? 5);
const RECEIPT_BYTES = 1_100;

/** Saves in process, one book to a lane. */
const saves = (ledger: BenchLedger, books: readonly OpenBook[]): Promise<Measured> =>
  measure(books.length, seconds, async (lane, turn) => {
    const book = books[lane];
    if (book === undefined) throw new Error('no such lane');
    const saved = made(await ledger.commands.save(asksAnew(), book, { state: smallState(turn), baseEventId: book.head }));
    book.head = saved.eventId;
  });

/** The ceiling of the store: conditional creates of as many bytes under as many prefixes, on the same store. */
const rawCreates = (ledger: BenchLedger, lanes: number): Promise<Measured> => {
  const run = randomBytes(4).toString('hex');
  const bytes = randomBytes(RECEIPT_BYTES);
  return measure(lanes, seconds, (lane, turn) =>
    ledger.store.create(`qualification/${run}-${lane}/${String(turn).padStart(8, '0')}`, bytes),
  );
};

/** The ceiling of Postgres: the rows of one save, hand-written in one prepared statement, each in a commit of its own. */
const RAW_SAVE = `
  WITH head AS (
    UPDATE projection.pixbook_ledger_heads SET position = $2, event_id = $3, hash = $4, created_at = now()
    WHERE book_id = $1 AND position = $2 - 1 RETURNING book_id
  ), lookup AS (
    INSERT INTO projection.receipts (event_id, stream, position, type, hash, created_at, idempotency_digest, fingerprint, bytes)
    SELECT $3, $5, $2, 'PIXBOOK_SAVE', $4, now(), $6, $7, 1100 FROM head
  )
  UPDATE projection.pixbooks SET state = $8, state_event_id = $3, saved_at = now() FROM head WHERE pixbooks.book_id = head.book_id`;

const rawCommits = async (ledger: BenchLedger, lanes: number): Promise<Measured> => {
  const pool = openPool({ url: ledger.databaseUrl, connections: Math.min(lanes, 32), role: 'projector' });
  const run = randomBytes(8).toString('hex');
  const idOf = (lane: number): string => `bk_raw_${run}_${lane}`;
  for (let lane = 0; lane < lanes; lane++) {
    await pool.query(`INSERT INTO projection.pixbook_ledger_heads VALUES ($1, 'raw', -1, '', '', now())`, [idOf(lane)]);
    await pool.query(`INSERT INTO projection.pixbooks VALUES ($1, 'raw', 'raw', 'raw', 1, 'open', NULL, NULL, now())`, [
      idOf(lane),
    ]);
  }
  const state = JSON.stringify(smallState(1));
  const hash = `sha256:${'0'.repeat(64)}`;
  const measured = await measure(lanes, seconds, (lane, turn) => {
    const eventId = derivedUlid('raw', run, String(lane), String(turn));
    const values = [idOf(lane), turn, eventId, hash, `raw/${lane}`, randomBytes(32), randomBytes(32), state];
    return pool.query({ name: 'raw_save', text: RAW_SAVE, values });
  });
  await pool.end();
  return measured;
};

/** The ceiling of the signer: signatures over as many bytes, nothing else. */
const rawSigns = async (ledger: BenchLedger, lanes: number): Promise<Measured> => {
  await ledger.signer.createKey('pixpax-bench');
  const message = randomBytes(RECEIPT_BYTES);
  return measure(lanes, seconds, () => ledger.signer.sign('pixpax-bench', message));
};

/** In process: one stream and 64, each beside its ceilings, all in one run on one disk. */
export const benchAppend = async () => {
  const ledger = await openBenchLedger();
  try {
    const results = [];
    for (const streams of [1, 64]) {
      const books = await ledger.openBooks(streams);
      const create = await rawCreates(ledger, streams);
      const commit = await rawCommits(ledger, streams);
      const sign = await rawSigns(ledger, streams);
      const append = await saves(ledger, books);
      results.push({ streams, append, create, commit, sign });
    }
    return results;
  } finally {
    await ledger.close();
  }
};

if (import.meta.main) console.log(JSON.stringify(await benchAppend(), null, 2));
