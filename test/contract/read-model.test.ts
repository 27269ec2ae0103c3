import { memoryTables } from '../../src/adapter/memory/projection-tables.ts';
import { memoryReadModel } from '../../src/adapter/memory/read-model.ts';
import { dumpPostgres } from '../../src/adapter/postgres/dump.ts';
import { ensureSchemas } from '../../src/adapter/postgres/migrate.ts';
import { openPool } from '../../src/adapter/postgres/pool.ts';
import { openReadModel } from '../../src/adapter/postgres/read-model.ts';
import { freshDatabase } from '../postgres.ts';
import { describeDomainViews } from './domain-views.ts';
import { describeReadModel } from './read-model.ts';
import type { ReadModelUnderTest } from './read-model-under-test.ts';

const onMemory = async (): Promise<ReadModelUnderTest> => {
  const tables = memoryTables();
  const model = memoryReadModel(tables);
  return {
    model,
    rival: () => memoryReadModel(tables),
    dump: async () => model.dump(),
    redo: async () => [...tables.redo.values()].map(({ target, kind, event_id }) => `${target} ${kind} ${event_id}`),
    wipe: async () => model.wipe(),
    close: () => model.close(),
  };
};

const onPostgres = async (): Promise<ReadModelUnderTest> => {
  const database = await freshDatabase();
  const pool = openPool({ url: database.url, role: 'projector' });
  const app = openPool({ url: database.url });
  const pools = [pool, app];
  return {
    model: openReadModel({ pool: app }),
    rival: () => {
      const another = openPool({ url: database.url, connections: 4 });
      pools.push(another);
      return openReadModel({ pool: another });
    },
    dump: () => dumpPostgres(pool),
    redo: async () => {
      const { rows } = await pool.query<{ row: string }>(
        `SELECT target || ' ' || kind || ' ' || event_id AS row FROM ops.redo_outbox ORDER BY event_id, target`,
      );
      return rows.map(({ row }) => row);
    },
    wipe: async () => {
      await pool.query('DROP SCHEMA projection CASCADE');
      await ensureSchemas(pool);
    },
    close: async () => {
      await Promise.all(pools.map((one) => one.end()));
      await database.drop();
    },
  };
};

describeReadModel('in memory', onMemory, { runs: 50 });
describeDomainViews('in memory', onMemory, { runs: 50 });
describeReadModel('in Postgres', onPostgres, { runs: 20 });
describeDomainViews('in Postgres', onPostgres, { runs: 20 });
