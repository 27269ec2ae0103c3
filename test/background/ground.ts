import { randomBytes } from 'node:crypto';
import { Writable } from 'node:stream';
import pMap from 'p-map';
import pg from 'pg';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { type MemoryObjects, memoryStore } from '../../src/adapter/memory/receipt-store.ts';
import { memorySealer } from '../../src/adapter/memory/sealer.ts';
import { memorySigner } from '../../src/adapter/memory/signer.ts';
import { openBatches } from '../../src/adapter/postgres/batches.ts';
import { openLedgerQueries } from '../../src/adapter/postgres/ledger-queries.ts';
import { openMeter } from '../../src/adapter/postgres/meter.ts';
import { openPool } from '../../src/adapter/postgres/pool.ts';
import { openQuarantine } from '../../src/adapter/postgres/quarantine.ts';
import { openReadModel } from '../../src/adapter/postgres/read-model.ts';
import { openRedoOutbox } from '../../src/adapter/postgres/redo-outbox.ts';
import { openRuns } from '../../src/adapter/postgres/runs.ts';
import { batchCommands } from '../../src/command/batches.ts';
import { ensureOperator } from '../../src/command/ensure-operator.ts';
import { initialise } from '../../src/command/initialise.ts';
import { openLedger } from '../../src/command/ledger.ts';
import type { CommandContext, LedgerCommands, LedgerUpkeep } from '../../src/command/ledger-commands.ts';
import type { CommandPorts } from '../../src/command/ports.ts';
import { batchRunner } from '../../src/command/run-batch.ts';
import { runCommands, runDoer } from '../../src/command/runs.ts';
import { type Clock, systemClock } from '../../src/port/clock.ts';
import type { Notify } from '../../src/port/notice.ts';
import type { Projector } from '../../src/port/runs.ts';
import {
  type AccountId,
  type BookId,
  type CollectionId,
  type DropId,
  type IdempotencyKey,
  type IdentityId,
  OPERATOR_ACCOUNT_ID,
  type PublicKeyId,
  type UserId,
  accountIdFor,
  bookIdFor,
  collectionIdFor,
  dropIdFor,
  identityIdFor,
} from '../../src/receipt/ids.ts';
import { type Background, startBackground } from '../../src/service/background.ts';
import { jobMetrics } from '../../src/service/job-metrics.ts';
import { quarantining } from '../../src/service/quarantine-notices.ts';
import { codeKeyOf } from '../../src/stream/code/secret.ts';
import { catalogueOf, done, putArt } from '../domain/publication.ts';
import { granted } from '../ledger-fixture.ts';

export const issuer = 'usr_issuer' as UserId;
export const asks = (key: string, userId: UserId = issuer): CommandContext => ({
  userId,
  idempotencyKey: key as IdempotencyKey,
  ifMatch: null,
});

/** What outlives every process: a bucket, keys, and the secret of codes. */
export type Ground = {
  readonly objects: MemoryObjects;
  readonly signer: CommandPorts['signer'];
  readonly trust: PublicKeyId;
  readonly codeSecret: Uint8Array;
};

/** An empty ledger. */
export const newGround = async (): Promise<Ground> => {
  const objects: MemoryObjects = new Map();
  const signer = memorySigner();
  const { fingerprint: trust } = granted(await initialise({ store: memoryStore(objects), signer, clock: systemClock }, null));
  return { objects, signer, trust, codeSecret: randomBytes(32) };
};

