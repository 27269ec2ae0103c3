import { beforeAll, describe, expect, it } from 'vitest';
import { CATALOGUE, type Collector, type Published, collector, done, grant, publish, text } from './collector.fixture.ts';
import { ADA, EVE, OPERATOR, type World, makeWorld, refusal, said } from './ledger.fixture.ts';

type Instance = { readonly instanceId: string; readonly cardId: string };
type Page<Row> = { readonly data: readonly Row[]; readonly meta: { readonly cursor: string | null; readonly hasMore: boolean } };
const pageOf = async <Row>(answer: Response): Promise<Page<Row>> => (await answer.json()) as Page<Row>;

describe('a pack', () => {
  let world: World;
  let made: Published;
  let ada: Collector;
  let book: string;
  let packId: string;
  beforeAll(async () => {
    world = await makeWorld();
    made = await publish(world);
    ada = await collector(world, made.collectionId);
    book = `/v1/pixbooks/${ada.bookId}`;
    packId = text((await done(world, ADA, `${book}/commands/issue-pack`, { dropId: made.dropId })).packId);
  });
  const get = (path: string, as: string = ADA) => world.ask('GET', `${book}${path}`, { as });
  const post = (verb: string, key: string, body: unknown, as: string = ADA) =>
    world.ask('POST', `${book}/commands/${verb}`, { as, key, body });

  it('is asked for by the collector, drawn by the ledger, and answered with where it is', async () => {
    const again = await world.ask('POST', `${book}/commands/issue-pack`, { key: 'again', body: { dropId: made.dropId } });
    expect(await refusal(again)).toEqual([409, 'pack-issued']);
    const pack = await said(await get(`/packs/${packId}`));
    expect(pack).toMatchObject({ packId, bookId: ada.bookId, dropId: made.dropId, codeId: null, openedAt: null });
    const cards = pack.cards as Instance[];
    expect(new Set(cards.map(({ cardId }) => cardId)).size).toBe(3);
    const held = await pageOf<Instance>(await get('/cards'));
    expect(held.data.map(({ instanceId }) => instanceId)).toEqual(cards.map(({ instanceId }) => instanceId).sort());
    expect(held.data[0]).toMatchObject({ status: 'owned', tradeId: null, source: 'pack', sourceId: packId });
  });

  it('is opened once, which reveals it and changes nothing else', async () => {
    const before = [await said(await get('/completion')), await said(await get('/cards'))];
    const answer = await post('open-pack', 'open', { packId });
    expect([answer.status, answer.headers.get('location')]).toEqual([201, `${book}/packs/${packId}`]);
    expect(await said(await get(`/packs/${packId}`))).toMatchObject({ status: 'opened', openedAt: expect.any(String) });
    expect([await said(await get('/completion')), await said(await get('/cards'))]).toEqual(before);
    expect(await refusal(await post('open-pack', 'open-2', { packId }))).toEqual([409, 'pack-opened']);
    const missing = { packId: 'pck_00000000000000000000000009' };
    expect(await refusal(await post('open-pack', 'open-3', missing))).toEqual([404, 'pack-missing']);
    const [issued, opened] = [await get('/packs?status=issued'), await get('/packs?status=opened')];
    expect([(await pageOf(issued)).data.length, (await pageOf(opened)).data.length]).toEqual([0, 1]);
  });

  it('and everything about it is tagged with the head of the pixbook', async () => {
    const head = (await world.ask('GET', book)).headers.get('etag');
    for (const path of ['/packs', `/packs/${packId}`]) {
      expect([path, (await get(path)).headers.get('etag')]).toEqual([path, head]);
      const again = await world.ask('GET', `${book}${path}`, { headers: { 'If-None-Match': head ?? '' } });
      expect(again.status).toBe(304);
    }
    for (const path of ['/cards', '/completion']) {
      const etag = (await get(path)).headers.get('etag') ?? '';
      expect((await world.ask('GET', `${book}${path}`, { headers: { 'If-None-Match': etag } })).status).toBe(304);
    }
  });

  it('of somebody else is as little there as one that is missing', async () => {
    const eve = await collector(world, made.collectionId, EVE);
    const missing = '/v1/pixbooks/bk_00000000000000000000000009';
    const paths = ['/packs', `/packs/${packId}`, `/packs/${packId}/certificate`, '/cards', '/completion'];
    for (const path of paths)
      for (const hint of ['', `?accountId=${eve.accountId}`, `?accountId=${ada.accountId}`])
        for (const place of [book, missing])
          expect([path, hint, await refusal(await world.ask('GET', `${place}${path}${hint}`, { as: EVE }))]).toEqual([
            ...[path, hint],
            [404, 'not-found'],
          ]);
    expect(await refusal(await get('/packs/x'))).toEqual([404, 'not-found']);
    expect(await refusal(await get('/packs/pck_00000000000000000000000009'))).toEqual([404, 'not-found']);
    const commands: readonly (readonly [string, unknown])[] = [
      ['issue-pack', { dropId: made.dropId }],
      ['issue-pack', { dropId: made.dropId, identityId: 'idn_operator' }],
      ['open-pack', { packId }],
      ['add-cards', { cardIds: ['fox'], reason: 'mine' }],
      ['remove-cards', { instanceIds: ['ins_00000000000000000000000009'], reason: 'mine' }],
    ];
    const before = world.objects.size;
    for (const [verb, body] of commands)
      for (const place of [book, missing]) {
        const answer = await world.ask('POST', `${place}/commands/${verb}`, { as: EVE, key: verb, body });
        expect([verb, await refusal(answer)]).toEqual([verb, [404, 'not-found']]);
      }
    expect(world.objects.size).toBe(before);
  });

  it('is given by an issuer to whom it likes, once', async () => {
    const world = await makeWorld();
    const { collectionId, dropId } = await publish(world);
    const { bookId } = await collector(world, collectionId);
    const body = { dropId, identityId: 'idn_operator' };
    const path = `/v1/pixbooks/${bookId}/commands/issue-pack`;
    expect((await world.ask('POST', path, { as: OPERATOR, key: 'k', body })).status).toBe(201);
    expect(await refusal(await world.ask('POST', path, { as: ADA, key: 'k2', body: { dropId } }))).toEqual([409, 'pack-issued']);
    expect(await refusal(await world.ask('POST', path, { as: ADA, key: 'k3', body }))).toEqual([403, 'forbidden']);
    const missing = { dropId: 'drp_00000000000000000000000009' };
    expect(await refusal(await world.ask('POST', path, { as: ADA, key: 'k4', body: missing }))).toEqual([404, 'drop-missing']);
  });

  it('has a certificate for whoever reads the pixbook', async () => {
    const answer = await get(`/packs/${packId}/certificate`);
    expect(await said(answer)).toMatchObject({
      packId,
      fingerprint: world.parts.ledger.fingerprint,
      receipts: expect.any(Array),
    });
    const headers = { 'If-None-Match': answer.headers.get('etag') ?? '' };
    expect((await world.ask('GET', `${book}/packs/${packId}/certificate`, { headers })).status).toBe(304);
    const missing = '/packs/pck_00000000000000000000000009/certificate';
    expect(await refusal(await get(missing))).toEqual([404, 'not-found']);
  });
});

