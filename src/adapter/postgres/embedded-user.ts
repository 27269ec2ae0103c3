import { execFile } from 'node:child_process';
import { chown, stat } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { Outage } from '../../port/outage.ts';
import { type PostgresBinaries, insteadOfEmbedded } from './embedded-binaries.ts';

/** The user "nobody" on Linux and the BSDs; in a namespace any number that has a name would do. */
const nobody = 65_534;

/**
 * As whom the PostgreSQL programs run: they refuse uid 0, and initdb refuses a uid without a name.
 * - `self`: as we are.
 * - `namespace`: as we are for the file system, but under another number in a user namespace of their own. The data
 *   stays root's, mode 0700, and no other user's files come within reach.
 * - `other`: as another user (root only), where a namespace is not allowed, as in most containers, or where that user
 *   owns the data already.
 */
export type PostgresUser =
  | { readonly kind: 'self' }
  | { readonly kind: 'namespace' }
  | { readonly kind: 'other'; readonly uid: number; readonly gid: number };

/** What to hand to `spawn` so that `program` runs as `user`. exec replaces unshare: the child's pid is the program's. */
export function asUser(user: PostgresUser, program: string, args: readonly string[]): Spawn {
  if (user.kind === 'namespace') {
    const map = ['--user', `--map-user=${nobody}`, `--map-group=${nobody}`, '--'];
    return { command: 'unshare', args: [...map, program, ...args], options: {} };
  }
  const options = user.kind === 'other' ? { uid: user.uid, gid: user.gid } : {};
  return { command: program, args: [...args], options };
}

interface Spawn {
  readonly command: string;
  readonly args: string[];
  readonly options: { readonly uid?: number; readonly gid?: number };
}

/** Gives `path` to the user when that is not us. */
export async function handOver(user: PostgresUser, path: string): Promise<void> {
  if (user.kind === 'other') await chown(path, user.uid, user.gid);
}

/**
 * Chooses by trying: each candidate enters the directory and runs `postgres --version`. Data that exist decide: whoever
 * owns them runs the server, so a directory made by an ordinary user also works when root starts it.
 * @param directory exists. @param data the cluster's data directory, which may not.
 * @throws Outage `postgres-unavailable`, saying what to do.
 */
export async function choosePostgresUser(binaries: PostgresBinaries, directory: string, data: string): Promise<PostgresUser> {
  const uid = process.getuid?.() ?? -1;
  const owner = await ownerOf(data);
  if (owner !== undefined && uid !== 0 && owner.uid !== uid) {
    throw refused(`${data} belongs to user ${owner.uid}, we are user ${uid}: start as that user, or use another DATA_DIR`);
  }
  if (uid !== 0 && (hasName() || owner !== undefined)) return { kind: 'self' };
  const faults: string[] = [];
  for (const user of await candidates(uid, owner, directory)) {
    const fault = await tryRunning(user, binaries, user.kind === 'other' ? dirname(directory) : directory);
    if (fault === undefined) {
      if (owner === undefined) await handOver(user, directory);
      return user;
    }
    faults.push(`${nameOf(user)}: ${fault}`);
  }
  const who = uid === 0 ? 'root' : `user ${uid}, who has no entry in the password file`;
  throw refused(
    `PostgreSQL does not run as ${who}, and no other way works here (${faults.join('; ')}). ` +
      'Start as an ordinary user, or put the checkout where every user may read it',
  );
}

async function candidates(uid: number, owner: Owner | undefined, directory: string): Promise<PostgresUser[]> {
  const namespace: PostgresUser = { kind: 'namespace' };
  if (uid !== 0) return [namespace];
  if (owner !== undefined) return owner.uid === 0 ? [namespace] : [{ kind: 'other', ...owner }];
  // Root in somebody's private home: the namespace may not enter it, its owner may.
  const keeper = await keeperOf(directory);
  return [namespace, ...(keeper === undefined ? [] : [keeper]), { kind: 'other', uid: nobody, gid: nobody }];
}

async function keeperOf(directory: string): Promise<PostgresUser | undefined> {
  for (let path = directory; ; path = dirname(path)) {
    const owner = await ownerOf(path);
    if (owner !== undefined && owner.uid !== 0) return { kind: 'other', ...owner };
    if (path === dirname(path)) return undefined;
  }
}

async function tryRunning(user: PostgresUser, binaries: PostgresBinaries, directory: string): Promise<string | undefined> {
  const script = 'cd "$1" && exec "$2" --version';
  const { command, args, options } = asUser(user, 'sh', ['-c', script, 'sh', directory, binaries.postgres]);
  try {
    await promisify(execFile)(command, args, { ...options, cwd: '/', env: postgresEnvironment() });
    return undefined;
  } catch (error) {
    return (error instanceof Error ? error.message : String(error)).split('\n').slice(1, 3).join(' ').trim() || String(error);
  }
}

/** A bare environment: PGDATA, PGOPTIONS, LANG and the like of whoever started us must not reach the server. */
export function postgresEnvironment(): Record<string, string> {
  const libraries = process.env.LD_LIBRARY_PATH;
  return {
    PATH: process.env.PATH ?? '/usr/bin:/bin',
    LC_ALL: 'C',
    TZ: 'UTC',
    ...(libraries === undefined ? {} : { LD_LIBRARY_PATH: libraries }),
  };
}

interface Owner {
  readonly uid: number;
  readonly gid: number;
}

async function ownerOf(path: string): Promise<Owner | undefined> {
  try {
    const { uid, gid } = await stat(path);
    return { uid, gid };
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw refused(`${join(path)} cannot be read`, error);
  }
}

function hasName(): boolean {
  try {
    return userInfo().username !== '';
  } catch {
    return false;
  }
}

function nameOf(user: PostgresUser): string {
  return user.kind === 'other' ? `as user ${user.uid}` : 'in a user namespace';
}

function refused(message: string, cause?: unknown): Outage {
  return new Outage('postgres', 'postgres-unavailable', `Embedded Postgres: ${message}. ${insteadOfEmbedded}`, cause);
}