/** One process of the service over a Postgres: everything but HTTP. Its pool fails while the wire at `url` is cut, and heals with it. */
export const processOn = (
  { objects, signer, trust, codeSecret }: Ground,
  url: string,
  clock: Clock = systemClock,
  driftEveryHours = 0,
) => {
  const pool = openPool({ url });
  // For a test to look into every schema and to interfere: the login as it is.
  const login = new pg.Pool({ connectionString: url, max: 2 });
  login.on('error', () => undefined);
  const lines: Record<string, unknown>[] = [];
  const readModel = openReadModel({ pool });
  const log = pino({ level: 'debug' }, linesTo(lines));
  const toLines: Notify = ({ code, detail }) => void lines.push({ notice: code, detail });
  const notify = quarantining(toLines, { note: openQuarantine(pool), clock, log });
  const ports: CommandPorts = { store: memoryStore(objects), signer, sealer: memorySealer(), readModel, clock, trust, notify };
  const { commands, upkeep } = openLedger(ports);
  const queries = openLedgerQueries({ pool });
  const codeKey = codeKeyOf(codeSecret);
  const [batches, outbox] = [openBatches(pool), openRedoOutbox(pool)];
  const [runs, meter] = [openRuns(pool), openMeter(pool, clock)];
  const metrics = new Registry();
  const watching = jobMetrics(metrics, log);
  const parts = { batches, queries, codeKey, clock };
  const started: Background[] = [];
  const stopWork = async (): Promise<void> => {
    await Promise.all(started.splice(0).map((background) => background.stop()));
  };
  return {
    ...{ ports, pool, login, commands, queries, outbox, meter, metrics, lines, codeKey },
    runs: runCommands({ runs, clock }),
    batches: batchCommands(parts),
    /** Begins its background work, with other commands, another upkeep or another projector if given. */
    work: async (
      other: { commands?: LedgerCommands; upkeep?: LedgerUpkeep; projector?: Projector } = {},
    ): Promise<Background> => {
      const background = await startBackground({
        ...{ databaseUrl: url, pool, outbox, queries, runs, meter, clock, log, metrics: watching, driftEveryHours },
        doRun: runDoer({ runs, projector: other.projector ?? idle, clock, notify: ports.notify }),
        upkeep: other.upkeep ?? upkeep(queries),
        runBatch: batchRunner({ ...parts, commands: other.commands ?? commands }),
      });
      started.push(background);
      return background;
    },
    upkeep: upkeep(queries),
    stopWork,
    close: async () => {
      await stopWork();
      await Promise.all([pool.end(), login.end()]);
    },
  };
};
export type Process = ReturnType<typeof processOn>;

/** A projector that has nothing to do. */
const idle: Projector = () => Promise.resolve({ exitCode: 0, reason: null, report: {}, reportWhole: true });

const linesTo = (lines: Record<string, unknown>[]): Writable =>
  new Writable({
    write: (line: Buffer, _encoding, written) => {
      lines.push(JSON.parse(line.toString()) as Record<string, unknown>);
      written();
    },
  });

export type Publication = { readonly identityId: IdentityId; readonly collectionId: CollectionId; readonly dropId: DropId };

/** The issuer as an operator with an identity, a collection and an open drop of two cards a pack. */
export const publish = async ({ objects }: Ground, { ports, commands }: Process): Promise<Publication> => {
  granted(await ensureOperator(ports, issuer));
  await done(commands.createIdentity(asks('identity'), OPERATOR_ACCOUNT_ID, issuer));
  const identityId = identityIdFor(OPERATOR_ACCOUNT_ID, 'identity' as IdempotencyKey);
  const catalogue = catalogueOf(1, 'bird-crane', 'bird-dove', 'fish-pike', 'fish-carp');
  putArt({ objects }, catalogue);
  await done(commands.publishCollection(asks('collection'), { identityId, collectionId: null, catalogue }));
  const collectionId = collectionIdFor(identityId, 'collection' as IdempotencyKey);
  await done(commands.openDrop(asks('drop'), { identityId, collectionId, title: 'Week 1', packSize: 2 }));
  return { identityId, collectionId, dropId: dropIdFor(collectionId, 'drop' as IdempotencyKey) };
};

export type Collector = {
  readonly userId: UserId;
  readonly accountId: AccountId;
  readonly identityId: IdentityId;
  readonly bookId: BookId;
};

/** That many open books, ten to a family. */
export const openBooks = async (
  { commands }: Process,
  collectionId: CollectionId,
  count: number,
): Promise<readonly Collector[]> => {
  const families = Array.from({ length: Math.ceil(count / 10) }, (_, n) => n);
  const books = await pMap(families, async (family) => {
    const userId = `usr_family-${family}` as UserId;
    const accountId = accountIdFor(userId, 'account' as IdempotencyKey);
    await done(commands.createAccount(asks('account', userId)));
    return pMap(Array.from({ length: Math.min(10, count - family * 10) }).keys(), async (child) => {
      await done(commands.createIdentity(asks(`child-${child}`, userId), accountId, userId));
      const identityId = identityIdFor(accountId, `child-${child}` as IdempotencyKey);
      await done(commands.createPixbook(asks(`book-${child}`, userId), { accountId, identityId, collectionId }));
      return { userId, accountId, identityId, bookId: bookIdFor(identityId, collectionId, 1) };
    });
  });
  return books.flat();
};

/** Every row of every table of a database but the library's of Postgres itself, as text. */
export const everyRow = async (pool: pg.Pool): Promise<string> => {
  const { rows } = await pool.query<{ name: string }>(
    `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables
     WHERE schemaname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1`,
  );
  const dumps = await pMap(
    rows,
    async ({ name }) => (await pool.query<{ row: string }>(`SELECT t::text AS row FROM ${name} AS t`)).rows.map(({ row }) => row),
    { concurrency: 4 },
  );
  return dumps.flat().join('\n');
};
