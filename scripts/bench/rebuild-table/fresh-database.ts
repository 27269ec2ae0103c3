import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';

let made = 0;

/** An empty database on a Postgres of the bench's own. */
export const freshDatabase = async (serverUrl: string): Promise<{ readonly url: string; readonly drop: () => Promise<void> }> => {
  const name = `bench_${process.pid}_${made++}`;
  const run = async (sql: string): Promise<void> => {
    const client = new pg.Client(serverUrl);
    await client.connect();
    await client.query(sql).finally(() => client.end());
  };
  await run(`CREATE DATABASE ${name}`);
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  const drop = async (): Promise<void> => {
    for (let attempt = 1; ; attempt++)
      try {
        return await run(`DROP DATABASE ${name} WITH (FORCE)`);
      } catch (error) {
        // A worker of Postgres's own is vacuuming it, which our role may not end: soon done, and in the end it goes with the server.
        if (!(error instanceof pg.DatabaseError) || error.code !== INSUFFICIENT_PRIVILEGE) throw error;
        if (attempt === DROP_ATTEMPTS) return;
        await sleep(DROP_PAUSE_MS);
      }
  };
  return { url: url.href, drop };
};

const INSUFFICIENT_PRIVILEGE = '42501';
const DROP_ATTEMPTS = 10;
const DROP_PAUSE_MS = 1_000;
