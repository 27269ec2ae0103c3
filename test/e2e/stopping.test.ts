import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

it.each(['SIGTERM', 'SIGINT'] as const)('stops on %s while it still waits for what it needs', async (signal) => {
  const dataDir = await mkdtemp(join(tmpdir(), 'pixpax-stopping-'));
  const env = { DATA_DIR: dataDir, PORT: '0', LOG_LEVEL: 'warn', DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none' };
  const child = spawn(process.execPath, [MAIN, 'serve'], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const ended = once(child, 'exit') as Promise<[number | null]>;
  try {
    const unlogged: string[] = [];
    for await (const line of createInterface({ input: child.stderr })) {
      if (line.includes('waiting for a dependency')) child.kill(signal);
      if (!line.startsWith('{')) unlogged.push(line);
    }
    const [code] = await ended;
    expect([code, unlogged]).toEqual([0, []]);
  } finally {
    child.kill('SIGKILL');
    await rm(dataDir, { recursive: true, force: true });
  }
});
