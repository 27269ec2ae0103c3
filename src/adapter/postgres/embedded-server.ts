import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, open, rename, rm, stat } from 'node:fs/promises';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { limits } from '../../limits.ts';
import { Outage } from '../../port/outage.ts';
import type { PostgresBinaries } from './embedded-binaries.ts';
import type { ClusterPaths } from './embedded-cluster.ts';
import { ownerSetting, removeSocketDirectory, socketDirectoryPrefix } from './embedded-postmaster.ts';
import { type PostgresUser, asUser, handOver, postgresEnvironment } from './embedded-user.ts';
import { nameOfThisProcess } from './process-table.ts';

/** A running server and the promise of its end. */
export interface ServerProcess {
  readonly pid: number;
  readonly socketDirectory: string;
  /** Settles when the server has ended, whoever ended it, and its traces outside the data directory are gone. */
  readonly ended: Promise<string>;
  /** Does nothing once the server has ended, even when its pid belongs to somebody else by then. */
  signal(name: NodeJS.Signals): void;
  /** From here on the event loop may end while the server runs; the watcher then stops it. */
  letGo(): void;
  /** The end of what this server wrote to its log. */
  logTail(): Promise<string>;
}

export interface ServerOptions {
  readonly durable: boolean;
  readonly maxConnections: number;
  /** The directory goes when the server ends, also when we are killed. */
  readonly temporary: boolean;
}

/** The port is only a part of the socket's name: no TCP port is opened. */
export const socketPort = 5432;

/** A socket's path may have 103 bytes on macOS and 107 on Linux. */
const socketPathBytes = 103;

/** Spawns the server; it is not ready yet. */
export async function spawnServer(
  paths: ClusterPaths,
  binaries: PostgresBinaries,
  user: PostgresUser,
  server: ServerOptions,
): Promise<ServerProcess> {
  const socketDirectory = await makeSocketDirectory(user);
  const { file: log, size: logStart } = await openLog(paths.log);
  const { command, args, options } = asUser(user, binaries.postgres, serverArguments(paths, socketDirectory, server));
  // A session of its own: Ctrl-C in the terminal is for us, who end our work before we end the server.
  const stdio: ['ignore', 'ignore', number] = ['ignore', 'ignore', log.fd];
  const child = spawn(command, args, { ...options, cwd: '/', env: postgresEnvironment(), detached: true, stdio });
  // Before any await: a server that another one's lock stops ends within milliseconds.
  const ended = endOf(child);
  await log.close();
  const { pid } = child;
  if (pid === undefined) {
    await removeSocketDirectory(socketDirectory);
    throw new Outage('postgres', 'postgres-unavailable', `Embedded Postgres: ${await ended}`);
  }
  const watcher = watch(pid, paths, socketDirectory, server.temporary);
  return {
    pid,
    socketDirectory,
    ended: ended.then(async (how) => {
      watcher.stdin?.end('over\n');
      await removeSocketDirectory(socketDirectory);
      if (server.temporary) await rm(paths.directory, { recursive: true, force: true, maxRetries: 3 });
      return how;
    }),
    signal: (name) => void child.kill(name),
    letGo: () => {
      child.unref();
      watcher.unref();
      if (watcher.stdin instanceof Socket) watcher.stdin.unref();
    },
    logTail: () => readTail(paths.log, logStart),
  };
}

function serverArguments(paths: ClusterPaths, socketDirectory: string, server: ServerOptions): string[] {
  const settings = {
    [ownerSetting]: nameOfThisProcess(),
    listen_addresses: '',
    port: socketPort,
    // Quoted, because the value is a list.
    unix_socket_directories: `"${socketDirectory}"`,
    unix_socket_permissions: '0700',
    max_connections: server.maxConnections,
    // No replicas and no archive: the receipts in the object store are the backup.
    wal_level: 'minimal',
    max_wal_senders: 0,
    max_logical_replication_workers: 0,
    timezone: 'UTC',
    log_timezone: 'UTC',
    datestyle: 'ISO, YMD',
    // Start, stop and crashes of the server; a failing statement is told to the client, who logs it with its context.
    log_min_messages: 'log',
    log_checkpoints: 'off',
    ...(server.durable ? {} : { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', autovacuum_naptime: '10min' }),
  };
  return ['-D', paths.data, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])];
}

