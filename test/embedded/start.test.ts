import { existsSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runningEmbeddedPostgres } from '../../src/adapter/postgres/embedded.ts';
import { ask, endProgram, socketOf, urlOf, useRoom } from './room.ts';

const room = useRoom();

describe('the embedded Postgres', () => {
  it('keeps its rows when it is stopped and started again', async () => {
    const first = await room.start();
    await ask(first.url, 'create table kept as select 42 as answer');
    await first.stop();
    expect(await first.ended).toBe('ended with code 0');
    const second = await room.start();
    expect(await ask(second.url, 'select answer from kept')).toEqual([{ answer: 42 }]);
  });

  it('makes the database asked for in an old cluster too', async () => {
    room.furnish();
    const server = await room.start({ database: 'an "odd" name' });
    expect(await ask(server.url, 'select current_database() as name')).toEqual([{ name: 'an "odd" name' }]);
  });

  it('leaves nothing outside its directory', async () => {
    room.furnish();
    const server = await room.start();
    const sockets = dirname(socketOf(server.url));
    expect(existsSync(socketOf(server.url))).toBe(true);
    await server.stop();
    expect(existsSync(sockets)).toBe(false);
    expect(readdirSync(room.directory).toSorted()).toEqual(['postgres.log', 'server']);
  });

  it('removes a temporary directory', async () => {
    room.furnish();
    const server = await room.start({ temporary: true });
    await server.stop();
    expect(existsSync(room.directory)).toBe(false);
  });

  it('refuses a second start on its directory, naming who uses it, and goes on', async () => {
    room.furnish();
    const server = await room.start();
    await expect(room.start({ patienceMs: 0 })).rejects.toMatchObject({
      code: 'postgres-unavailable',
      message: expect.stringContaining(`in use by process ${process.pid}`),
    });
    expect(await ask(server.url, 'select 1 as one')).toEqual([{ one: 1 }]);
  });

  it('waits for a process that is just ending', async () => {
    room.furnish();
    const { child } = await room.startProgram();
    const second = room.start();
    await endProgram(child);
    expect(await ask((await second).url, 'select 1 as one')).toEqual([{ one: 1 }]);
  });

  it('lets exactly one of two simultaneous first starts through', async () => {
    const both = await Promise.all([room.startProgram(), room.startProgram()]);
    expect(both.map(({ told }) => ('fault' in told ? 'refused' : 'serves')).toSorted()).toEqual(['refused', 'serves']);
    for (const { told } of both) if ('fault' in told) expect(told.fault).toMatch(/Outage: .* in use by process \d+/);
    expect(readdirSync(room.directory).toSorted()).toEqual(['postgres.log', 'server']);
  });

  it('tells another process where it can be reached, while it runs', async () => {
    room.furnish();
    expect(await runningEmbeddedPostgres(room.directory)).toBeUndefined();
    const started = await room.startProgram();
    expect(await runningEmbeddedPostgres(room.directory)).toBe(urlOf(started));
    await endProgram(started.child);
    expect(await runningEmbeddedPostgres(room.directory)).toBeUndefined();
  });
});

describe('who gets in', () => {
  it('listens on one socket in a private directory and on no port', async () => {
    const server = await room.start();
    expect(statSync(dirname(socketOf(server.url))).mode & 0o777).toBe(0o700);
    expect(statSync(join(room.directory, 'server', 'password')).mode & 0o777).toBe(0o600);
    expect(statSync(room.directory).mode & 0o777).toBe(0o700);
    expect(await ask(server.url, 'show listen_addresses')).toEqual([{ listen_addresses: '' }]);
  });

  it('refuses a wrong password, no password and the superuser', async () => {
    room.furnish();
    const { url } = await room.start();
    const intruders = [url.replace(/:[^:@]+@/, ':wrong@'), url.replace(/:[^:@]+@/, '@'), url.replace('//pixpax:', '//postgres:')];
    for (const intruder of intruders) await expect(ask(intruder, 'select 1')).rejects.toThrow(/password/);
  });
});
