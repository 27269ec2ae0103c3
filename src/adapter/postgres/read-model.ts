import type pg from 'pg';
import { limits } from '../../limits.ts';
import type { Application, ApplyOutcome, ReadModel } from '../../port/read-model.ts';
import { prefixOf } from '../../receipt/key-path.ts';
import { accountViews } from './account-view.ts';
import { applyTogether } from './apply.ts';
import { type Batching, batching } from './batching.ts';
import { guardOn } from './guard.ts';
import { checkSchema } from './migrate.ts';
import { pixbookViews } from './pixbook-view.ts';
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
  const laneOf = ({ stream }: Application): string => prefixOf(stream);
  const applications: Batching<Application, ApplyOutcome> = batching({
    ...{ most, inFlight, concernsAll, laneOf },
    run: applyTogether(pool, schema),
  });
  const reads = pointReads(pool, schema);

  return {
    accountView: (request) => guarded(() => accounts.submit(request)),
    pixbookView: (request) => guarded(() => pixbooks.submit(request)),
    head: (stream) => guarded(() => reads.head(stream)),
    keyRecord: (identityId, publicKeyId) => guarded(() => reads.keyRecord(identityId, publicKeyId)),
    latestGeneration: (identityId, collectionId) => guarded(() => reads.latestGeneration(identityId, collectionId)),
    streamWithKey: (streams, key) => guarded(() => reads.streamWithKey(streams, key)),
    apply: (application) => guarded(() => applications.submit(application)),
    check: () => (closed ? guarded(() => Promise.resolve()) : orOutage(() => checkSchema(pool, schema))),
    close: async () => {
      closed = true;
      await Promise.all([accounts.idle(), pixbooks.idle(), applications.idle()]);
    },
  };
};
