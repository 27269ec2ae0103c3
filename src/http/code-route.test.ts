import { beforeAll, describe, expect, it } from 'vitest';
import { limits } from '../limits.ts';
import { Outage } from '../port/outage.ts';
import { codeShown } from '../stream/code/secret.ts';
import { type Collector, type Published, codeAt, collector, done, makeCode, publish, text } from './collector.fixture.ts';
import { ADA, EVE, OPERATOR, type World, makeWorld, publishOne, refusal, said } from './ledger.fixture.ts';

const CLAIM = '/v1/codes/commands/claim';

describe('claiming a code', () => {
  let world: World;
  let made: Published;
  let ada: Collector;
  let eve: Collector;
  beforeAll(async () => {
    world = await makeWorld();
    made = await publish(world);
    ada = await collector(world, made.collectionId);
    eve = await collector(world, made.collectionId, EVE);
  });
  const claim = (code: unknown, { user, bookId }: Collector, key: string, more: object = {}) =>
    world.ask('POST', CLAIM, { as: user, key, body: { code, bookId, ...more } });
  /** The answer, and how long it took by the clock of the world. */
  const timed = async (ask: () => Promise<Response>) => {
    const { clock } = world.parts;
    const from = clock.now();
    const answer = await ask();
    return { answer, ms: clock.now() - from };
  };

  it('answers its pack, and the same one however often it is claimed for the same pixbook', async () => {
    const code = await makeCode(world, made, 0);
    const { codeId } = codeAt(0);
    const first = await claim(codeShown(code).toLowerCase(), ada, 'claim-0');
    const body = await said(first);
    const pack = `/v1/pixbooks/${ada.bookId}/packs/${text(body.packId)}`;
    expect([first.status, first.headers.get('location'), body.codeId]).toEqual([201, pack, codeId]);
    expect(await said(await world.ask('GET', pack))).toMatchObject({ codeId, dropId: made.dropId, status: 'issued' });
    for (const key of ['claim-0', 'another key']) {
      const again = await claim(code, ada, key.replaceAll(' ', '-'), { accountId: ada.accountId });
      expect(await said(again)).toEqual(body);
    }
  });

  it('is refused to whoever comes second, and so is a revoked code', async () => {
    const [first, second] = [await makeCode(world, made, 1), await makeCode(world, made, 2)];
    expect((await claim(first, ada, 'claim-1')).status).toBe(201);
    expect(await refusal(await claim(first, eve, 'claim-1'))).toEqual([409, 'code-claimed']);
    await done(world, OPERATOR, `/v1/codes/${codeAt(2).codeId}/commands/revoke`);
    expect(await refusal(await claim(second, eve, 'claim-2'))).toEqual([410, 'code-revoked']);
    expect((await claim(first, ada, 'claim-1b')).status).toBe(201);
    const other = await collector(world, await publishOne(world), 'usr_cy');
    const third = await makeCode(world, made, 3);
    expect(await refusal(await claim(third, other, 'claim-3'))).toEqual([422, 'code-of-other-collection']);
  });

  it('is refused in the same words and time whether the code was never made or is none at all', async () => {
    const own = ['instance', 'requestId', 'traceId'];
    const seen = async (code: string) => {
      const { answer, ms } = await timed(() => claim(code, ada, `claim-${code.length}`));
      const body = Object.entries(await said(answer)).filter(([name]) => !own.includes(name));
      expect(ms).toBeGreaterThanOrEqual(limits.codeRefusalMs);
      return JSON.stringify([answer.status, [...answer.headers].filter(([name]) => name !== 'x-request-id'), body]);
    };
    const unknown = await seen(codeAt(99).code);
    expect(unknown).toContain('code-missing');
    for (const none of ['', 'X', 'UUUU-UUUU-UUUU', 'x'.repeat(10_000)]) expect(await seen(none)).toBe(unknown);
  });

  it('waits with every refusal that tells about a code, and with no pack', async () => {
    const taken = codeAt(1).code;
    for (const [code, who] of [
      [taken, eve],
      [codeAt(2).code, eve],
    ] as const)
      expect((await timed(() => claim(code, who, 'slow'))).ms).toBeGreaterThanOrEqual(limits.codeRefusalMs);
    expect((await timed(() => claim(taken, ada, 'quick'))).ms).toBeLessThan(limits.codeRefusalMs);
  });

  it('for a pixbook of somebody else is what it is for one that is missing, code or no code', async () => {
    const missing = { ...eve, bookId: 'bk_00000000000000000000000009' };
    for (const code of [codeAt(0).code, codeAt(98).code, 'x'])
      for (const book of [{ ...ada, user: EVE }, missing]) {
        const { answer, ms } = await timed(() => claim(code, book, 'foreign'));
        expect(await refusal(answer)).toEqual([404, 'not-found']);
        expect(ms).toBeGreaterThanOrEqual(limits.codeRefusalMs);
      }
  });

  it('refuses a body that is none at once, for that tells nothing about a code', async () => {
    expect(await said(await claim(17, ada, 'bad'))).toMatchObject({ status: 400, errors: [{ pointer: '/code' }] });
  });

  it('leaves the code in no log, no receipt, no problem and no row', async () => {
    const code = await makeCode(world, made, 4);
    const answers = [await claim(code, eve, 'a'), await claim(code, ada, 'b'), await claim(codeAt(97).code, ada, 'c')];
    const told = await Promise.all(answers.map((answer) => answer.text()));
    const bytes = [...world.objects.values()].map((each) => Buffer.from(each).toString());
    const rows = JSON.stringify(world.readModel.dump());
    for (const secret of [code, codeAt(97).code, codeShown(code)])
      expect([...told, ...bytes, rows, JSON.stringify(world.lines)].filter((each) => each.includes(secret))).toEqual([]);
  });

  it('says what is missing when a part is, and heals a projection that is gone', async () => {
    const code = await makeCode(world, made, 5);
    world.readModel.wipe();
    await makeCode(world, made, 6);
    const answer = await claim(code, ada, 'healing', { accountId: ada.accountId });
    expect(answer.status).toBe(201);
    const lost = await makeWorld(({ commands }) => ({
      commands: { ...commands, claimCode: () => Promise.reject(new Outage('signer', 'signer-unavailable', 'sealed')) },
    }));
    const { bookId } = await collector(lost, await publishOne(lost));
    expect(await refusal(await lost.ask('POST', CLAIM, { key: 'k', body: { code, bookId } }))).toEqual([
      503,
      'signer-unavailable',
    ]);
  });
});

