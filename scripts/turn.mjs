/**
 * One process at a time, across processes, without a lock that a crash leaves behind: `kill -9` frees it.
 * Plain JavaScript for Node 20.
 */
import { linkSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const pollMs = 200;

/**
 * Waits for its turn. Turns are files numbered upwards, and the highest one counts: it names the processes that hold the
 * turn, and holds nothing when all of them are gone. A number is taken by link(), which only one can win, and the highest
 * file is never deleted, so that a number is never taken twice.
 * @param directory of the files. @param onWait called once when somebody else is before us.
 * @returns `holdFor(pid)`, which lets another process, our child, hold the turn with us, and `end()`.
 */
export const takeTurn = async (directory, onWait) => {
  mkdirSync(directory, { recursive: true });
  const draft = join(directory, `draft-${process.pid}`);
  for (let told = false; ; await sleep(pollMs)) {
    const last = highest(directory);
    if (last > 0 && isHeld(fileOf(directory, last))) {
      if (!told) onWait();
      told = true;
      continue;
    }
    const mine = fileOf(directory, last + 1);
    const write = (text) => {
      writeFileSync(draft, text);
      renameSync(draft, mine);
    };
    writeFileSync(draft, nameOf(process.pid));
    if (!tryLink(draft, mine)) continue;
    // Somebody may have gone past us between our look and our link.
    if (highest(directory) !== last + 1) {
      rmSync(mine, { force: true });
      continue;
    }
    for (const number of numbers(directory)) if (number <= last) rmSync(fileOf(directory, number), { force: true });
    return { holdFor: (pid) => write(`${nameOf(process.pid)}\n${nameOf(pid)}`), end: () => write('') };
  }
};

const fileOf = (directory, number) => join(directory, `turn-${number}`);

const numbers = (directory) => readdirSync(directory).map((name) => Number(/^turn-(\d+)$/.exec(name)?.[1] ?? 0));

const highest = (directory) => Math.max(0, ...numbers(directory));

const tryLink = (from, to) => {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(from, { force: true });
  }
};

const isHeld = (file) => {
  try {
    return readFileSync(file, 'utf8')
      .split('\n')
      .some((name) => name !== '' && nameOf(Number(name.split('/')[0])) === name);
  } catch (error) {
    // Deleted by somebody who has a higher one: look again.
    if (error.code === 'ENOENT') return true;
    throw error;
  }
};

/** `pid/start`: a pid alone may belong to another process by now. Without /proc the pid has to do. */
const nameOf = (pid) => {
  try {
    // proc(5): the state is the third field, the start time the 22nd; the second, in parentheses, may hold spaces.
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? `${pid}/gone` : `${pid}/${fields[19]}`;
  } catch {
    return process.platform !== 'linux' && exists(pid) ? `${pid}/` : `${pid}/gone`;
  }
};

const exists = (pid) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
};
