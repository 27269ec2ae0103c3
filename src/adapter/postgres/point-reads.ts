import type pg from 'pg';
import type { ReadModel } from '../../port/read-model.ts';
import { idempotencyDigestOf } from '../../projection/project.ts';
import { prefixOf } from '../../receipt/key-path.ts';
import { bookRefOfRow, keyRecordOfRow } from '../projection-row.ts';
import { type RawRow, storedCount, storedText } from '../stored-column.ts';
import { appliedHead } from './heads.ts';
import { queryOn, withClient } from './pool.ts';
import { scopeOf } from './scope.ts';

/** The reads of the port that commands make now and then, one statement each. Throws as `pg`, and `MalformedRow`. */
export const pointReads = (
  pool: pg.Pool,
  schema: string,
): Pick<ReadModel, 'head' | 'keyRecord' | 'latestGeneration' | 'streamWithKey' | 'book'> => ({
  head: (stream) => withClient(pool, (client) => appliedHead(client, schema, stream)),

  keyRecord: async (identityId, publicKeyId) => {
    // The same key twice in one identity is refused by `verify`; here the record that came first stands.
    const [row] = await queryOn<RawRow>(pool, 'directory', {
      text: `SELECT * FROM ${schema}.identity_keys WHERE public_key_id = $1 AND identity_id = $2 ORDER BY key_generation LIMIT 1`,
      values: [publicKeyId, identityId],
    });
    return row === undefined ? null : keyRecordOfRow(row);
  },

  latestGeneration: async (identityId, collectionId) => {
    const [row] = await queryOn<RawRow>(pool, 'directory', {
      text: `SELECT max(generation) AS latest FROM ${schema}.pixbooks WHERE identity_id = $1 AND collection_id = $2`,
      values: [identityId, collectionId],
    });
    const latest = row?.latest ?? null;
    return latest === null ? null : storedCount('pixbooks.generation', latest);
  },

  streamWithKey: async (streams, key) => {
    const rows = await queryOn<RawRow>(pool, scopeOf(streams), {
      text: `SELECT stream FROM ${schema}.receipts WHERE idempotency_digest = ANY($1::bytea[])`,
      values: [streams.map((stream) => idempotencyDigestOf(stream, key))],
    });
    const prefixes = new Set(rows.map(({ stream }) => storedText('receipts.stream', stream)));
    return streams.find((stream) => prefixes.has(prefixOf(stream))) ?? null;
  },

  book: async (bookId) => {
    const [row] = await queryOn<RawRow>(pool, 'directory', {
      text: `SELECT account_id, book_id, identity_id, collection_id, generation, status FROM ${schema}.pixbooks WHERE book_id = $1`,
      values: [bookId],
    });
    return row === undefined ? null : bookRefOfRow(row);
  },
});