/** A socket's path is short and the data directory's may be long, so it lies elsewhere, in a directory only we can enter. */
async function makeSocketDirectory(user: PostgresUser): Promise<string> {
  const fits = (base: string): boolean =>
    Buffer.byteLength(join(base, `${socketDirectoryPrefix}XXXXXX`, `.s.PGSQL.${socketPort}`)) <= socketPathBytes &&
    !base.includes('"');
  const base = [tmpdir(), '/tmp'].find(fits);
  if (base === undefined) {
    throw new Outage('postgres', 'postgres-unavailable', `Embedded Postgres: ${tmpdir()} is too long for a socket: set TMPDIR`);
  }
  const directory = await mkdtemp(join(base, socketDirectoryPrefix));
  await handOver(user, directory);
  return directory;
}

/**
 * The log is a file and no pipe: a pipe would fill and block the server while we are stopped (SIGSTOP, a debugger), and
 * would be gone when somebody wants to know why we died.
 */
async function openLog(path: string): Promise<{ file: Awaited<ReturnType<typeof open>>; size: number }> {
  const size = await stat(path).then(
    (entry) => entry.size,
    () => 0,
  );
  if (size <= limits.embeddedLogBytes) return { file: await open(path, 'a', 0o600), size };
  await rename(path, `${path}.1`);
  return { file: await open(path, 'a', 0o600), size: 0 };
}

async function readTail(path: string, from: number): Promise<string> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const start = Math.max(from, size - limits.embeddedLogTailBytes);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(Math.max(0, size - start)), 0, null, start);
    return buffer.toString('utf8', 0, bytesRead).trim();
  } finally {
    await file.close();
  }
}

async function endOf(child: ChildProcess): Promise<string> {
  try {
    const event: unknown[] = await once(child, 'exit');
    const [code, signal] = event;
    return typeof signal === 'string' ? `ended by ${signal}` : `ended with code ${String(code)}`;
  } catch (error) {
    return `did not start: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/**
 * Stops the server when we die without doing it, `kill -9` included. A shell waits on a pipe that only we hold: the
 * kernel closes it whatever ended us. (PDEATHSIG is Linux only, and follows the spawning thread instead of the process.)
 * It signals only while `postmaster.pid` still names that pid. If the watcher is killed too, the next start stops the
 * orphan. Arguments: pid, lock file, socket directory, and the directory when it is temporary.
 */
const watcherScript = `
read -r line && exit 0
runs() { [ "$(head -n 1 "$2" 2>/dev/null)" = "$1" ] && kill -0 "$1" 2>/dev/null; }
runs "$1" "$2" && kill -INT "$1"
n=0
while runs "$1" "$2"; do
  sleep 0.1
  n=$((n + 1))
  [ $n -eq ${limits.embeddedStopMs / 100} ] && kill -QUIT "$1"
  [ $n -gt ${(limits.embeddedStopMs + limits.embeddedAbortMs) / 100} ] && exit 1
done
rm -rf -- "$3"
[ -n "$4" ] && rm -rf -- "$4"
exit 0
`;

function watch(pid: number, paths: ClusterPaths, socketDirectory: string, temporary: boolean): ChildProcess {
  const args = [String(pid), join(paths.data, 'postmaster.pid'), socketDirectory, temporary ? paths.directory : ''];
  const watcher = spawn('sh', ['-c', watcherScript, 'pixpax-postgres-watcher', ...args], {
    cwd: '/',
    env: postgresEnvironment(),
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  // Without a shell there is no watcher; the next start stops an orphan all the same.
  watcher.on('error', () => undefined);
  watcher.stdin?.on('error', () => undefined);
  return watcher;
}