describe('cards', () => {
  let world: World;
  let ada: Collector;
  let book: string;
  beforeAll(async () => {
    world = await makeWorld();
    ada = await collector(world, (await publish(world)).collectionId);
    book = `/v1/pixbooks/${ada.bookId}`;
  });
  const post = (verb: string, key: string, body: unknown, as: string = OPERATOR) =>
    world.ask('POST', `${book}/commands/${verb}`, { as, key, body });

  it('are added and removed by issuers, with a reason', async () => {
    const [fox, second = '', owl] = await grant(world, ada, ['fox', 'fox', 'owl']);
    const held = await pageOf<Instance>(await world.ask('GET', `${book}/cards`));
    expect(held.data.map(({ instanceId, cardId }) => [instanceId, cardId]).sort()).toEqual(
      [
        [fox, 'fox'],
        [second, 'fox'],
        [owl, 'owl'],
      ].sort(),
    );
    const removed = await post('remove-cards', 'remove', { instanceIds: [second], reason: 'one too many' });
    expect([removed.status, removed.headers.get('location')]).toEqual([201, `${book}/cards`]);
    expect(await refusal(await post('remove-cards', 'again', { instanceIds: [second], reason: 'gone' }))).toEqual([
      409,
      'card-not-held',
    ]);
    expect(await refusal(await post('remove-cards', 'twice', { instanceIds: [fox, fox], reason: 'twice' }))).toEqual([
      422,
      'card-twice',
    ]);
    expect(await refusal(await post('add-cards', 'yeti', { cardIds: ['yeti'], reason: 'seen' }))).toEqual([422, 'card-missing']);
  });

  it('are not minted by their collector', async () => {
    expect(await refusal(await post('add-cards', 'mint', { cardIds: ['fox'], reason: 'I want it' }, ADA))).toEqual([
      403,
      'forbidden',
    ]);
  });

  it.each([
    ['add-cards', { cardIds: [], reason: 'none' }, '/cardIds', 'invalid'],
    ['add-cards', { cardIds: ['fox'] }, '/reason', 'missing'],
    ['add-cards', { cardIds: ['fox'], reason: '' }, '/reason', 'invalid'],
    ['add-cards', { cardIds: Array.from({ length: 51 }, () => 'fox'), reason: 'many' }, '/cardIds', 'invalid'],
    ['add-cards', { cardIds: ['Fox'], reason: 'loud' }, '/cardIds/0', 'invalid'],
    ['remove-cards', { instanceIds: ['fox'], reason: 'no id' }, '/instanceIds/0', 'invalid'],
    ['issue-pack', { dropId: 'x' }, '/dropId', 'invalid'],
    ['open-pack', {}, '/packId', 'missing'],
  ])('are refused with pointers: %s %j', async (verb, body, pointer, code) => {
    expect(await said(await post(verb, 'bad', body))).toMatchObject({ status: 400, errors: [{ in: 'body', pointer, code }] });
  });

  it('come in pages', async () => {
    const first = await pageOf<Instance>(await world.ask('GET', `${book}/cards?limit=1`));
    expect([first.data.length, first.meta.hasMore]).toEqual([1, true]);
    const rest = await pageOf<Instance>(await world.ask('GET', `${book}/cards?cursor=${first.meta.cursor ?? ''}`));
    const whole = await pageOf<Instance>(await world.ask('GET', `${book}/cards`));
    expect([...first.data, ...rest.data]).toEqual(whole.data);
    expect((await world.ask('GET', `${book}/cards?cursor=x`)).status).toBe(400);
  });

  it('complete a collection, card by card', async () => {
    const completion = await said(await world.ask('GET', `${book}/completion`));
    expect(completion).toMatchObject({ bookId: ada.bookId, version: 1, total: CATALOGUE.cards.length, held: 2, missing: 6 });
    expect(completion.series).toMatchObject([
      { seriesId: 'forest', held: 2, missing: 2 },
      { seriesId: 'sea', held: 0 },
    ]);
  });

  it('complete nothing where the collection is not there', async () => {
    const lost = await makeWorld(({ queries }) => ({ queries: { ...queries, collection: () => Promise.resolve(null) } }));
    const { bookId } = await collector(lost, (await publish(lost)).collectionId, 'usr_cy');
    const answer = await lost.ask('GET', `/v1/pixbooks/${bookId}/completion`, { as: 'usr_cy' });
    expect(await refusal(answer)).toEqual([404, 'collection-missing']);
  });
});
