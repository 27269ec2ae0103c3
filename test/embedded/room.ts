import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import { z } from 'zod';
import {
  type EmbeddedPostgres,
  type EmbeddedPostgresOptions,
  startEmbeddedPostgres,
} from '../../src/adapter/postgres/embedded.ts';

export const program = fileURLToPath(new URL('program.ts', import.meta.url));
const reply = z.union([z.object({ url: z.string(), pid: z.number() }), z.object({ fault: z.string() })]);

/** The program after it printed its line. */
export interface Started {
  readonly child: ChildProcess;
  readonly told: z.infer<typeof reply>;
}

/** A place of its own for each test of a file, with a space in its path, in which servers and programs end with the test. */
export class Room {
  path = '';
  /** Of the Postgres of the test; does not exist yet. */
  directory = '';
  /** Whether its servers are. What does not test durability is quicker without. */
  durable = false;
  /** A cluster made earlier, to copy. */
  cluster = '';
  readonly #cleanUp: (() => unknown)[] = [];

  open(): void {
    this.path = mkdtempSync(join(tmpdir(), 'embedded test-'));
    this.directory = join(this.path, 'data of mine', 'postgres');
  }

  async close(): Promise<void> {
    for (const task of this.#cleanUp.splice(0).reverse()) await task();
    rmSync(this.path, { recursive: true, force: true });
  }

  atEnd(task: () => unknown): void {
    this.#cleanUp.push(task);
  }

  /** Puts a cluster that was made earlier into the directory: copying is quicker than initdb. */
  furnish(): void {
    mkdirSync(dirname(this.directory), { recursive: true });
    // -a keeps the modes: Postgres refuses data that others can read.
    execFileSync('cp', ['-a', this.cluster, this.directory]);
  }

  async start(options: Partial<EmbeddedPostgresOptions> = {}): Promise<EmbeddedPostgres> {
    const server = await startEmbeddedPostgres({ directory: this.directory, durable: this.durable, ...options });
    this.atEnd(() => server.stop());
    return server;
  }

  /** Runs the program, `prefix` before it. */
  run(prefix: readonly string[] = [], env: NodeJS.ProcessEnv = process.env): ChildProcess {
    const [command = process.execPath, ...args] = [
      ...prefix,
      process.execPath,
      program,
      this.directory,
      this.durable ? 'durable' : 'fast',
    ];
    const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'], env, cwd: '/' });
    this.atEnd(() => endProgram(child));
    return child;
  }

  /** Runs the program and waits for its line. */
  async startProgram(prefix: readonly string[] = [], env: NodeJS.ProcessEnv = process.env): Promise<Started> {
    const child = this.run(prefix, env);
    const [line]: unknown[] = await once(createInterface(child.stdout ?? process.stdin), 'line');
    return { child, told: reply.parse(JSON.parse(String(line))) };
  }
}

/** A room that opens and closes around each test of the file. */
export function useRoom(): Room {
  const room = new Room();
  beforeAll(async () => {
    room.cluster = mkdtempSync(join(tmpdir(), 'embedded cluster-'));
    const server = await startEmbeddedPostgres({ directory: room.cluster, durable: false });
    await server.stop();
  });
  afterAll(() => rmSync(room.cluster, { recursive: true, force: true }));
  beforeEach(() => room.open());
  afterEach(() => room.close());
  return room;
}

/** Lets the program stop its server. */
export async function endProgram(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.stdin?.end();
  await exited;
}

export async function killProgram(child: ChildProcess): Promise<void> {
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}

export function urlOf(started: Started): string {
  if ('fault' in started.told) throw new Error(started.told.fault);
  return started.told.url;
}

export function pidOf(started: Started): number {
  return 'pid' in started.told ? started.told.pid : 0;
}

/** The socket of a server. */
export function socketOf(url: string): string {
  return join(decodeURIComponent(new URL(url).hostname), '.s.PGSQL.5432');
}

/** The rows of one statement on a connection of its own. */
export async function ask(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client(url);
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}

/** Waits for what another process will do on its own; the test's timeout bounds it. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await sleep(10);
}

/** Whether the process still does anything (Linux). */
export function runs(pid: number): boolean {
  const stat = `/proc/${pid}/stat`;
  return existsSync(stat) && !/^\d+ \(.*\) [ZX]/.test(readFileSync(stat, 'latin1'));
}
