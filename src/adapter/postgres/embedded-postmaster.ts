import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { limits } from '../../limits.ts';
import { Outage } from '../../port/outage.ts';
import type { ClusterPaths } from './embedded-cluster.ts';
import { livingProcess, lookUpProcess } from './process-table.ts';

/** The custom setting by which a server's command line names the process that started it. */
export const ownerSetting = 'pixpax.owner';

/**
 * What is going on in a data directory.
 * - `free`: no server runs; a `postmaster.pid` of a dead one may lie there, with its socket directory.
 * - `owned`: a server runs and so does the process that started it.
 * - `orphaned`: a server runs, its starter was killed.
 */
export type Occupancy =
  | { readonly state: 'free'; readonly socketDirectory: string | undefined }
  | { readonly state: 'owned'; readonly pid: number; readonly ownerPid: number; readonly socketDirectory: string | undefined }
  | { readonly state: 'orphaned'; readonly pid: number; readonly socketDirectory: string | undefined };

/**
 * Reads `postmaster.pid` (line 1 pid, line 5 socket directory; PostgreSQL's miscadmin.h) and looks at the processes.
 * The owner is taken from the command line of the running server itself, so it can never be that of an earlier one.
 */
export async function lookAt(paths: ClusterPaths): Promise<Occupancy> {
  const lines = await readLockFile(paths.data);
  const socketDirectory = lines[4] === undefined || lines[4] === '' ? undefined : lines[4];
  const pid = Number(lines[0]);
  const server = Number.isSafeInteger(pid) && pid > 1 ? lookUpProcess(pid) : undefined;
  if (server === undefined || !server.commandLine.includes(` -D ${paths.data} `)) return { state: 'free', socketDirectory };
  const owner = new RegExp(` ${ownerSetting.replace('.', '\\.')}=(\\S+) `).exec(server.commandLine)?.[1];
  // Without an owner it was started by hand: not ours to stop.
  const ownerPid = owner === undefined ? pid : livingProcess(owner);
  return ownerPid === undefined
    ? { state: 'orphaned', pid, socketDirectory }
    : { state: 'owned', pid, ownerPid, socketDirectory };
}

/** Whether the server of that pid says in its lock file that it accepts connections (line 8). */
export async function saysReady(paths: ClusterPaths, pid: number): Promise<boolean> {
  const lines = await readLockFile(paths.data);
  return lines[0] === String(pid) && lines[7]?.trim() === 'ready';
}

/**
 * Leaves a directory in which a server can start: waits a little for one that is being stopped, stops an orphan, takes away
 * what dead ones left.
 * @throws Outage when a live process goes on using the directory, or an orphan does not stop.
 */
export async function clearTheWay(paths: ClusterPaths, patienceMs: number, log: (message: string) => void): Promise<void> {
  let occupancy = await lookAt(paths);
  for (
    const until = Date.now() + patienceMs;
    occupancy.state === 'owned' && Date.now() < until;
    occupancy = await lookAt(paths)
  ) {
    await sleep(limits.embeddedPollMs);
  }
  if (occupancy.state === 'orphaned') {
    log(`stopping the Postgres (process ${occupancy.pid}) that an earlier run left behind in ${paths.directory}`);
    await stopOrphan(paths, occupancy.pid);
    await removeSocketDirectory(occupancy.socketDirectory);
    occupancy = await lookAt(paths);
  }
  if (occupancy.state === 'orphaned') throw inUse(paths, occupancy.pid);
  if (occupancy.state === 'owned') throw inUse(paths, occupancy.ownerPid);
  await removeSocketDirectory(occupancy.socketDirectory);
  await disownReusedPid(paths);
}

/** @param pid of the process that uses the directory. */
export function inUse(paths: ClusterPaths, pid: number): Outage {
  const message = `Embedded Postgres in ${paths.directory} is in use by process ${pid}. Stop that one, or use another DATA_DIR.`;
  return new Outage('postgres', 'postgres-unavailable', message);
}

async function stopOrphan(paths: ClusterPaths, pid: number): Promise<void> {
  const steps = [
    ['SIGINT', limits.embeddedStopMs],
    ['SIGQUIT', limits.embeddedAbortMs],
  ] as const;
  for (const [signal, patienceMs] of steps) {
    const until = Date.now() + patienceMs;
    for (let told = false; Date.now() < until; await sleep(limits.embeddedPollMs)) {
      const now = await lookAt(paths);
      if (now.state !== 'orphaned' || now.pid !== pid) return;
      if (!told) process.kill(pid, signal);
      told = true;
    }
  }
}

/**
 * After a crash the pid in `postmaster.pid` may belong to some other process by now (in containers it often does), and
 * Postgres would refuse to start. Deleting the file would also delete Postgres's protection against backends that still
 * write (the shared memory id in line 7), so only the pid is replaced, by one that no process can have.
 */
async function disownReusedPid(paths: ClusterPaths): Promise<void> {
  const [pid, ...rest] = await readLockFile(paths.data);
  if (pid === undefined || !exists(Number(pid))) return;
  if ((await lookAt(paths)).state !== 'free') return;
  await writeFile(join(paths.data, 'postmaster.pid'), ['2147483646', ...rest].join('\n'));
}

/** Removes a socket directory, but only one that looks like ours: the path was read from a file. */
export async function removeSocketDirectory(path: string | undefined): Promise<void> {
  if (path === undefined || !socketDirectoryPattern.test(path)) return;
  await rm(path, { recursive: true, force: true }).catch(() => undefined);
}

export const socketDirectoryPrefix = 'pixpax-postgres-';
const socketDirectoryPattern = new RegExp(`^/.*/${socketDirectoryPrefix}[A-Za-z0-9]{6}$`);

function exists(pid: number): boolean {
  if (!Number.isSafeInteger(pid) || pid < 2) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

async function readLockFile(data: string): Promise<string[]> {
  try {
    return (await readFile(join(data, 'postmaster.pid'), 'utf8')).split('\n');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}
