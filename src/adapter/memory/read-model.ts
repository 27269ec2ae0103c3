import { Outage } from '../../port/outage.ts';
import type { ReadModel } from '../../port/read-model.ts';
import type { ProjectedTable } from '../../projection/row-change.ts';
import { type TableDump, dumpRows, noRows } from '../../projection/rows.ts';
import { type MemoryTables, applyTo, memoryTables } from './projection-tables.ts';
import {
  accountViewIn,
  bookIn,
  codeViewIn,
  collectionViewIn,
  headIn,
  keyRecordIn,
  latestGenerationIn,
  pixbookViewIn,
  receiptWithKey,
} from './projection-views.ts';

export type MemoryReadModel = ReadModel & {
  /** Every table in order of its primary key, bytea as hex: two dumps are equal exactly when the tables are. */
  readonly dump: () => { readonly [T in ProjectedTable]: TableDump };
  /** Drops the projection and makes it anew, empty, as an operator may at any moment. */
  readonly wipe: () => void;
};

/**
 * The projection in RAM, for tests: the port's contract without durability, each call done at once and without timers. Two read models
 * on one `tables` are two processes on one Postgres.
 */
export const memoryReadModel = (tables: MemoryTables = memoryTables()): MemoryReadModel => {
  let closed = false;
  const open = (): MemoryTables => {
    if (closed) throw new Outage('postgres', 'postgres-unavailable', 'the read model in memory was closed');
    return tables;
  };

  return {
    accountView: async (request) => accountViewIn(open(), request),
    pixbookView: async (request) => pixbookViewIn(open(), request),
    collectionView: async (request) => collectionViewIn(open(), request),
    codeView: async (request) => codeViewIn(open(), request),
    head: async (stream) => headIn(open().rows, stream),
    keyRecord: async (identityId, publicKeyId) => keyRecordIn(open().rows, identityId, publicKeyId),
    latestGeneration: async (identityId, collectionId) => latestGenerationIn(open().rows, identityId, collectionId),
    streamWithKey: async (streams, key) => {
      const { rows } = open();
      return streams.find((stream) => receiptWithKey(rows, stream, key) !== null) ?? null;
    },
    book: async (bookId) => bookIn(open().rows, bookId),
    apply: async (application) => applyTo(open(), application),
    check: async () => {
      open();
    },
    close: async () => {
      closed = true;
    },
    dump: () => dumpRows(tables.rows),
    wipe: () => {
      tables.rows = noRows();
      tables.made++;
    },
  };
};