describe('codes', () => {
  let world: World;
  let made: Published;
  beforeAll(async () => {
    world = await makeWorld();
    made = await publish(world);
    for (const index of [0, 1, 2]) await makeCode(world, made, index);
    await done(world, OPERATOR, `/v1/codes/${codeAt(1).codeId}/commands/revoke`, { identityId: 'idn_operator' });
  });
  const get = (path: string, as: string = OPERATOR) => world.ask('GET', path, { as });

  it('are listed by name, and narrowed by status and batch', async () => {
    const codes = async (query: string) =>
      (await said(await get(`/v1/drops/${made.dropId}/codes${query}`))) as { data: { codeId: string; status: string }[] };
    const all = (await codes('')).data;
    expect(all.map(({ codeId }) => codeId)).toEqual([0, 1, 2].map((index) => codeAt(index).codeId).sort());
    expect((await codes('?status=revoked')).data.map(({ codeId }) => codeId)).toEqual([codeAt(1).codeId]);
    expect((await codes('?batchId=bat_00000000000000000000000001')).data).toEqual(all);
    expect((await codes('?batchId=bat_00000000000000000000000009')).data).toEqual([]);
    expect((await get(`/v1/drops/${made.dropId}/codes?status=lost`)).status).toBe(400);
  });

  it('are read one by one, tagged with their heads', async () => {
    const answer = await get(`/v1/codes/${codeAt(1).codeId}`);
    expect(await said(answer)).toMatchObject({ ...made, status: 'revoked', claimedAt: null });
    const etag = answer.headers.get('etag') ?? '';
    const again = await world.ask('GET', `/v1/codes/${codeAt(1).codeId}`, { as: OPERATOR, headers: { 'If-None-Match': etag } });
    expect(again.status).toBe(304);
  });

  it('are visible as soon as their receipts are, to issuers', async () => {
    const { codeId } = codeAt(2);
    const revoked = await done(world, OPERATOR, `/v1/codes/${codeId}/commands/revoke`);
    const eventId = text(revoked.eventId);
    for (const path of [`/v1/codes/${codeId}`, `/v1/drops/${made.dropId}/codes`])
      expect((await get(`${path}?minEventId=${eventId}`)).status).toBe(200);
    expect((await get(`/v1/receipts/${eventId}`)).status).toBe(200);
    expect((await get(`/v1/codes/${codeId}?minEventId=01HF7YAT00ZY2HFVSMAQJQ9NN0`)).status).toBe(400);
    expect(await refusal(await get(`/v1/drops/${made.dropId}/codes?minEventId=01HF7YAT00ZY2HFVSMAQJQ9NN0`))).toEqual([
      503,
      'projection-behind',
    ]);
  });

  it('are for nobody else to see or to revoke, and look as if they were not there', async () => {
    const { codeId } = codeAt(0);
    const missing = 'cod_00000000000000000000000009';
    for (const path of [`/v1/codes/${codeId}`, `/v1/codes/${missing}`, '/v1/codes/x', `/v1/drops/${made.dropId}/codes`])
      expect([path, await refusal(await get(path, ADA))]).toEqual([path, [404, 'not-found']]);
    for (const id of [codeId, missing])
      expect(await refusal(await world.ask('POST', `/v1/codes/${id}/commands/revoke`, { key: 'k' }))).toEqual([403, 'forbidden']);
    expect(await refusal(await get('/v1/drops/drp_00000000000000000000000009/codes'))).toEqual([404, 'not-found']);
    expect(await refusal(await get(`/v1/codes/${missing}`))).toEqual([404, 'not-found']);
    const unknown = await world.ask('POST', `/v1/codes/${missing}/commands/revoke`, { as: OPERATOR, key: 'k' });
    expect(await refusal(unknown)).toEqual([404, 'code-missing']);
  });
});
