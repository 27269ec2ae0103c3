import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withDatabase } from '../../../test/database-url.ts';
import { Outage } from '../../port/outage.ts';
import { type EmbeddedPostgres, startEmbeddedPostgres } from './embedded.ts';
import { checkSchema, ensureSchemas } from './migrate.ts';
import { openPool, queryOn } from './pool.ts';
import { ensureRoles, roleStatements } from './roles.ts';
import { opsSql, projectionSql } from './schema-text.ts';
import { noTenant } from './scope.ts';

/** Roles are the server's: these tests have one of their own, on which nothing was done before. */
describe('the roles', () => {
  let directory: string;
  let server: EmbeddedPostgres;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'pixpax-roles-'));
    server = await startEmbeddedPostgres({ directory, durable: false, temporary: true });
  });
  afterAll(async () => {
    await server.stop();
    await rm(directory, { recursive: true, force: true });
  });

  const run = async (url: string, ...statements: readonly string[]): Promise<pg.QueryResult<Record<string, unknown>>> => {
    const client = new pg.Client(url);
    await client.connect();
    try {
      for (const statement of statements.slice(0, -1)) await client.query(statement);
      return await client.query(statements.at(-1) ?? '');
    } finally {
      await client.end();
    }
  };
  const database = async (name: string): Promise<string> => {
    await run(server.url, `CREATE DATABASE ${name}`);
    return withDatabase(server.url, name);
  };
  /** A login that may nothing but connect. */
  const ordinary = async (name: string, url: string): Promise<string> => {
    await run(server.url, `CREATE ROLE ${name} LOGIN PASSWORD 'secret'`);
    const as = new URL(url);
    as.username = name;
    as.password = 'secret';
    return as.href;
  };

  it('are made by any number of processes at once, on any number of databases', async () => {
    const urls = await Promise.all(['one', 'two', 'three'].map((name) => database(name)));
    await Promise.all([...urls, ...urls, ...urls].map((url) => ensureRoles(url)));
    for (const url of urls) {
      const pool = openPool({ url });
      await ensureSchemas(pool);
      expect(await queryOn(pool, noTenant, { text: 'SELECT current_user::text AS role' })).toEqual([{ role: 'pixpax_app' }]);
      await pool.end();
    }
  });

  it('tell a login that may not take them on what an administrator is to run, and are its own once that was done', async () => {
    const url = await database('of_an_ordinary_login');
    const asOrdinary = await ordinary('ordinary', url);
    const all = roleStatements('ordinary', 'of_an_ordinary_login');
    const statements = all.filter((statement) => !statement.startsWith('CREATE ROLE'));
    expect(all.length - statements.length).toBe(3);
    const refusal = await ensureRoles(asOrdinary).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(Outage);
    for (const statement of statements) expect((refusal as Outage).message).toContain(statement);
    expect((refusal as Outage).message).not.toContain('secret');
    await run(url, ...statements);
    await ensureRoles(asOrdinary);
    const pool = openPool({ url: asOrdinary });
    await ensureSchemas(pool);
    await checkSchema(pool, 'projection');
    await pool.end();
  });

  it('are nobody’s to log in with, pass by no wall and have no role of their own', async () => {
    const { rows } = await run(
      server.url,
      `SELECT rolname, rolsuper, rolbypassrls, rolcanlogin, rolcreaterole, rolcreatedb,
         (SELECT count(*)::integer FROM pg_auth_members WHERE member = pg_roles.oid) AS memberships
       FROM pg_roles WHERE rolname LIKE 'pixpax\\_%' ORDER BY rolname`,
    );
    const none = {
      rolsuper: false,
      rolbypassrls: false,
      rolcanlogin: false,
      rolcreaterole: false,
      rolcreatedb: false,
      memberships: 0,
    };
    expect(rows).toEqual(['pixpax_app', 'pixpax_directory', 'pixpax_projector'].map((rolname) => ({ rolname, ...none })));
  });

  it('take over what a program made before there were any, and the projector may put it aside', async () => {
    const url = await database('from_before');
    await run(url, ...opsSql().filter((statement) => !/GRANT|POLICY|ROW LEVEL/.test(statement)), ...projectionSql('projection'));
    await run(url, `INSERT INTO ops.redo_outbox VALUES ('E', 't', 'complete-trade', now())`);
    await run(url, `COMMENT ON SCHEMA projection IS 'projector version 2'`);
    await ensureRoles(url);
    const pool = openPool({ url });
    await expect(ensureSchemas(pool)).rejects.toThrow(/projector version 2/);
    const projector = openPool({ url, role: 'projector' });
    await queryOn(projector, noTenant, { text: 'ALTER SCHEMA projection RENAME TO projection_previous' });
    await ensureSchemas(pool);
    expect(await queryOn(pool, noTenant, { text: 'SELECT event_id FROM ops.redo_outbox' })).toEqual([{ event_id: 'E' }]);
    await queryOn(projector, noTenant, { text: 'DROP SCHEMA projection_previous CASCADE' });
    await Promise.all([pool.end(), projector.end()]);
  });

  it('ask nothing more of a server where they are', async () => {
    const url = await database('complete');
    await ensureRoles(url);
    const before = await run(url, 'SELECT xmin::text FROM pg_database WHERE datname = current_database()');
    await ensureRoles(url);
    expect((await run(url, 'SELECT xmin::text FROM pg_database WHERE datname = current_database()')).rows).toEqual(before.rows);
  });

  it('are asked for in vain of a Postgres that is not there', async () => {
    await expect(ensureRoles(withDatabase(server.url, 'nowhere'))).rejects.toBeInstanceOf(Outage);
  });
});
