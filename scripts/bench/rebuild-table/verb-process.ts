import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { peakMemoryOf } from './peak-memory.ts';

const SAMPLE_MS = 100;
const program = fileURLToPath(new URL('../../../projector/main.ts', import.meta.url));

/** Which ledger, and which database. */
export type VerbEnvironment = Readonly<Record<string, string>>;

export type VerbRun = {
  readonly exitCode: number | null;
  readonly seconds: number;
  /** Of the process and its descendants; Postgres is not among them. */
  readonly peakBytes: number;
  readonly stdout: string;
  readonly stderr: string;
};

/** Runs a verb of the command line in a process of its own, and watches its memory. */
export const runVerb = async (args: readonly string[], env: VerbEnvironment = {}): Promise<VerbRun> => {
  const start = performance.now();
  const child = spawn(process.execPath, [program, ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let peakBytes = 0;
  const look = (): void => {
    peakBytes = Math.max(peakBytes, child.pid === undefined ? 0 : peakMemoryOf(child.pid));
  };
  const watch = setInterval(look, SAMPLE_MS);
  const said = Promise.all([text(child.stdout), text(child.stderr)]);
  const [exitCode] = (await once(child, 'exit')) as [number | null];
  const seconds = (performance.now() - start) / 1_000;
  clearInterval(watch);
  const [stdout, stderr] = await said;
  return { exitCode, seconds, peakBytes, stdout, stderr };
};

/** What the command line of this checkout can do with segments. */
export type Abilities = { readonly bundles: boolean; readonly verifyIgnores: boolean; readonly rebuildIgnores: boolean };

export const abilitiesOf = async (): Promise<Abilities> => {
  const usage = async (...words: readonly string[]): Promise<string> => (await runVerb([...words, '--help'])).stdout;
  // A negated flag is shown as `--no-segments` or as the flag that it negates.
  const ignores = (said: string): boolean => /--(no-)?segments\b/.test(said);
  const [all, verify, rebuild] = [await usage(), await usage('verify'), await usage('rebuild')];
  return { bundles: /^\s+segments\s/m.test(all), verifyIgnores: ignores(verify), rebuildIgnores: ignores(rebuild) };
};

/** What a verb takes before it reads anything, in seconds: the least of three. */
export const startUpSeconds = async (): Promise<number> => {
  const runs: number[] = [];
  for (let i = 0; i < 3; i++) runs.push((await runVerb(['verify', '--help'])).seconds);
  return Math.min(...runs);
};
