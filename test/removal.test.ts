import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { parseAccountId, parseBookId } from '../src/receipt/ids.ts';
import { eventIdAt } from '../src/receipt/key-path.ts';
import { pixbookStream } from '../src/receipt/stream.ts';
import { type Client, type Service, client, type collectorWithBook, newcomer, startService } from './e2e/service.ts';
import { type TestDatabase, freshDatabase } from './postgres.ts';

/**
 * Who is removed is out with the next request: also on a connection that was open before, and when it was another process that took them out. Two
 * services on one Postgres, one store and one set of keys.
 */

type Person = { readonly api: Client; readonly userId: string; readonly token: string };

let folder: string;
let database: TestDatabase;
let here: Service;
let elsewhere: Service;
let operator: Person;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pixpax-removal-'));
  database = await freshDatabase({ empty: true });
  const shared = {
    ...{ DATABASE_URL: database.url, RECEIPT_STORE: `fs:${join(folder, 'receipts')}`, KEYS_DIR: join(folder, 'keys') },
    ...{ AUTH_SECRET: 'a'.repeat(40), CODE_SECRET: 'c'.repeat(40), DEMO: 'off', RATE_LIMITS: 'off' },
    // The sign-in system counts by address, always: each newcomer has one of their own.
    TRUSTED_PROXIES: '1',
  };
  const started = await startService(join(folder, 'one'), shared);
  await started.ready;
  operator = await comer(started.api);
  await started.stop();
  // Operators are named at the start.
  here = await startService(join(folder, 'one'), { ...shared, OPERATOR_USERS: operator.userId });
  await here.ready;
  elsewhere = await startService(join(folder, 'two'), { ...shared, OPERATOR_USERS: operator.userId });
  await elsewhere.ready;
  await publishDemoCollection();
});
afterAll(async () => {
  await here?.stop();
  await elsewhere?.stop();
  await database?.drop();
  await rm(folder, { recursive: true, force: true });
});

let collectionId: string;

let addresses = 0;
const comer = (api: Client): Promise<Person> => {
  const address = `203.0.113.${++addresses}`;
  const post: Client['post'] = (path, body, headers = {}) => api.post(path, body, { 'x-forwarded-for': address, ...headers });
  return newcomer({ ...api, post });
};

const publishDemoCollection = async (): Promise<void> => {
  const svg = '<svg xmlns="http://www.w3.org/2000/svg"/>';
  const digest = Buffer.from(await crypto.subtle.digest('SHA-256', Buffer.from(svg))).toString('hex');
  const headers = { Authorization: `Bearer ${operator.token}`, 'Content-Type': 'image/svg+xml' };
  await fetch(`${here.url}/v1/art/sha256:${digest}`, { method: 'PUT', headers, body: svg });
  const cards = [{ cardId: 'only', seriesId: 'only', title: 'Only', artHash: `sha256:${digest}` }];
  const published = await client(here.url, operator.token).post('/v1/collections', {
    ...{ title: 'Only', series: [{ seriesId: 'only', title: 'Only' }], cards },
  });
  collectionId = String(published.body.collectionId);
};

/** A client on one connection, which is kept: `sockets` counts how many it ever had. */
const onOneConnection = (url: string, token: string) => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const sockets = new Set<unknown>();
  const ask = async (method: string, path: string, body?: unknown) => {
    const sent = request(`${url}${path}`, {
      method,
      agent,
      headers: {
        Authorization: `Bearer ${token}`,
        ...(method === 'POST' ? { 'Idempotency-Key': randomUUID(), 'Content-Type': 'application/json' } : {}),
      },
    });
    sent.once('socket', (socket) => sockets.add(socket));
    sent.end(body === undefined ? undefined : JSON.stringify(body));
    const answer = await new Promise<import('node:http').IncomingMessage>((resolve, reject) => {
      sent.once('response', resolve).once('error', reject);
    });
    const said = await text(answer);
    return { status: answer.statusCode, said, body: said === '' ? {} : (JSON.parse(said) as Record<string, unknown>) };
  };
  return { ask, sockets, close: () => agent.destroy() };
};

