import { beforeEach, describe, expect, it } from 'vitest';
import {
  ADA,
  EVE,
  type Furniture,
  OPERATOR,
  type World,
  furnish,
  makeWorld,
  publishOne,
  refusal,
  said,
} from './ledger.fixture.ts';

let world: World;
let there: Furniture;
beforeEach(async () => {
  world = await makeWorld();
  there = await furnish(world);
});
const path = () => `/v1/accounts/${there.accountId}/usage`;
const usage = async (query = '') => said(await world.ask('GET', `${path()}${query}`));
const save = (key: string, baseEventId: string, options = {}) =>
  world.ask('POST', `/v1/pixbooks/${there.bookId}/commands/save`, { key, body: { state: {}, baseEventId }, ...options });

describe('what an account used', () => {
  it('is told to its owner: this month’s commands, receipts and bytes, and what its plan allows', async () => {
    const first = await usage();
    expect(first).toMatchObject({ accountId: there.accountId, month: '2026-01', plan: 'free', requestsPerMinute: 60 });
    // The account, the identity, the pixbook.
    expect(first).toMatchObject({ commands: 3, receipts: 3 });
    await save('written', there.eventId);
    await save('written', there.eventId); // replayed
    await save('refused', there.eventId); // the base is stale
    const later = await usage();
    expect(later).toMatchObject({ commands: 6, receipts: 4 });
    expect(Number(later.bytes)).toBeGreaterThan(Number(first.bytes));
  });

  it('does not grow with what strangers try, nor with what issuers do', async () => {
    expect((await save('foreign', there.eventId, { as: EVE })).status).toBe(404);
    await world.ask('POST', `/v1/accounts/${there.accountId}/commands/close`, { as: EVE, key: 'close' });
    const body = { cardIds: ['only-card'], reason: 'a gift' };
    await world.ask('POST', `/v1/pixbooks/${there.bookId}/commands/add-cards`, { as: OPERATOR, key: 'gift', body });
    expect(await usage()).toMatchObject({ commands: 3, receipts: 4 });
    const operators = await world.parts.meter.commands('acc_operator' as never, '2026-01' as never);
    expect(operators).toBeGreaterThan(0);
  });

  it('is told by the month', async () => {
    expect(await usage('?month=2025-12')).toMatchObject({ month: '2025-12', commands: 0, receipts: 0, bytes: 0 });
    for (const month of ['2026-13', '2026-1', '26-01', '2026-01-01', ''])
      expect(await refusal(await world.ask('GET', `${path()}?month=${month}`))).toEqual([400, 'invalid-request']);
  });

  it('is for owners: other members get 403, strangers what there is for a missing account', async () => {
    for (const [userId, role] of [
      ['usr_member', 'member'],
      ['usr_viewer', 'viewer'],
    ] as const) {
      await world.ask('POST', `/v1/accounts/${there.accountId}/members`, { key: userId, body: { userId, role } });
      expect(await refusal(await world.ask('GET', path(), { as: userId }))).toEqual([403, 'forbidden']);
    }
    for (const as of [EVE, OPERATOR]) expect(await refusal(await world.ask('GET', path(), { as }))).toEqual([404, 'not-found']);
    const missing = '/v1/accounts/acc_01JZ0000000000000000000000/usage';
    expect(await refusal(await world.ask('GET', missing, { as: ADA }))).toEqual([404, 'not-found']);
    expect(await refusal(await world.ask('GET', path(), { as: null }))).toEqual([401, 'unauthenticated']);
  });

  it('is told of a closed account too', async () => {
    await world.ask('POST', `/v1/accounts/${there.accountId}/commands/close`, { key: 'close' });
    expect(await usage()).toMatchObject({ commands: 4 });
    expect(await publishOne(world)).not.toBe('');
  });
});
