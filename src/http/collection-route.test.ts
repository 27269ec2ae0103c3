import { beforeAll, describe, expect, it } from 'vitest';
import { limits } from '../limits.ts';
import { CATALOGUE, type Published, collector, done, publish, putArt, text } from './collector.fixture.ts';
import { ADA, EVE, OPERATOR, type World, makeWorld, refusal, said } from './ledger.fixture.ts';

const MISSING = 'col_00000000000000000000000009';

describe('a collection', () => {
  let world: World;
  let made: Published;
  beforeAll(async () => {
    world = await makeWorld();
    made = await publish(world);
  });
  const get = (path: string, headers: Readonly<Record<string, string>> = {}, as = EVE) => world.ask('GET', path, { as, headers });
  const post = (path: string, key: string, body?: unknown, as: string = OPERATOR) => world.ask('POST', path, { as, key, body });

  it('is published by an issuer and read by every user, tagged with its head', async () => {
    const path = `/v1/collections/${made.collectionId}`;
    const answer = await get(path);
    const body = await said(answer);
    expect(body).toMatchObject({ ...CATALOGUE, collectionId: made.collectionId, version: 1, series: [{ retiredAt: null }, {}] });
    const etag = answer.headers.get('etag') ?? '';
    expect(etag).toBe(`"${(body.head as { hash: string }).hash}"`);
    for (const each of [path, `${path}/drops`, `${path}/receipts`, `/v1/drops/${made.dropId}`]) {
      expect([each, (await get(each)).headers.get('etag')]).toEqual([each, etag]);
      expect((await get(each, { 'If-None-Match': etag })).status).toBe(304);
    }
    const { collectionId } = made;
    expect(await said(await get('/v1/collections'))).toMatchObject({
      data: [{ collectionId, title: CATALOGUE.title, version: 1 }],
      meta: { hasMore: false },
    });
  });

  it('shows its receipts to every user, one by one and together', async () => {
    const page = (await said(await get(`/v1/collections/${made.collectionId}/receipts`))) as { data: { eventId: string }[] };
    expect(page.data).toMatchObject([{ type: 'COLLECTION_PUBLISHED' }, { type: 'DROP_OPENED' }]);
    const { eventId = '' } = page.data[0] ?? {};
    expect(await said(await get(`/v1/receipts/${eventId}`))).toEqual(page.data[0]);
    for (const path of [`/v1/collections/${made.collectionId}`, '/v1/collections', `/v1/drops/${made.dropId}`])
      expect((await get(`${path}?minEventId=${eventId}`)).status).toBe(200);
    expect((await get(`/v1/collections/${made.collectionId}?minEventId=01HF7YAT00ZY2HFVSMAQJQ9NN0`)).status).toBe(400);
    expect(await said(await get(`/v1/collections/${made.collectionId}/verify`))).toMatchObject({ valid: true });
  });

  it('has drops, whose seed nobody sees before they are closed', async () => {
    const { dropId, collectionId } = made;
    const drop = { dropId, collectionId, title: 'Week 1', packSize: 3, status: 'open', seed: null };
    const body = await said(await get(`/v1/drops/${dropId}`));
    expect(body).toMatchObject(drop);
    expect(await said(await get(`/v1/collections/${collectionId}/drops`))).toEqual({
      data: [body],
      meta: { cursor: null, hasMore: false },
    });
    expect(await said(await get(`/v1/drops/${dropId}?collectionId=${collectionId}`))).toEqual(body);
    expect(await refusal(await get(`/v1/drops/${dropId}?collectionId=${MISSING}`))).toEqual([404, 'not-found']);
  });

  it.each([
    `/v1/collections/${MISSING}`,
    '/v1/collections/x',
    `/v1/collections/${MISSING}/drops`,
    `/v1/collections/${MISSING}/receipts`,
    '/v1/drops/drp_00000000000000000000000009',
    '/v1/drops/x',
  ])('that is not there is not found: %s', async (path) => {
    expect(await refusal(await get(path))).toEqual([404, 'not-found']);
  });

  it('is for issuers to change', async () => {
    const path = `/v1/collections/${made.collectionId}`;
    const asked: readonly (readonly [string, unknown])[] = [
      ['/v1/collections', CATALOGUE],
      [`${path}/commands/publish`, { ...CATALOGUE, version: 2 }],
      [`${path}/commands/retire-series`, { seriesId: 'sea' }],
      [`${path}/drops`, { title: 'Week 2' }],
      [`/v1/drops/${made.dropId}/commands/close`, {}],
    ];
    const before = world.objects.size;
    for (const [command, body] of asked)
      expect([command, await refusal(await post(command, 'k', body, ADA))]).toEqual([command, [403, 'forbidden']]);
    expect(world.objects.size).toBe(before);
  });

  it.each([
    [{ ...CATALOGUE, version: 2 }, '/version', 'invalid'],
    [{ ...CATALOGUE, cards: [] }, '/cards', 'invalid'],
    [{ ...CATALOGUE, title: 'x'.repeat(limits.titleChars + 1) }, '/title', 'invalid'],
    [{ ...CATALOGUE, cards: [{ ...CATALOGUE.cards[0], artHash: 'sha256:5e' }] }, '/cards/0/artHash', 'invalid'],
    [{ ...CATALOGUE, cards: [{ ...CATALOGUE.cards[0], price: 1 }] }, '/cards/0/price', 'unknown-member'],
    [{ ...CATALOGUE, series: undefined }, '/series', 'missing'],
  ])('is refused with pointers into a catalogue that is none', async (body, pointer, code) => {
    expect(await said(await post('/v1/collections', 'bad', body))).toMatchObject({
      status: 400,
      errors: [{ in: 'body', pointer, code }],
    });
  });

  it('is refused while art is missing, and when the catalogue does not hold together', async () => {
    const [fox] = CATALOGUE.cards;
    const without = [{ ...fox, artHash: `sha256:${'0'.repeat(64)}` }];
    expect(await refusal(await post('/v1/collections', 'c1', { ...CATALOGUE, cards: without }))).toEqual([422, 'art-missing']);
    expect(await refusal(await post('/v1/collections', 'c2', { ...CATALOGUE, cards: [fox, fox] }))).toEqual([
      422,
      'catalogue-invalid',
    ]);
  });
});

