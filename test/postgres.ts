import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import pg from 'pg';
import { inject } from 'vitest';
import { z } from 'zod';
import { PROJECTOR_ROLE } from '../src/adapter/postgres/role-names.ts';
import { withDatabase } from './database-url.ts';
import type { TestServer } from './global-setup.ts';

/** A database of one test file, or of one test. */
export interface TestDatabase {
  readonly url: string;
  /** Disconnects whoever is still connected. */
  drop(): Promise<void>;
}

const answer = z.union([
  z.strictObject({ url: z.string(), prefix: z.string(), template: z.string() }),
  z.strictObject({ fault: z.string() }),
]);

let asked: Promise<TestServer> | undefined;

/**
 * A new database with schema.sql applied, or an empty one, on the Postgres of this test run. Call `drop` in `afterAll`;
 * what is forgotten goes with the server at the end of the run.
 */
export async function freshDatabase(options: { readonly empty?: boolean } = {}): Promise<TestDatabase> {
  asked ??= askForServer();
  const { url, prefix, template } = await asked;
  const name = `${prefix}${randomBytes(6).toString('hex')}`;
  await run(url, `create database ${name} template ${options.empty === true ? 'template0' : template}`);
  // What is granted on a database is not copied from its template.
  if (options.empty !== true) await run(url, `grant create, temporary on database ${name} to ${PROJECTOR_ROLE}`);
  return { url: withDatabase(url, name), drop: () => run(url, `drop database if exists ${name} with (force)`) };
}

async function askForServer(): Promise<TestServer> {
  const socket = connect(inject('postgresDesk')).setEncoding('utf8');
  let text = '';
  socket.on('data', (part: string) => (text += part));
  await once(socket, 'end');
  const told = answer.parse(JSON.parse(text));
  if ('fault' in told) throw new Error(`The Postgres of the test run did not start: ${told.fault}`);
  return told;
}

async function run(url: string, sql: string): Promise<void> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
