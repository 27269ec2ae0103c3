import { beforeEach, describe, expect, it } from 'vitest';
import { instantOf } from '../receipt/ids.ts';
import { type Collector, collector, grant, publish, text } from './collector.fixture.ts';
import { ADA, EVE, type World, makeWorld, refusal, said } from './ledger.fixture.ts';

const CY = 'usr_cy';
const MISSING = `trd_${'0'.repeat(26)}`;

describe('a trade', () => {
  let world: World;
  let ada: Collector;
  let eve: Collector;
  let cy: Collector;
  /** Ada's fox and owl, Eve's eel and cod. */
  let fox: string;
  let owl: string;
  let eel: string;
  let cod: string;
  beforeEach(async () => {
    world = await makeWorld();
    const { collectionId } = await publish(world);
    ada = await collector(world, collectionId);
    eve = await collector(world, collectionId, EVE);
    cy = await collector(world, collectionId, CY);
    [fox = '', owl = ''] = await grant(world, ada, ['fox', 'owl']);
    [eel = '', cod = ''] = await grant(world, eve, ['eel', 'cod']);
  });
  let keys = 0;
  const post = (path: string, as: string, body?: unknown, key = `k${keys++}`) => world.ask('POST', path, { as, key, body });
  const inAnHour = () => instantOf(world.parts.clock.now() + 3_600_000);
  const offering = (give: readonly string[], more: object = {}) => ({
    ...{ bookId: ada.bookId, to: { bookId: eve.bookId }, give, expiresAt: inAnHour() },
    ...more,
  });
  const offered = async (give: readonly string[], more: object = {}): Promise<string> => {
    const answer = await post('/v1/trades', ADA, offering(give, more));
    expect(answer.status).toBe(201);
    return text((await said(answer)).tradeId);
  };
  const read = async (tradeId: string, as: string = ADA) => said(await world.ask('GET', `/v1/trades/${tradeId}`, { as }));
  const held = async ({ bookId, user }: Collector) => {
    const { data } = await said(await world.ask('GET', `/v1/pixbooks/${bookId}/cards`, { as: user }));
    return Object.fromEntries((data as { instanceId: string; status: string }[]).map((each) => [each.instanceId, each.status]));
  };

  it('is offered, accepted and settled: each copy is in exactly one book', async () => {
    const answer = await post('/v1/trades', ADA, offering([fox], { want: { instanceIds: [eel] } }));
    const tradeId = text((await said(answer)).tradeId);
    expect(answer.headers.get('location')).toBe(`/v1/trades/${tradeId}`);
    const { accountId, bookId } = ada;
    expect(await read(tradeId, EVE)).toMatchObject({
      ...{ tradeId, status: 'offered', from: { accountId, bookId }, to: { bookId: eve.bookId } },
      ...{ give: [{ instanceId: fox, cardId: 'fox' }], want: { instanceIds: [eel], cardIds: [] }, receive: null, endedAt: null },
    });
    expect(await held(ada)).toEqual({ [fox]: 'escrowed', [owl]: 'owned' });
    const accepted = await post(`/v1/trades/${tradeId}/commands/accept`, EVE, {});
    expect([accepted.status, accepted.headers.get('location')]).toEqual([201, `/v1/trades/${tradeId}`]);
    expect(await read(tradeId)).toMatchObject({ status: 'settled', receive: [{ instanceId: eel, cardId: 'eel' }] });
    expect([await held(ada), await held(eve)]).toEqual([
      { [eel]: 'owned', [owl]: 'owned' },
      { [fox]: 'owned', [cod]: 'owned' },
    ]);
    const { eventId } = await said(accepted);
    for (const as of [ADA, EVE])
      expect((await world.ask('GET', `/v1/trades/${tradeId}?minEventId=${text(eventId)}`, { as })).status).toBe(200);
  });

  it('that wants cards is accepted with copies of them, and no others', async () => {
    const tradeId = await offered([fox], { want: { cardIds: ['eel'] } });
    const accept = `/v1/trades/${tradeId}/commands/accept`;
    expect(await refusal(await post(accept, EVE, { give: [cod] }))).toEqual([422, 'trade-want-mismatch']);
    expect(await refusal(await post(accept, EVE, {}))).toEqual([422, 'trade-want-mismatch']);
    expect((await post(accept, EVE, { give: [eel] })).status).toBe(201);
  });

  it('without a want is a gift', async () => {
    const tradeId = await offered([fox, owl]);
    expect((await post(`/v1/trades/${tradeId}/commands/accept`, EVE)).status).toBe(201);
    expect([await held(ada), Object.keys(await held(eve)).sort()]).toEqual([{}, [fox, owl, eel, cod].sort()]);
  });

  it.each([
    ['decline', EVE, 'declined', 'trade-declined'],
    ['cancel', ADA, 'cancelled', 'trade-cancelled'],
  ] as const)('ends once: %s', async (verb, as, status, code) => {
    const tradeId = await offered([fox]);
    const answer = await post(`/v1/trades/${tradeId}/commands/${verb}`, as);
    expect([answer.status, answer.headers.get('location')]).toEqual([201, `/v1/trades/${tradeId}`]);
    expect(await read(tradeId)).toMatchObject({ status, endedAt: expect.any(String) });
    expect(await held(ada)).toEqual({ [fox]: 'owned', [owl]: 'owned' });
    for (const [other, who] of [
      ['accept', EVE],
      ['decline', EVE],
      ['cancel', ADA],
    ] as const)
      expect(await refusal(await post(`/v1/trades/${tradeId}/commands/${other}`, who))).toEqual([409, code]);
  });

  it('keeps its copies from every other use', async () => {
    await offered([fox]);
    expect(await refusal(await post('/v1/trades', ADA, offering([fox])))).toEqual([409, 'card-in-escrow']);
    expect(await refusal(await post(`/v1/pixbooks/${ada.bookId}/commands/close`, ADA))).toEqual([409, 'trade-pending']);
  });

  it('is repeated with its key, and never offered twice', async () => {
    const body = offering([fox]);
    const [first, again] = [await post('/v1/trades', ADA, body, 'same'), await post('/v1/trades', ADA, body, 'same')];
    expect([await again.text(), again.headers.get('idempotency-replayed')]).toEqual([await first.text(), 'true']);
    expect(await refusal(await post('/v1/trades', ADA, offering([owl]), 'same'))).toEqual([422, 'idempotency-key-reused']);
  });

  it.each([
    ['with itself', () => ({ to: { bookId: ada.bookId } }), 422, 'trade-with-itself'],
    ['to nobody', () => ({ to: { bookId: 'bk_00000000000000000000000009' } }), 422, 'trade-target-missing'],
    ['of what is not there', () => ({ give: [`ins_${'0'.repeat(26)}`] }), 409, 'card-not-held'],
    ['of what is another’s', () => ({ give: [eel] }), 409, 'card-not-held'],
    ['of a copy twice', () => ({ give: [fox, fox] }), 422, 'card-twice'],
    ['for no time', () => ({ expiresAt: instantOf(world.parts.clock.now()) }), 422, 'trade-expiry-invalid'],
    ['for ever', () => ({ expiresAt: '9999-12-31T00:00:00.000Z' }), 422, 'trade-expiry-invalid'],
    ['from a missing book', () => ({ bookId: 'bk_00000000000000000000000009' }), 404, 'not-found'],
    ['from a foreign book', () => ({ bookId: eve.bookId, to: { bookId: ada.bookId }, give: [eel] }), 404, 'not-found'],
  ])('is not offered %s', async (_what, more, status, code) => {
    expect(await refusal(await post('/v1/trades', ADA, { ...offering([fox]), ...more() }))).toEqual([status, code]);
  });

  it('is read by both sides, and is not there for others', async () => {
    const tradeId = await offered([fox]);
    const list = async (query: string, as: string) => {
      const { data } = await said(await world.ask('GET', `/v1/trades${query}`, { as }));
      return (data as { tradeId: string }[]).map((trade) => trade.tradeId);
    };
    for (const { user, bookId, accountId } of [ada, eve])
      for (const query of ['', `?bookId=${bookId}`, `?accountId=${accountId}`, '?status=offered'])
        expect([query, await list(query, user)]).toEqual([query, [tradeId]]);
    expect([await list('?status=settled', ADA), await list('', CY)]).toEqual([[], []]);
    for (const query of [
      `?bookId=${ada.bookId}`,
      `?accountId=${ada.accountId}`,
      `?accountId=${cy.accountId}&bookId=${ada.bookId}`,
    ])
      expect(await refusal(await world.ask('GET', `/v1/trades${query}`, { as: CY }))).toEqual([404, 'not-found']);
    for (const id of [tradeId, MISSING, 'x'])
      for (const path of [`/v1/trades/${id}`, `/v1/trades/${id}/certificate`, `/v1/trades/${id}?minEventId=${tradeId.slice(4)}`])
        expect([path, await refusal(await world.ask('GET', path, { as: CY }))]).toEqual([path, [404, 'not-found']]);
    expect((await world.ask('GET', `/v1/trades/${tradeId}?minEventId=01HF7YAT00ZY2HFVSMAQJQ9NN0`)).status).toBe(400);
    const etag = (await world.ask('GET', `/v1/trades/${tradeId}`)).headers.get('etag') ?? '';
    expect((await world.ask('GET', `/v1/trades/${tradeId}`, { headers: { 'If-None-Match': etag } })).status).toBe(304);
  });

  it('of others is nobody’s to accept, decline or cancel, whatever they say it is', async () => {
    const tradeId = await offered([fox]);
    const before = world.objects.size;
    const from = `accountId=${ada.accountId}&bookId=${ada.bookId}`;
    const to = `toAccountId=${cy.accountId}&toBookId=${cy.bookId}`;
    const mine = `accountId=${cy.accountId}&bookId=${cy.bookId}`;
    for (const id of [tradeId, MISSING])
      for (const verb of ['accept', 'decline', 'cancel'])
        for (const query of ['', `?${from}`, `?${from}&${to}`, `?${mine}&${to}`, `?${mine}`]) {
          const path = `/v1/trades/${id}/commands/${verb}${query}`;
          expect([path, await refusal(await post(path, CY))]).toEqual([path, [404, 'not-found']]);
        }
    expect(world.objects.size).toBe(before);
    expect(await refusal(await post(`/v1/trades/${tradeId}/commands/cancel`, EVE))).toEqual([404, 'not-found']);
    expect(await refusal(await post(`/v1/trades/${tradeId}/commands/accept`, ADA))).toEqual([404, 'not-found']);
  });

  it('whose books are named goes on when the projection is gone', async () => {
    const tradeId = await offered([fox]);
    world.readModel.wipe();
    const path = `/v1/trades/${tradeId}/commands/accept`;
    expect(await refusal(await post(path, EVE))).toEqual([404, 'not-found']);
    await grant(world, ada, ['bat']);
    const query = `?accountId=${ada.accountId}&bookId=${ada.bookId}&toAccountId=${eve.accountId}&toBookId=${eve.bookId}`;
    expect((await post(`${path}${query}`, EVE)).status).toBe(201);
    expect(await read(tradeId, EVE)).toMatchObject({ status: 'settled' });
  });

  it.each([
    [{ give: [] }, '/give', 'invalid'],
    [{ give: 'all' }, '/give', 'invalid'],
    [{ want: { instanceIds: ['x'] } }, '/want/instanceIds/0', 'invalid'],
    [{ want: { gold: 1 } }, '/want/gold', 'unknown-member'],
    [{ to: {} }, '/to/bookId', 'missing'],
    [{ expiresAt: '2026-01-02' }, '/expiresAt', 'invalid'],
  ])('is refused with pointers: %j', async (more, pointer, code) => {
    const answer = await post('/v1/trades', ADA, { ...offering([fox]), ...more });
    expect(await said(answer)).toMatchObject({ status: 400, errors: [{ in: 'body', pointer, code }] });
  });

  it('has a certificate for both sides, once it is accepted', async () => {
    const tradeId = await offered([fox]);
    const path = `/v1/trades/${tradeId}/certificate`;
    expect(await refusal(await world.ask('GET', path))).toEqual([404, 'certificate-missing']);
    expect((await post(`/v1/trades/${tradeId}/commands/accept`, EVE)).status).toBe(201);
    const { fingerprint } = world.parts.ledger;
    for (const as of [ADA, EVE])
      expect(await said(await world.ask('GET', path, { as }))).toMatchObject({
        tradeId,
        fingerprint,
        receipts: expect.any(Array),
      });
    expect(await refusal(await world.ask('GET', path, { as: CY }))).toEqual([404, 'not-found']);
  });
});