describe('a member with an open connection', () => {
  let owner: Person;
  let member: Person;
  let accountId: string;
  let book: Awaited<ReturnType<typeof collectorWithBook>>;
  let line: ReturnType<typeof onOneConnection>;
  beforeEach(async () => {
    owner = await comer(here.api);
    member = await comer(here.api);
    const made = await owner.api.post('/v1/accounts');
    accountId = String(made.body.accountId);
    await owner.api.post(`/v1/accounts/${accountId}/members`, { userId: member.userId, role: 'member' });
    const identity = await member.api.post(`/v1/accounts/${accountId}/identities`, { controller: member.userId });
    const identityId = String(identity.body.identityId);
    const created = await member.api.post('/v1/pixbooks', { accountId, identityId, collectionId });
    book = { accountId, identityId, bookId: String(created.body.bookId), head: String(created.body.eventId) };
    line = onOneConnection(here.url, member.token);
  });
  afterEach(() => line.close());

  const readBook = () => line.ask('GET', `/v1/pixbooks/${book.bookId}`);
  const save = async () => {
    const saved = await line.ask('POST', `/v1/pixbooks/${book.bookId}/commands/save`, { state: {}, baseEventId: book.head });
    if (saved.status === 201) book = { ...book, head: String(saved.body.eventId) };
    return saved;
  };
  const letIn = async () =>
    expect([(await readBook()).status, (await save()).status, (await save()).status]).toEqual([200, 201, 201]);

  it.each([
    ['over another connection', () => here],
    ['by another process', () => elsewhere],
  ])('is out with the next request when removed %s', async (_, where) => {
    await letIn();
    const removed = await client(where().url, owner.token).post(
      `/v1/accounts/${accountId}/members/${member.userId}/commands/remove`,
    );
    expect(removed.status).toBe(201);
    const refusals = [await readBook(), await save(), await line.ask('GET', `/v1/pixbooks/${book.bookId}/receipts`)];
    expect(refusals.map(({ status, body }) => [status, body.code])).toEqual(Array(3).fill([404, 'not-found']));
    expect((await line.ask('GET', `/v1/receipts/${book.head}`)).status).toBe(404);
    expect(line.sockets.size).toBe(1);
  });

  it.each([
    ['over another connection', () => here],
    ['by another process', () => elsewhere],
  ])('may only read from the next request on when made a viewer %s', async (_, where) => {
    await letIn();
    const change = `/v1/accounts/${accountId}/members/${member.userId}/commands/change-role`;
    expect((await client(where().url, owner.token).post(change, { role: 'viewer' })).status).toBe(201);
    expect([(await readBook()).status, (await save()).body.code]).toEqual([200, 'forbidden']);
    expect(line.sockets.size).toBe(1);
  });

  it('is answered nothing when it was waiting for something while it was removed', async () => {
    await letIn();
    const [account, id] = [parseAccountId(accountId), parseBookId(book.bookId)];
    if (!account.ok || !id.ok) throw new Error('malformed');
    // The book has four receipts at most by now: the one it waits for is yet to come.
    const next = eventIdAt(pixbookStream(account.value, id.value), 3);
    const waiting = line.ask('GET', `/v1/pixbooks/${book.bookId}?minEventId=${next}`);
    const remove = `/v1/accounts/${accountId}/members/${member.userId}/commands/remove`;
    expect((await client(elsewhere.url, owner.token).post(remove)).status).toBe(201);
    const path = `/v1/pixbooks/${book.bookId}/commands/save`;
    const saved = await client(elsewhere.url, owner.token).post(path, { state: { canary: 1 }, baseEventId: book.head });
    expect([saved.status, saved.body.eventId]).toEqual([201, next]);
    const answer = await waiting;
    expect([answer.status, answer.body.code]).toEqual([404, 'not-found']);
    expect(answer.said).not.toContain('canary');
  });

  it.each([
    ['this process', () => here],
    ['another process', () => elsewhere],
  ])('reads, and saves no more, once the account was suspended through %s', async (_, where) => {
    await letIn();
    const suspend = `/v1/admin/accounts/${accountId}/commands/suspend`;
    expect((await client(where().url, operator.token).post(suspend, { reason: 'a test' })).status).toBe(201);
    const refused = await save();
    expect([refused.status, refused.body.code, (await readBook()).status]).toEqual([403, 'account-suspended', 200]);
    expect(line.sockets.size).toBe(1);
  });

  it.each([
    ['ended as one of one’s own', '/v1/sessions', () => here],
    ['ended as one of one’s own in another process', '/v1/sessions', () => elsewhere],
    ['signed out of in another process', '/v1/auth/sign-out', () => elsewhere],
  ])('is nobody with the next request once its session was %s', async (_, how, where) => {
    await letIn();
    const own = client(where().url, member.token);
    if (how === '/v1/sessions') {
      const { data } = (await own.get('/v1/sessions')).body as { data: { sessionId: string; current: boolean }[] };
      const current = data.find((each) => each.current)?.sessionId ?? '';
      expect((await own.post(`/v1/sessions/${current}/commands/revoke`)).status).toBe(204);
    } else expect((await own.post(how, {}, { origin: 'http://localhost:8080' })).status).toBe(200);
    expect([(await readBook()).status, (await save()).status]).toEqual([401, 401]);
    expect(line.sockets.size).toBe(1);
  });

  it('an API key is none with the next request once it was revoked by another process', async () => {
    const made = await member.api.post('/v1/api-keys', { name: 'A scanner', scopes: ['pixbooks:read', 'pixbooks:write'] });
    expect(made.status).toBe(201);
    line.close();
    line = onOneConnection(here.url, String(made.body.key));
    await letIn();
    const revoke = `/v1/api-keys/${String(made.body.apiKeyId)}/commands/revoke`;
    expect((await client(elsewhere.url, member.token).post(revoke)).status).toBe(204);
    expect([(await readBook()).status, (await save()).status]).toEqual([401, 401]);
    expect(line.sockets.size).toBe(1);
  });
});
