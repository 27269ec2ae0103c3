import { mkdtemp, readFile, readdir, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Client, type Service, collectorWithBook, newcomer, startService } from './service.ts';

let folder: string;
let service: Service;
let anna: { api: Client; userId: string; token: string };
let book: Awaited<ReturnType<typeof collectorWithBook>>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pixpax-missing-'));
  service = await startService(folder);
  await service.ready;
  anna = await newcomer(service.api);
  book = await collectorWithBook(anna.api, anna.userId);
});
afterAll(async () => {
  await service.stop();
  await rm(folder, { recursive: true, force: true });
});

const save = (baseEventId: string, key: string) =>
  anna.api.post(`/v1/pixbooks/${book.bookId}/commands/save`, { state: {}, baseEventId }, { 'idempotency-key': key });

/** Health is asked at most once a second: the answer may be as old as that. */
const readiness = async (dependency: string): Promise<unknown> => {
  await new Promise((resolve) => setTimeout(resolve, 1_100));
  const { body } = await service.api.get('/health/ready');
  return (body.dependencies as Record<string, unknown>)[dependency];
};

describe('when a part is missing', () => {
  it('the signer: health names it, commands are 503, reads go on, and the same key works once it is back', async () => {
    await rename(join(folder, 'keys'), join(folder, 'keys.away'));
    expect(await readiness('signer')).toMatchObject({ status: 'down' });
    const identity = await anna.api.post(`/v1/accounts/${book.accountId}/identities`, { controller: anna.userId });
    expect(identity).toMatchObject({ status: 503, body: { dependency: 'signer' } });
    expect(identity.headers.get('retry-after')).toMatch(/^\d+$/);
    expect((await anna.api.get(`/v1/pixbooks/${book.bookId}`)).status).toBe(200);
    await rename(join(folder, 'keys.away'), join(folder, 'keys'));
    const saved = await save(book.head, 'after-signer');
    expect(saved.status).toBe(201);
    book.head = String(saved.body.eventId);
  });

  it('the store: health names it, commands are 503 and never lost, and the same key works once it is back', async () => {
    await rename(join(folder, 'receipts'), join(folder, 'receipts.away'));
    expect(await readiness('store')).toMatchObject({ status: 'down' });
    expect((await save(book.head, 'during-store')).status).toBe(503);
    expect((await service.api.get('/health/ready')).status).toBe(503);
    expect((await service.api.get('/health')).status).toBe(200);
    await rename(join(folder, 'receipts.away'), join(folder, 'receipts'));
    const saved = await save(book.head, 'during-store');
    expect(saved.status).toBe(201);
    book.head = String(saved.body.eventId);
  });

  it('Postgres: health names it, everything that needs it is 503 with a problem', async () => {
    const pid = await postmaster(join(folder, 'postgres'));
    process.kill(pid, 'SIGKILL');
    expect(await readiness('postgres')).toMatchObject({ status: 'down' });
    const refused = await save(book.head, 'during-postgres');
    expect(refused).toMatchObject({ status: 503, body: { code: 'postgres-unavailable', dependency: 'postgres' } });
    expect(refused.headers.get('content-type')).toBe('application/problem+json');
  });

  it('and after a restart nothing that was acknowledged is lost', async () => {
    await service.stop();
    service = await startService(folder);
    await service.ready;
    anna = { ...anna, api: service.api.as(anna.token) };
    const read = await anna.api.get(`/v1/pixbooks/${book.bookId}`);
    expect(read).toMatchObject({ status: 200, body: { head: { eventId: book.head } } });
    expect((await save(book.head, 'during-postgres')).status).toBe(201);
  });

  it('the projection and the users: a start without the Postgres directory answers every read as before', async () => {
    const paths = ['/v1/accounts', `/v1/accounts/${book.accountId}`, '/v1/pixbooks', `/v1/pixbooks/${book.bookId}/receipts`];
    const before = await Promise.all(paths.map(async (path) => (await anna.api.get(path)).text));
    await service.stop();
    await rm(join(folder, 'postgres'), { recursive: true });
    service = await startService(folder);
    await service.ready;
    const api = service.api.as(anna.token);
    expect(await Promise.all(paths.map(async (path) => (await api.get(path)).text))).toEqual(before);
  });
});

/** The process id in the first line of postmaster.pid, wherever below the directory that is. */
const postmaster = async (directory: string): Promise<number> => {
  const files = await readdir(directory, { recursive: true });
  const file = files.find((name) => name.endsWith('postmaster.pid'));
  if (file === undefined) throw new Error('no Postgres runs there');
  return Number((await readFile(join(directory, file), 'utf8')).split('\n')[0]);
};
