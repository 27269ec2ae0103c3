import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import pg from 'pg';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';
import { projectedTables } from '../../../src/projection/rows.ts';

const SCHEMA = 'copy_ceiling';
const NEWLINE = 0x0a;
const PIECE_BYTES = 1024 * 1024;

/**
 * The ceiling of writing: the rows of the projection at `databaseUrl`, as prepared text, into tables without keys or indexes, by as many
 * connections as a rebuild has lanes. Seconds. `room` is a directory for the text.
 */
export const rawCopySeconds = async (databaseUrl: string, room: string): Promise<number> => {
  const lanes = availableParallelism();
  const pool = new pg.Pool({ connectionString: databaseUrl, max: lanes });
  // The database is dropped right after: a connection that is still saying goodbye then is cut off.
  pool.on('error', () => undefined);
  const texts = join(room, 'copy');
  await mkdir(texts, { recursive: true });
  try {
    await eachTable(pool, async (client, table) => {
      const rows = client.query(copyTo(`COPY projection.${table} TO STDOUT`));
      await pipeline(rows, createWriteStream(join(texts, table)));
    });
    await pool.query(`DROP SCHEMA IF EXISTS ${SCHEMA} CASCADE; CREATE SCHEMA ${SCHEMA}`);
    for (const table of projectedTables) await pool.query(`CREATE TABLE ${SCHEMA}.${table} (LIKE projection.${table})`);
    const pieces = piecesIn(texts);
    const start = performance.now();
    await Promise.all(Array.from({ length: lanes }, () => copyPieces(pool, pieces)));
    return (performance.now() - start) / 1_000;
  } finally {
    await pool.query(`DROP SCHEMA IF EXISTS ${SCHEMA} CASCADE`);
    await pool.end();
    await rm(texts, { recursive: true, force: true });
  }
};

const eachTable = async (pool: pg.Pool, work: (client: pg.PoolClient, table: string) => Promise<void>): Promise<void> => {
  const client = await pool.connect();
  try {
    for (const table of projectedTables) await work(client, table);
  } finally {
    client.release();
  }
};

type Piece = { readonly table: string; readonly text: Buffer };

const copyPieces = async (pool: pg.Pool, pieces: AsyncGenerator<Piece>): Promise<void> => {
  const client = await pool.connect();
  try {
    // As the rebuild does: what comes last is durable, and with it everything before it.
    await client.query('SET synchronous_commit = off');
    for (;;) {
      const next = await pieces.next();
      if (next.done) return;
      const { table, text } = next.value;
      await pipeline(Readable.from([text]), client.query(copyFrom(`COPY ${SCHEMA}.${table} FROM STDIN`)));
    }
  } finally {
    client.release();
  }
};

/** Whole rows, as many as the rebuild sends together. */
async function* piecesIn(texts: string): AsyncGenerator<Piece> {
  for (const table of projectedTables) {
    let rest: Buffer = Buffer.alloc(0);
    for await (const read of createReadStream(join(texts, table), { highWaterMark: PIECE_BYTES })) {
      const text = Buffer.concat([rest, read as Buffer]);
      const end = text.lastIndexOf(NEWLINE) + 1;
      rest = text.subarray(end);
      if (end > 0) yield { table, text: text.subarray(0, end) };
    }
    if (rest.length > 0) yield { table, text: rest };
  }
}
