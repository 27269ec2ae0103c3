import { readFileSync, readdirSync } from 'node:fs';

/** The most memory (resident, in bytes) that a process and its descendants have held, as Linux tells it; 0 where it cannot be told. */
export const peakMemoryOf = (pid: number): number => [pid, ...childrenOf(pid)].reduce((sum, one) => sum + highWaterOf(one), 0);

const highWaterOf = (pid: number): number => {
  const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(textOf(`/proc/${pid}/status`))?.[1];
  return Number(kilobytes ?? 0) * 1024;
};

const childrenOf = (pid: number): readonly number[] => {
  const children = tasksOf(pid).flatMap((task) =>
    textOf(`/proc/${pid}/task/${task}/children`)
      .split(' ')
      .filter((word) => word !== ''),
  );
  return children.map(Number).flatMap((child) => [child, ...childrenOf(child)]);
};

const tasksOf = (pid: number): readonly string[] => {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
};

/** Empty when the process is gone. */
const textOf = (path: string): string => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
};