describe('the life of a collection', () => {
  it('goes through versions, retired series and drops, each answered with where it is', async () => {
    const world = await makeWorld();
    const { collectionId, dropId } = await publish(world);
    const path = `/v1/collections/${collectionId}`;
    await putArt(world, 'newt');
    const steps: readonly (readonly [path: string, location: RegExp, body?: unknown])[] = [
      [`${path}/commands/publish`, new RegExp(`^${path}$`), { ...CATALOGUE, version: 2, title: 'Smaller animals' }],
      [`${path}/commands/retire-series`, new RegExp(`^${path}$`), { seriesId: 'sea', identityId: 'idn_operator' }],
      [`${path}/drops`, /^\/v1\/drops\/drp_/, { title: 'Week 2', packSize: 4 }],
      [`/v1/drops/${dropId}/commands/close`, new RegExp(`^/v1/drops/${dropId}$`)],
    ];
    for (const [i, [command, location, body]] of steps.entries()) {
      const answer = await world.ask('POST', command, { as: OPERATOR, key: `step-${i}`, body });
      expect([command, answer.status]).toEqual([command, 201]);
      expect(answer.headers.get('location')).toMatch(location);
    }
    const collection = await said(await world.ask('GET', path));
    expect(collection).toMatchObject({
      version: 2,
      title: 'Smaller animals',
      series: [{ retiredAt: null }, { seriesId: 'sea' }],
    });
    expect((collection.series as { retiredAt: string }[])[1]?.retiredAt).toMatch(/^2026-/);
    expect(await said(await world.ask('GET', `/v1/drops/${dropId}`))).toMatchObject({
      status: 'closed',
      seed: expect.stringMatching(/^[0-9a-f]{64}$/),
    });

    const refused: readonly (readonly [path: string, status: number, code: string, body?: unknown])[] = [
      [`${path}/commands/publish`, 409, 'version-published', { ...CATALOGUE, version: 2 }],
      [`${path}/commands/publish`, 409, 'version-skipped', { ...CATALOGUE, version: 4 }],
      [`${path}/commands/retire-series`, 404, 'series-missing', { seriesId: 'sky' }],
      [`${path}/commands/retire-series`, 409, 'series-retired', { seriesId: 'sea' }],
      [`${path}/drops`, 409, 'pool-too-small', { title: 'Week 3', packSize: 5 }],
      [`/v1/drops/${dropId}/commands/close`, 409, 'drop-closed'],
      [`/v1/collections/${MISSING}/commands/retire-series`, 404, 'collection-missing', { seriesId: 'sea' }],
    ];
    for (const [i, [command, status, code, body]] of refused.entries()) {
      const answer = await world.ask('POST', command, { as: OPERATOR, key: `refused-${i}`, body });
      expect([command, await refusal(answer)]).toEqual([command, [status, code]]);
    }
  });

  it('gives a new collection and a new drop the ids that follow from the key', async () => {
    const world = await makeWorld();
    for (const { cardId } of CATALOGUE.cards) await putArt(world, cardId);
    const again = async (path: string, body: unknown) => {
      const first = await world.ask('POST', path, { as: OPERATOR, key: path, body });
      const second = await world.ask('POST', path, { as: OPERATOR, key: path, body });
      expect(second.headers.get('idempotency-replayed')).toBe('true');
      const answer = await said(second);
      expect(answer).toEqual(await said(first));
      return answer;
    };
    const { collectionId } = await again('/v1/collections', { version: 1, ...CATALOGUE });
    const { dropId } = await again(`/v1/collections/${text(collectionId)}/drops`, { title: 'Week 1' });
    expect(await said(await world.ask('GET', `/v1/drops/${text(dropId)}`))).toMatchObject({ packSize: limits.defaultPackCards });
  });

  it('of a drop whose collection is named goes on when the projection is gone', async () => {
    const world = await makeWorld();
    const { collectionId, dropId } = await publish(world);
    world.readModel.wipe();
    const path = `/v1/drops/${dropId}/commands/close`;
    expect(await refusal(await world.ask('POST', path, { as: OPERATOR, key: 'k' }))).toEqual([404, 'not-found']);
    expect((await world.ask('POST', `${path}?collectionId=${collectionId}`, { as: OPERATOR, key: 'k' })).status).toBe(201);
    expect((await world.ask('GET', `/v1/drops/${dropId}`)).status).toBe(200);
  });

  it('is served by issuers with identities of their own', async () => {
    const world = await makeWorld();
    const { collectionId } = await publish(world);
    const account = '/v1/accounts/acc_operator';
    await done(world, OPERATOR, `${account}/members`, { userId: EVE, role: 'issuer' });
    const identityId = text((await done(world, OPERATOR, `${account}/identities`, { controller: EVE })).identityId);
    const drop = { title: 'By Eve', packSize: 2 };
    const own = await world.ask('POST', `/v1/collections/${collectionId}/drops`, {
      as: EVE,
      key: 'k',
      body: { ...drop, identityId },
    });
    expect(own.status).toBe(201);
    const others = await world.ask('POST', `/v1/collections/${collectionId}/drops`, { as: EVE, key: 'k2', body: drop });
    expect(await refusal(others)).toEqual([403, 'forbidden']);
    expect((await collector(world, collectionId)).bookId).toMatch(/^bk_/);
  });
});
