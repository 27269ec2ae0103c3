import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** One life of a process id. Ids are reused, so an id alone proves nothing: compare `life` as well. */
export interface ProcessEntry {
  /** When the process began, in whatever form the system tells it; two processes of one id never share it. */
  readonly life: string;
  /** Arguments joined by a space, with a space at the end. */
  readonly commandLine: string;
}

/** The running process of that id; undefined when there is none, or only a zombie, which will never do anything again. */
export function lookUpProcess(pid: number): ProcessEntry | undefined {
  return process.platform === 'linux' ? fromProc(pid) : fromPs(pid);
}

function fromProc(pid: number): ProcessEntry | undefined {
  try {
    // proc(5): the name in parentheses may hold spaces and parentheses; state is the next field, start time the 22nd of all.
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const life = fields[19];
    if (life === undefined || fields[0] === 'Z' || fields[0] === 'X') return undefined;
    const commandLine = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
    return { life, commandLine };
  } catch {
    return undefined;
  }
}

function fromPs(pid: number): ProcessEntry | undefined {
  try {
    const line = execFileSync('ps', ['-ww', '-o', 'stat=,lstart=,command=', '-p', String(pid)], {
      encoding: 'utf8',
      env: { ...process.env, LC_ALL: 'C', TZ: 'UTC' },
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
    const parts = /^(\S+)\s+(\S+\s+\S+\s+\d+\s+[\d:]+\s+\d+)\s+(.*)$/s.exec(line);
    const [, state, life, commandLine] = parts ?? [];
    if (state === undefined || life === undefined || commandLine === undefined || state.startsWith('Z')) return undefined;
    return { life: life.replaceAll(/\s+/g, '_'), commandLine: `${commandLine} ` };
  } catch {
    return undefined;
  }
}

/** A word that names this very process, for others to find out later whether it still lives: `<pid>/<life>`. */
export function nameOfThisProcess(): string {
  return `${process.pid}/${lookUpProcess(process.pid)?.life ?? 'unknown'}`;
}

/** The id in a word of {@link nameOfThisProcess} while that very process runs, else undefined. */
export function livingProcess(name: string): number | undefined {
  const slash = name.indexOf('/');
  const pid = Number(name.slice(0, slash));
  if (slash < 1 || !Number.isSafeInteger(pid)) return undefined;
  return lookUpProcess(pid)?.life === name.slice(slash + 1) ? pid : undefined;
}
