import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, mkdir, mkdtemp, open, readFile, readdir, rename, rm, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Outage } from '../../port/outage.ts';
import type { PostgresBinaries } from './embedded-binaries.ts';
import { type PostgresUser, asUser, handOver, postgresEnvironment } from './embedded-user.ts';
import { lookUpProcess } from './process-table.ts';

/** Where things lie under the directory given to the embedded Postgres. */
export interface ClusterPaths {
  readonly directory: string;
  /** Appears whole, by one rename, holding `data` and `password`. */
  readonly server: string;
  readonly data: string;
  readonly password: string;
  readonly log: string;
}

/** The role that owns the databases. Like the role a managed Postgres gives: no superuser, may create roles and databases. */
export const embeddedRole = 'pixpax';

/** @param directory absolute, without symbolic links: the server's command line must name it as we do. */
export function clusterPaths(directory: string): ClusterPaths {
  const server = join(directory, 'server');
  return {
    directory,
    server,
    data: join(server, 'data'),
    password: join(server, 'password'),
    log: join(directory, 'postgres.log'),
  };
}

/** Makes the directory; only its last part is private, so that another user we may have to run as can pass the others. */
export async function makeClusterDirectory(directory: string): Promise<void> {
  await mkdir(dirname(directory), { recursive: true });
  await mkdir(directory, { recursive: true, mode: 0o700 });
}

/** The password of the cluster, which is made when there is none. */
export async function openCluster(
  paths: ClusterPaths,
  binaries: PostgresBinaries,
  user: PostgresUser,
  durable: boolean,
  log: (message: string) => void,
): Promise<string> {
  await removeEmptied(paths);
  const password = await readPassword(paths);
  if (password !== undefined) return password;
  log(`making a new Postgres cluster in ${paths.directory}`);
  return createCluster(paths, binaries, user, durable);
}

/**
 * Somebody deleted the directory while a server was still writing into it, and the deletion stopped half-way: no data are
 * left to lose. rmdir refuses anything else, so a cluster that another start makes at this moment is safe.
 */
async function removeEmptied(paths: ClusterPaths): Promise<void> {
  try {
    await rmdir(paths.data);
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTEMPTY', 'EEXIST')) return;
    throw error;
  }
  await rm(paths.server, { recursive: true, force: true });
}

/** The password of {@link embeddedRole}; undefined when there is no cluster yet. */
export async function readPassword(paths: ClusterPaths): Promise<string | undefined> {
  try {
    return (await readFile(paths.password, 'utf8')).trim();
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/**
 * Everything is built in a directory of its own and appears by one rename:
 * a crash before that leaves a directory that the next start removes, a crash after it leaves a whole cluster.
 * Two at once: one rename wins, the other build is thrown away and the winner's password is returned.
 */
async function createCluster(
  paths: ClusterPaths,
  binaries: PostgresBinaries,
  user: PostgresUser,
  durable: boolean,
): Promise<string> {
  await removeAbandonedBuilds(paths.directory);
  const build = await mkdtemp(join(paths.directory, `init-${process.pid}-`));
  try {
    await handOver(user, build);
    const password = await buildCluster(build, binaries, user, durable);
    await rename(build, paths.server);
    if (durable) await syncDirectory(paths.directory);
    return password;
  } catch (error) {
    await rm(build, { recursive: true, force: true });
    const winner = hasCode(error, 'ENOTEMPTY', 'EEXIST') ? await readPassword(paths) : undefined;
    if (winner !== undefined) return winner;
    if (!hasCode(error, 'ENOTEMPTY', 'EEXIST')) throw error;
    const message = `Embedded Postgres: ${paths.password} is gone, and nothing opens the data without it`;
    throw new Outage('postgres', 'postgres-unavailable', message);
  }
}

async function buildCluster(build: string, binaries: PostgresBinaries, user: PostgresUser, durable: boolean): Promise<string> {
  const data = join(build, 'data');
  // Sorting by code point on every machine: a digest over ordered rows must not depend on the C library's locales.
  const locale = ['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'];
  const safety = durable ? ['--data-checksums'] : ['--no-sync', '--no-data-checksums'];
  await run(user, binaries.initdb, ['-D', data, '-U', 'postgres', '--auth=reject', ...locale, ...safety]);

  // The superuser has no password, so nobody can be it; the role below is the only door, and its password is 192 random
  // bits, which need no stretching: one iteration keeps a connection cheap.
  const password = randomBytes(24).toString('base64url');
  const single = ['--single', '-D', data, '-c', 'exit_on_error=on', '-c', 'scram_iterations=1', 'postgres'];
  const sql = [
    `create role ${embeddedRole} login createdb createrole password '${password}'`,
    `alter role ${embeddedRole} set createrole_self_grant = 'set, inherit'`,
  ];
  await run(user, binaries.postgres, durable ? single : [...single.slice(0, -1), '-c', 'fsync=off', 'postgres'], sql);
  await writeSynced(join(data, 'pg_hba.conf'), 'local all all scram-sha-256\n', durable);
  await writeSynced(join(build, 'password'), `${password}\n`, durable);
  if (durable) await syncDirectory(build);
  return password;
}

/** Builds of processes that died half-way. One whose pid was reused stays until that process is gone too. */
async function removeAbandonedBuilds(directory: string): Promise<void> {
  for (const name of await readdir(directory)) {
    const pid = /^init-(\d+)-/.exec(name)?.[1];
    if (pid === undefined || lookUpProcess(Number(pid)) !== undefined) continue;
    // Its initdb may still be running and write: then removal fails, and the start after this one succeeds.
    await rm(join(directory, name), { recursive: true, force: true, maxRetries: 3 }).catch(() => undefined);
  }
}

function run(user: PostgresUser, program: string, args: readonly string[], lines: readonly string[] = []): Promise<void> {
  const { command, args: all, options } = asUser(user, program, args);
  return new Promise((resolve, reject) => {
    const child = spawn(command, all, { ...options, cwd: '/', env: postgresEnvironment(), stdio: ['pipe', 'ignore', 'pipe'] });
    let complaint = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (complaint = (complaint + text).slice(-4096)));
    child.once('error', (error) => reject(failed(program, error.message)));
    child.once('close', (code) => (code === 0 ? resolve() : reject(failed(program, complaint.trim()))));
    // A program that ends without reading says why on stderr; the broken pipe itself says nothing.
    child.stdin.on('error', () => undefined);
    child.stdin.end(lines.map((line) => `${line}\n`).join(''));
  });
}

function failed(program: string, why: string): Outage {
  // The statements hold the password; Postgres quotes a failing statement in its log.
  const redacted = why.replaceAll(/password '[^']*'/g, "password '…'");
  return new Outage('postgres', 'postgres-unavailable', `Embedded Postgres: ${program} failed: ${redacted}`);
}

async function writeSynced(path: string, text: string, durable: boolean): Promise<void> {
  const file = await open(path, 'w', 0o600);
  try {
    await file.writeFile(text);
    if (durable) await file.sync();
  } finally {
    await file.close();
  }
  await chmod(path, 0o600);
}

async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function hasCode(error: unknown, ...codes: string[]): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && codes.includes(error.code);
}
