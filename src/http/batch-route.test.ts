import { beforeAll, describe, expect, it } from 'vitest';
import { limits } from '../limits.ts';
import { type Collector, type Published, collector, done, publish, text } from './collector.fixture.ts';
import { ADA, EVE, OPERATOR, type World, makeWorld, refusal, said } from './ledger.fixture.ts';

describe('a batch', () => {
  let world: World;
  let made: Published;
  let ada: Collector;
  beforeAll(async () => {
    world = await makeWorld();
    made = await publish(world);
    ada = await collector(world, made.collectionId);
    await done(world, OPERATOR, '/v1/accounts/acc_operator/members', { userId: EVE, role: 'issuer' });
  });
  let keys = 0;
  const post = (path: string, body?: unknown, as: string = OPERATOR, key = `k${keys++}`) =>
    world.ask('POST', path, { as, key, body });
  const get = (path: string, as: string = OPERATOR) => world.ask('GET', path, { as });
  const orderOf = async (path: string, order: object): Promise<string> => text((await said(await post(path, order))).batchId);

  it('of packs is taken, and told about until every pixbook has its pack or a reason why not', async () => {
    const [bo, cy] = [await collector(world, made.collectionId, 'usr_bo'), await collector(world, made.collectionId, 'usr_cy')];
    await done(world, 'usr_bo', `/v1/pixbooks/${bo.bookId}/commands/close`);
    const order = { ...made, books: [ada, bo, cy].map(({ bookId }) => ({ bookId })) };
    const answer = await post('/v1/batches/packs', order, OPERATOR, 'packs');
    const body = await said(answer);
    const batchId = text(body.batchId);
    expect([answer.status, answer.headers.get('location')]).toEqual([202, `/v1/batches/${batchId}`]);
    const { collectionId, dropId } = made;
    const asked = { batchId, kind: 'packs', collectionId, dropId, identityId: 'idn_operator', total: 3 };
    expect(body).toMatchObject({ ...asked, status: 'queued', done: 0, failures: [], finishedAt: null, shownAt: null });
    await world.finishBatch(batchId);
    const failures = [{ item: bo.bookId, code: 'pixbook-closed', detail: expect.any(String) }];
    expect(await said(await get(`/v1/batches/${batchId}`))).toMatchObject({ ...asked, status: 'finished', done: 3, failures });
    for (const { bookId, user } of [ada, cy])
      expect(await said(await get(`/v1/pixbooks/${bookId}/packs`, user))).toMatchObject({ data: [{ dropId }] });
    const again = await post('/v1/batches/packs', order, OPERATOR, 'packs');
    expect(await said(again)).toMatchObject({ batchId, status: 'finished' });
    const other = await post('/v1/batches/packs', { ...order, books: [{ bookId: cy.bookId }] }, OPERATOR, 'packs');
    expect(await refusal(other)).toEqual([422, 'idempotency-key-reused']);
  });

  it('of codes shows them once it is finished, once, and each is worth a pack', async () => {
    const batchId = await orderOf('/v1/batches/codes', { ...made, count: 2 });
    const show = `/v1/batches/${batchId}/commands/show-codes`;
    expect(await refusal(await post(show))).toEqual([409, 'batch-not-finished']);
    await world.finishBatch(batchId);
    const shown = await post(show);
    expect([shown.status, shown.headers.get('cache-control')]).toEqual([200, 'no-store']);
    const body = (await said(shown)) as { batchId: string; codes: { codeId: string; code: string }[] };
    expect(body).toMatchObject({ batchId, codes: [{ code: expect.stringMatching(/^(?:[0-9A-Z]{4}-?){3}$/) }, {}] });
    expect(await refusal(await post(show))).toEqual([409, 'codes-shown']);
    expect(await said(await get(`/v1/batches/${batchId}`))).toMatchObject({ shownAt: expect.any(String) });
    const listed = await said(await get(`/v1/drops/${made.dropId}/codes?batchId=${batchId}`));
    expect(listed.data).toMatchObject(
      body.codes.map(({ codeId }) => ({ codeId })).sort((a, b) => (a.codeId < b.codeId ? -1 : 1)),
    );
    const [{ code = '' } = {}] = body.codes;
    const claimed = await world.ask('POST', '/v1/codes/commands/claim', { key: 'claim', body: { code, bookId: ada.bookId } });
    expect(claimed.status).toBe(201);
    for (const each of body.codes) expect(JSON.stringify(world.lines)).not.toContain(each.code);
  });

  it('has no codes to show when it is one of packs', async () => {
    const batchId = await orderOf('/v1/batches/packs', { ...made, books: [{ bookId: ada.bookId }] });
    await world.finishBatch(batchId);
    expect(await refusal(await post(`/v1/batches/${batchId}/commands/show-codes`))).toEqual([404, 'not-found']);
  });

  it('is there for nobody but who ordered it, and operators', async () => {
    const batchId = await orderOf('/v1/batches/codes', { ...made, count: 1 });
    for (const as of [ADA, EVE])
      for (const id of [batchId, 'bat_00000000000000000000000009', 'packs', 'x']) {
        expect(await refusal(await get(`/v1/batches/${id}`, as))).toEqual([404, 'not-found']);
        expect(await refusal(await post(`/v1/batches/${id}/commands/show-codes`, {}, as))).toEqual([404, 'not-found']);
      }
  });

  it('is for issuers to order, and tells nobody else which books there are', async () => {
    const missing = 'bk_00000000000000000000000009';
    const told = new Set<string>();
    for (const bookId of [ada.bookId, missing]) {
      const answer = await post('/v1/batches/packs', { ...made, books: [{ bookId }] }, ADA);
      const { status, code, detail } = await said(answer);
      told.add(JSON.stringify([status, code, detail]));
    }
    expect([...told]).toEqual([expect.stringContaining('403,"forbidden"')]);
    const books = [{ bookId: ada.bookId }, { bookId: missing }, { bookId: ada.bookId }];
    expect(await said(await post('/v1/batches/packs', { ...made, books }))).toMatchObject({
      status: 400,
      errors: [
        { in: 'body', pointer: '/books/1/bookId', detail: 'there is no such pixbook' },
        { in: 'body', pointer: '/books/2/bookId', detail: 'this pixbook is named twice' },
      ],
    });
  });

  it.each([
    [{ dropId: 'drp_00000000000000000000000009' }, OPERATOR, 404, 'drop-missing'],
    [{ collectionId: 'col_00000000000000000000000009' }, OPERATOR, 404, 'collection-missing'],
    [{ identityId: 'idn_00000000000000000000000009' }, OPERATOR, 404, 'identity-missing'],
    [{}, EVE, 403, 'forbidden'],
  ])('is refused when it could not be done: %j by %s', async (more, as, status, code) => {
    expect(await refusal(await post('/v1/batches/codes', { ...made, count: 1, ...more }, as))).toEqual([status, code]);
  });

  it('may be as large as its limit, with every id spelled out', async () => {
    const books = Array.from({ length: limits.packsPerBatch }, (_, i) => ({
      bookId: `bk_${String(i).padStart(26, '0')}`,
      accountId: ada.accountId,
    }));
    const order = (all: readonly object[]) => post('/v1/batches/packs', JSON.stringify({ ...made, books: all }, null, 1));
    expect((await order(books)).status).toBe(202);
    const [first] = books;
    expect(await said(await order([...books, first ?? {}]))).toMatchObject({ errors: [{ pointer: '/books' }] });
    for (const count of [0, limits.codesPerBatch + 1, 1.5])
      expect(await said(await post('/v1/batches/codes', { ...made, count }))).toMatchObject({ errors: [{ pointer: '/count' }] });
  });
});
