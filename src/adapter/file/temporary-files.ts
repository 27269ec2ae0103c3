import { createHash, randomBytes } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { limits } from '../../limits.ts';
import { calls } from './file-calls.ts';

/** Where objects are written before they get their name. Not part of any listing. */
export const TEMPORARY_DIRECTORY = '.tmp';

/** `{machine}-{process id}-{life}-{number}`: who writes it, so that others can tell an orphan from work in progress. */
const NAME = /^([0-9a-f]{8})-([1-9][0-9]{0,9})-([0-9a-f]{8})-[0-9]+$/;

/** Process ids mean something only within one boot and one pid namespace of one machine. */
const readMachine = (): string => {
  const facts = [hostname()];
  try {
    facts.push(readFileSync('/proc/sys/kernel/random/boot_id', 'utf8'), readlinkSync('/proc/self/ns/pid'));
  } catch {
    // Not Linux: the host name alone has to do.
  }
  return createHash('sha256').update(facts.join('\0')).digest('hex').slice(0, 8);
};

const machine = readMachine();
const life = randomBytes(4).toString('hex');
let written = 0;

/** A path for a temporary file that no other process and no other call uses. */
export const temporaryPath = (root: string): string => {
  written += 1;
  return join(root, TEMPORARY_DIRECTORY, `${machine}-${process.pid}-${life}-${written}`);
};

/**
 * Removes temporary files that nobody will finish: those of processes of this machine that are gone, and any that are too old
 * to be anybody's. Other processes may be at work in the same directory. Best effort: what cannot be removed does no harm.
 */
export const sweepTemporaryFiles = async (root: string, nowMs: number): Promise<void> => {
  const directory = join(root, TEMPORARY_DIRECTORY);
  const names = await calls.readdir(directory).catch(() => []);
  for (const name of names) {
    const path = join(directory, name);
    if (!isOrphan(name) && !(await isOld(path, nowMs))) continue;
    await removeOrphan(path).catch(() => undefined);
  }
};

const isOrphan = (name: string): boolean => {
  const [, itsMachine, itsProcess, itsLife] = NAME.exec(name) ?? [];
  if (itsMachine !== machine) return false;
  return Number(itsProcess) === process.pid ? itsLife !== life : !isAlive(Number(itsProcess));
};

const isAlive = (processId: number): boolean => {
  try {
    process.kill(processId, 0);
    return true;
  } catch (error) {
    return !(error instanceof Error && 'code' in error && error.code === 'ESRCH');
  }
};

const isOld = async (path: string, nowMs: number): Promise<boolean> => {
  const facts = await calls.lstat(path).catch(() => null);
  return facts?.isFile() === true && nowMs - facts.mtimeMs > limits.staleTempFileMs;
};

/**
 * An orphan with a second link was given its name, but its writer died before it knew that the name was on disk; the second
 * link is how readers know that (see `read`). Writing the file out again, names included, before the link goes keeps that
 * promise.
 */
const removeOrphan = async (path: string): Promise<void> => {
  const descriptor = await calls.open(path, 'r');
  try {
    if ((await calls.fstat(descriptor)).nlink > 1) await calls.fsync(descriptor);
  } finally {
    await calls.close(descriptor);
  }
  await calls.unlink(path);
};
