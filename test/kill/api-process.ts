import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from '../free-port.ts';

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

/** A service of its own that can be killed and started again: its own data directory and Postgres, on a store and keys that others share. */
export type ApiProcess = {
  readonly url: string;
  readonly dataDir: string;
  /** Starts it unless it runs; resolves when it takes commands. */
  start(): Promise<void>;
  /** `kill -9`; resolves when the process is gone. */
  kill(): Promise<void>;
  /** Stops it in its tracks for a while, as a paused machine would be. */
  pause(ms: number): Promise<void>;
  /** Asks it to stop, as a supervisor does. */
  stop(): Promise<void>;
};

export const apiProcess = async (folder: string, env: Record<string, string>): Promise<ApiProcess> => {
  const dataDir = await mkdtemp(join(folder, 'api-'));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  let child: ChildProcess | null = null;

  const isReady = async (): Promise<boolean> => {
    try {
      return (await fetch(`${url}/health/ready`, { signal: AbortSignal.timeout(2_000) })).ok;
    } catch {
      return false;
    }
  };
  const gone = async (): Promise<void> => {
    if (child !== null && child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    child = null;
  };

  return {
    url,
    dataDir,
    start: async () => {
      if (child !== null) return;
      const own = { DATA_DIR: dataDir, PORT: String(port), HOST: '127.0.0.1', LOG_LEVEL: 'error', RATE_LIMITS: 'off' };
      const variables = { ...process.env, ...env, ...own };
      const started = spawn(process.execPath, [main], { env: variables, stdio: ['ignore', 'ignore', 'pipe'] });
      let complaint = '';
      started.stderr?.setEncoding('utf8').on('data', (text: string) => (complaint = (complaint + text).slice(-4_000)));
      child = started;
      while (!(await isReady())) {
        if (started.exitCode !== null) throw new Error(`the service ended with ${started.exitCode}: ${complaint}`);
        if (started.signalCode !== null) return; // killed while it was starting: that is what the loop is for
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    },
    kill: async () => {
      child?.kill('SIGKILL');
      await gone();
    },
    pause: async (ms) => {
      child?.kill('SIGSTOP');
      await new Promise((resolve) => setTimeout(resolve, ms));
      child?.kill('SIGCONT');
    },
    stop: async () => {
      child?.kill('SIGCONT');
      child?.kill('SIGTERM');
      await gone();
    },
  };
};
