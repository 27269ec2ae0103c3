import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../main.ts', import.meta.url));

/** `rebuild` as an operator runs it, in a process that can be killed. */
export type RebuildProcess = {
  readonly hasEnded: () => boolean;
  readonly kill: () => Promise<void>;
  readonly pause: () => void;
  readonly goOn: () => void;
  /** Resolves once it waits for a rebuild to begin. */
  readonly waiting: () => Promise<void>;
  readonly end: () => Promise<{ readonly exitCode: number | null; readonly json: Record<string, unknown> }>;
};

export const rebuildProcess = (store: string, databaseUrl: string, ...words: string[]): RebuildProcess => {
  const env = { ...process.env, RECEIPT_STORE: `fs:${store}`, DATABASE_URL: databaseUrl };
  const child = spawn(process.execPath, [main, 'rebuild', '--json', ...words], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let out = '';
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
  const closed = once(child, 'close');
  const hasEnded = (): boolean => child.exitCode !== null || child.signalCode !== null;
  return {
    hasEnded,
    kill: async () => {
      child.kill('SIGKILL');
      await closed;
    },
    pause: () => void child.kill('SIGSTOP'),
    goOn: () => void child.kill('SIGCONT'),
    waiting: async () => {
      while (!said.includes('waiting')) {
        if (hasEnded()) throw new Error(`it ended: ${said}${out}`);
        await once(child.stderr, 'data');
      }
    },
    end: async () => {
      await closed;
      return { exitCode: child.exitCode, json: out === '' ? {} : (JSON.parse(out) as Record<string, unknown>) };
    },
  };
};
