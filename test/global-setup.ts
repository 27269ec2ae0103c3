import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import type { TestProject } from 'vitest/node';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../src/adapter/postgres/embedded.ts';
import { PROJECTOR_ROLE } from '../src/adapter/postgres/role-names.ts';
import { ensureRoles } from '../src/adapter/postgres/roles.ts';
import { withDatabase } from './database-url.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Where a test asks for the server: a unix socket. */
    readonly postgresDesk: string;
  }
}

/** What the desk answers. Databases of this run begin with `prefix`; `template` has schema.sql in it. */
export interface TestServer {
  readonly url: string;
  readonly prefix: string;
  readonly template: string;
}

/**
 * One Postgres for the whole run, started by the first test that asks: a run of pure tests pays nothing. It is ours
 * (embedded, no fsync, in a temporary directory), or the one at DATABASE_TEST_URL.
 */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  // The desk's path must fit into a socket address.
  const directory = mkdtempSync(join(tmpdir().length < 70 ? tmpdir() : '/tmp', 'pixpax-test-'));
  let server: EmbeddedPostgres | undefined;
  let answer: Promise<TestServer> | undefined;
  const open = async (): Promise<TestServer> => {
    const external = process.env.DATABASE_TEST_URL;
    // `temporary`: the directory goes also when this process is killed in the middle of a run.
    if (external !== undefined) return makeTemplate(external);
    server = await startEmbeddedPostgres({ directory, durable: false, temporary: true, maxConnections: 300 });
    return makeTemplate(server.url);
  };
  const desk = createServer((socket) => {
    socket.on('error', () => undefined);
    answer ??= open();
    answer.then(
      (value) => socket.end(JSON.stringify(value)),
      (error: unknown) => socket.end(JSON.stringify({ fault: error instanceof Error ? error.message : String(error) })),
    );
  });
  desk.listen(join(directory, 'desk'));
  await once(desk, 'listening');
  desk.unref();
  project.provide('postgresDesk', join(directory, 'desk'));
  // Ctrl-C ends vitest without the teardown. A running server cleans up behind itself, and needs its files to do so.
  const forget = (): void => (server === undefined ? rmSync(directory, { recursive: true, force: true }) : undefined);
  process.once('exit', forget);

  return async () => {
    process.off('exit', forget);
    desk.close();
    const made = await answer?.catch(() => undefined);
    if (server !== undefined) await server.stop();
    else if (made !== undefined) await dropAll(made);
    rmSync(directory, { recursive: true, force: true });
  };
}

async function makeTemplate(url: string): Promise<TestServer> {
  const prefix = `pixpax_test_${randomBytes(4).toString('hex')}_`;
  const template = `${prefix}template`;
  await run(url, `create database ${template}`);
  const schema = fileURLToPath(new URL('../schema.sql', import.meta.url));
  // As the service does: the tables are the projector's, whoever the login is.
  await ensureRoles(withDatabase(url, template));
  if (existsSync(schema)) await run(withDatabase(url, template), `set role ${PROJECTOR_ROLE};\n${readFileSync(schema, 'utf8')}`);
  return { url, prefix, template };
}

async function dropAll({ url, prefix }: TestServer): Promise<void> {
  const names = await run(url, `select datname from pg_database where datname like '${prefix.replaceAll('_', '\\_')}%'`);
  for (const { datname } of names.rows)
    await run(url, `drop database if exists ${pg.escapeIdentifier(String(datname))} with (force)`);
}

async function run(url: string, sql: string): Promise<pg.QueryResult<Record<string, unknown>>> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    return await client.query(sql);
  } finally {
    await client.end();
  }
}
