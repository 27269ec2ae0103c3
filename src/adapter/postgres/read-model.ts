import type pg from 'pg';
import { limits } from '../../limits.ts';
import type { Application, ApplyOutcome, ReadModel } from '../../port/read-model.ts';
import { prefixOf } from '../../receipt/key-path.ts';
import { accountViews } from './account-view.ts';
import { applyTogether } from './apply.ts';
import { type Batching, batching } from './batching.ts';
import { codeViews } from './code-view.ts';
import { collectionViews } from './collection-view.ts';
import { guardOn } from './guard.ts';
import { checkSchema } from './migrate.ts';
import { asksForBookAlone, pixbookSliceViews, pixbookViews } from './pixbook-view.ts';
import { pointReads } from './point-reads.ts';
import { isProjectionMissing, orOutage, outageOf, unavailable } from './postgres-outage.ts';
import { requireSchemaName } from './schema-text.ts';

export type ReadModelOptions = {
  /** From `openPool`; stays its caller's. */
  readonly pool: pg.Pool;
  /** `projection`, or the schema of a rebuild under way. */
  readonly schema?: string;
};

/**
 * The projection in Postgres as commands need it. Calls of a kind that come at the same time are put into one statement: a view costs
 * a share of a round trip, an application a share of a commit. A live projection that was dropped is made anew, empty, when it is next
 * asked for. `close` waits for what is under way.
 */
export const openReadModel = ({ pool, schema = 'projection' }: ReadModelOptions): ReadModel => {
  requireSchemaName(schema);
  const guard = guardOn(pool, schema);
  let closed = false;
  const guarded = <T>(call: () => Promise<T>): Promise<T> => {
    if (closed) return Promise.reject(unavailable('the read model is closed'));
    return guard(call);
  };

  const most = limits.databaseBatch;
  const inFlight = limits.databaseBatchesInFlight;
  const concernsAll = (error: unknown): boolean => isProjectionMissing(error) || outageOf(error) !== null;
  const accounts = batching({ most, inFlight, concernsAll, run: accountViews(pool, schema) });
  const pixbooks = batching({ most, inFlight, concernsAll, run: pixbookViews(pool, schema) });
  const pixbookSlices = batching({ most, inFlight, concernsAll, run: pixbookSliceViews(pool, schema) });
  const collections = batching({ most, inFlight, concernsAll, run: collectionViews(pool, schema) });
  const codes = batching({ most, inFlight, concernsAll, run: codeViews(pool, schema) });
  const laneOf = ({ stream }: Application): string => prefixOf(stream);
  const applications: Batching<Application, ApplyOutcome> = batching({
    ...{ most, inFlight, concernsAll, laneOf },
    run: applyTogether(pool, schema),
  });
  const reads = pointReads(pool, schema);

  return {
    accountView: (request) => guarded(() => accounts.submit(request)),
    pixbookView: (request) => guarded(() => (asksForBookAlone(request) ? pixbooks : pixbookSlices).submit(request)),
    collectionView: (request) => guarded(() => collections.submit(request)),
    codeView: (request) => guarded(() => codes.submit(request)),
    head: (stream) => guarded(() => reads.head(stream)),
    keyRecord: (identityId, publicKeyId) => guarded(() => reads.keyRecord(identityId, publicKeyId)),
    latestGeneration: (identityId, collectionId) => guarded(() => reads.latestGeneration(identityId, collectionId)),
    streamWithKey: (streams, key) => guarded(() => reads.streamWithKey(streams, key)),
    book: (bookId) => guarded(() => reads.book(bookId)),
    apply: (application) => guarded(() => applications.submit(application)),
    check: () => (closed ? guarded(() => Promise.resolve()) : orOutage(() => checkSchema(pool, schema))),
    close: async () => {
      closed = true;
      await Promise.all([accounts, pixbooks, pixbookSlices, collections, codes, applications].map(({ idle }) => idle()));
    },
  };
};
