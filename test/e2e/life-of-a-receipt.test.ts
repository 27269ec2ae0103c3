import { createHash, randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Client, type Service, collectorWithBook, newcomer, startService } from './service.ts';

let folder: string;
let service: Service;
let anna: { api: Client; userId: string };
let book: Awaited<ReturnType<typeof collectorWithBook>>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pixpax e2e '));
  service = await startService(folder);
  await service.ready;
  anna = await newcomer(service.api);
  book = await collectorWithBook(anna.api, anna.userId);
});
afterAll(async () => {
  await service.stop();
  await rm(folder, { recursive: true, force: true });
});

const save = (key: string, baseEventId: string, state: object = { page: 1 }) =>
  anna.api.post(`/v1/pixbooks/${book.bookId}/commands/save`, { state, baseEventId }, { 'idempotency-key': key });

describe('over HTTP, on the embedded parts', () => {
  it('a save becomes a receipt that anyone can hash for themselves', async () => {
    const key = randomUUID();
    const saved = await save(key, book.head, { page: 7 });
    expect(saved).toMatchObject({ status: 201, body: { position: 1, projection: 'applied' } });
    expect(saved.headers.get('etag')).toBe(`"${String(saved.body.hash)}"`);
    const receipt = await anna.api.get(`/v1/receipts/${String(saved.body.eventId)}`);
    const { hash, signature, ...unsigned } = receipt.body as { hash: string; signature: string };
    expect(signature).toMatch(/^ecdsa-p256:/);
    expect(hash).toBe(saved.body.hash);
    const signed = receipt.text.replace(`"hash":"${hash}",`, '').replace(`"signature":"${signature}",`, '');
    expect(JSON.parse(signed)).toEqual(unsigned);
    expect(`sha256:${createHash('sha256').update(signed).digest('hex')}`).toBe(hash);
    book.head = String(saved.body.eventId);
  });

  it('the same key gives the same answer, and another request under it is refused', async () => {
    const key = randomUUID();
    const first = await save(key, book.head);
    const again = await save(key, book.head);
    expect(again).toMatchObject({ status: 201, body: first.body });
    expect(again.headers.get('idempotency-replayed')).toBe('true');
    expect(await save(key, book.head, { page: 8 })).toMatchObject({ status: 422, body: { code: 'idempotency-key-reused' } });
    book.head = String(first.body.eventId);
  });

  it('a save on a stale base is refused, and so is a wrong If-Match', async () => {
    const stale = book.head;
    const moved = await save(randomUUID(), book.head);
    expect(await save(randomUUID(), stale)).toMatchObject({ status: 409, body: { code: 'stale-base' } });
    book.head = String(moved.body.eventId);
    const path = `/v1/pixbooks/${book.bookId}/commands/save`;
    const body = { state: {}, baseEventId: book.head };
    expect(await anna.api.post(path, body, { 'if-match': `"sha256:${'0'.repeat(64)}"` })).toMatchObject({ status: 412 });
  });

  it('a stranger, a neighbour and a missing book get the same answer', async () => {
    const ben = await newcomer(service.api);
    const path = `/v1/pixbooks/${book.bookId}`;
    const missing = '/v1/pixbooks/bk_01JZ0000000000000000000000';
    expect((await service.api.get(path)).status).toBe(401);
    for (const suffix of ['', '/receipts', '/verify']) {
      const foreign = await ben.api.get(`${path}${suffix}`);
      const nothing = await ben.api.get(`${missing}${suffix}`);
      const { requestId: _r, traceId: _t, instance: _i, ...problem } = foreign.body;
      expect(nothing.body).toMatchObject(problem);
      expect([foreign.status, nothing.status]).toEqual([404, 404]);
    }
    const command = await ben.api.post(`${path}/commands/save`, { state: {}, baseEventId: book.head });
    expect(command).toMatchObject({ status: 404, body: { code: 'not-found' } });
  });

  it('a rotated key signs on, a revoked identity signs nothing more, and all of it verifies', async () => {
    const other = await collectorWithBook(anna.api, anna.userId);
    const identity = `/v1/accounts/${other.accountId}/identities/${other.identityId}`;
    const saves = (base: string) => anna.api.post(`/v1/pixbooks/${other.bookId}/commands/save`, { state: {}, baseEventId: base });
    expect((await anna.api.post(`${identity}/commands/rotate-key`)).status).toBe(201);
    const saved = await saves(other.head);
    expect(saved.status).toBe(201);
    expect((await anna.api.post(`${identity}/commands/revoke`)).status).toBe(201);
    expect(await saves(String(saved.body.eventId))).toMatchObject({ status: 409, body: { code: 'identity-revoked' } });
    const verdict = await anna.api.get(`/v1/pixbooks/${other.bookId}/verify`);
    expect(verdict).toMatchObject({ status: 200, body: { valid: true, receipts: 2 } });
  });

  it('a closed pixbook refuses commands, and the next one is its next generation', async () => {
    const own = await collectorWithBook(anna.api, anna.userId);
    const create = { accountId: own.accountId, identityId: own.identityId, collectionId: 'col_01JZDEM0000000000000000000' };
    expect(await anna.api.post('/v1/pixbooks', create)).toMatchObject({ status: 409, body: { code: 'pixbook-exists' } });
    expect((await anna.api.post(`/v1/pixbooks/${own.bookId}/commands/close`)).status).toBe(201);
    const next = await anna.api.post('/v1/pixbooks', create);
    expect(next.status).toBe(201);
    expect(next.body.bookId).not.toBe(own.bookId);
    expect((await anna.api.get(`/v1/pixbooks/${own.bookId}`)).body).toMatchObject({ status: 'closed', generation: 1 });
  });

  it('a pixbook is created once per key, also after it was closed', async () => {
    const { accountId } = await collectorWithBook(anna.api, anna.userId);
    const { body } = await anna.api.post(`/v1/accounts/${accountId}/identities`, { controller: anna.userId });
    const key = { 'idempotency-key': randomUUID() };
    const create = { accountId, identityId: body.identityId, collectionId: 'col_01JZDEM0000000000000000000' };
    const first = await anna.api.post('/v1/pixbooks', create, key);
    await anna.api.post(`/v1/pixbooks/${String(first.body.bookId)}/commands/close`);
    const again = await anna.api.post('/v1/pixbooks', create, key);
    expect(again).toMatchObject({ status: 201, body: first.body });
    expect(again.headers.get('idempotency-replayed')).toBe('true');
  });
});
