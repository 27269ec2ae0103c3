import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { ask, killProgram, pidOf, runs, socketOf, until, urlOf, useRoom } from './room.ts';

const room = useRoom();
room.durable = true;
/** Tests that look into /proc. */
const itOnLinux = it.runIf(process.platform === 'linux');

describe('after a crash', () => {
  it('has every acknowledged row when the server is killed', async () => {
    room.furnish();
    const first = await room.start();
    const acknowledged = await writeUntilLost(first.url, () => first.kill());
    expect(await first.ended).toBe('ended by SIGKILL');
    const second = await room.start();
    await expectAllRows(second.url, acknowledged);
  });

  itOnLinux('has every acknowledged row when we are killed, and the server ends with us', async () => {
    room.furnish();
    const first = await room.startProgram();
    const acknowledged = await writeUntilLost(urlOf(first), () => first.child.kill('SIGKILL'));
    await until(() => !runs(pidOf(first)) && !existsSync(dirname(socketOf(urlOf(first)))));
    const second = await room.start();
    await expectAllRows(second.url, acknowledged);
  });

  itOnLinux('starts at once after we are killed, while the old server is still stopping', async () => {
    room.furnish();
    const first = await room.startProgram();
    await killProgram(first.child);
    const second = await room.start();
    expect(runs(pidOf(first))).toBe(false);
    expect(await ask(second.url, 'select 1 as one')).toEqual([{ one: 1 }]);
  });

  itOnLinux('stops a server that outlived us and its watcher', async () => {
    room.furnish();
    const first = await room.startProgram();
    await ask(urlOf(first), 'create table kept as select 42 as answer');
    process.kill(watcherOf(pidOf(first)), 'SIGKILL');
    await killProgram(first.child);
    expect(runs(pidOf(first))).toBe(true);
    const second = await room.start();
    expect(runs(pidOf(first))).toBe(false);
    expect(existsSync(dirname(socketOf(urlOf(first))))).toBe(false);
    expect(await ask(second.url, 'select answer from kept')).toEqual([{ answer: 42 }]);
  });

  it('starts when the pid in its lock file belongs to somebody else by now', async () => {
    room.furnish();
    const first = await room.start();
    const lockFile = join(room.directory, 'server/data/postmaster.pid');
    const [, ...rest] = readFileSync(lockFile, 'utf8').split('\n');
    first.kill();
    await first.ended;
    const bystander = spawn('sleep', ['600']);
    room.atEnd(() => void bystander.kill());
    writeFileSync(lockFile, [bystander.pid, ...rest].join('\n'));
    const second = await room.start();
    expect(await ask(second.url, 'select 1 as one')).toEqual([{ one: 1 }]);
    expect(bystander.exitCode ?? bystander.signalCode).toBeNull();
  });

  it('makes a whole cluster after being killed while making one', async () => {
    const first = room.run();
    await until(() => existsSync(room.directory) && readdirSync(room.directory).some((name) => name.startsWith('init-')));
    await killProgram(first);
    expect(existsSync(join(room.directory, 'server'))).toBe(false);
    const second = await room.start();
    expect(await ask(second.url, 'select 1 as one')).toEqual([{ one: 1 }]);
  });

  itOnLinux('removes a temporary directory although we were killed', async () => {
    room.furnish();
    const embedded = new URL('../../src/adapter/postgres/embedded.ts', import.meta.url).href;
    const script = `import { startEmbeddedPostgres } from ${JSON.stringify(embedded)};
      await startEmbeddedPostgres({ directory: process.argv[1], durable: false, temporary: true }); process.kill(process.pid, 'SIGKILL');`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script, room.directory], { stdio: 'inherit' });
    expect(await once(child, 'exit')).toEqual([null, 'SIGKILL']);
    await until(() => !existsSync(room.directory));
  });
});

/** The rows are there without a gap, at least as many as were acknowledged. */
async function expectAllRows(url: string, acknowledged: number): Promise<void> {
  const [row] = await ask(url, 'select count(*)::int as rows, coalesce(max(n), 0)::int as last from acknowledged');
  expect(row?.rows).toBe(row?.last);
  expect(Number(row?.rows)).toBeGreaterThanOrEqual(acknowledged);
}

/** Writes one row after another, calls `kill` in the middle, and goes on until the server is gone; returns how many were acknowledged. */
async function writeUntilLost(url: string, kill: () => void): Promise<number> {
  const client = new pg.Client(url);
  client.on('error', () => undefined);
  await client.connect();
  await client.query('create table if not exists acknowledged (n int primary key)');
  let acknowledged = 0;
  try {
    for (;;) {
      await client.query('insert into acknowledged values ($1)', [acknowledged + 1]);
      acknowledged += 1;
      if (acknowledged === 200) kill();
    }
  } catch {
    return acknowledged;
  }
}

/** The watcher's arguments end with the server's pid and paths; it is a child of whoever started the server. */
function watcherOf(serverPid: number): number {
  for (const name of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    try {
      if (readFileSync(`/proc/${name}/cmdline`, 'utf8').includes(`pixpax-postgres-watcher\0${serverPid}\0`)) return Number(name);
    } catch {
      // It ended while we looked.
    }
  }
  throw new Error(`no watcher of ${serverPid}`);
}
