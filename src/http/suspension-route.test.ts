import { beforeAll, describe, expect, it } from 'vitest';
import { instantOf } from '../receipt/ids.ts';
import { type Collector, collector, done, grant, makeCode, publish, text } from './collector.fixture.ts';
import { ADA, EVE, OPERATOR, makeWorld, refusal, said } from './ledger.fixture.ts';

/** Ada's account is suspended, with a fox to give, a pack to open, and an offer from Eve; Eve has an offer from Ada. */
const openScene = async () => {
  const world = await makeWorld();
  const made = await publish(world);
  const [ada, eve] = [await collector(world, made.collectionId), await collector(world, made.collectionId, EVE)];
  const [fox = '', owl = ''] = await grant(world, ada, ['fox', 'owl']);
  const [eel = ''] = await grant(world, eve, ['eel']);
  const expiresAt = instantOf(world.parts.clock.now() + 3_600_000);
  const offer = async (from: Collector, to: Collector, copy: string): Promise<string> =>
    text(
      (await done(world, from.user, '/v1/trades', { bookId: from.bookId, to: { bookId: to.bookId }, give: [copy], expiresAt }))
        .tradeId,
    );
  const [toEve, toAda] = [await offer(ada, eve, fox), await offer(eve, ada, eel)];
  const book = `/v1/pixbooks/${ada.bookId}`;
  const packId = text((await done(world, ADA, `${book}/commands/issue-pack`, { dropId: made.dropId })).packId);
  const code = await makeCode(world, made, 0);
  const later = await done(world, OPERATOR, `/v1/collections/${made.collectionId}/drops`, { title: 'Week 2', packSize: 3 });
  const standing = (command: string, body?: unknown) =>
    done(world, OPERATOR, `/v1/admin/accounts/${ada.accountId}/commands/${command}`, body);
  return { world, made, ada, eve, owl, toEve, toAda, book, packId, code, dropId: text(later.dropId), expiresAt, standing };
};
type Scene = Awaited<ReturnType<typeof openScene>>;

type Command = { readonly as?: string; readonly path: string; readonly body?: unknown };
const baseOf = '01HF7YAT00ZY2HFVSMAQJQ9NN0';

/** Each could be done, or would be refused with something else, were the account not suspended. */
const commands: readonly (readonly [string, (scene: Scene) => Command])[] = [
  ['a save', ({ book }) => ({ path: `${book}/commands/save`, body: { state: {}, baseEventId: baseOf } })],
  ['a new identity', ({ ada }) => ({ path: `/v1/accounts/${ada.accountId}/identities`, body: { controller: ADA } })],
  ['a rotated key', ({ ada }) => ({ path: `/v1/accounts/${ada.accountId}/identities/${ada.identityId}/commands/rotate-key` })],
  [
    'a new pixbook',
    ({ ada: { accountId, identityId } }) => ({
      path: '/v1/pixbooks',
      body: { accountId, identityId, collectionId: 'col_01JZ0000000000000000000000' },
    }),
  ],
  ['a new member', ({ ada }) => ({ path: `/v1/accounts/${ada.accountId}/members`, body: { userId: 'usr_cy', role: 'member' } })],
  ['an invitation', ({ ada }) => ({ path: `/v1/accounts/${ada.accountId}/invitations`, body: { role: 'member' } })],
  ['a closed account', ({ ada }) => ({ path: `/v1/accounts/${ada.accountId}/commands/close` })],
  ['a closed pixbook', ({ book }) => ({ path: `${book}/commands/close` })],
  ['a pack', ({ book, dropId }) => ({ path: `${book}/commands/issue-pack`, body: { dropId } })],
  [
    'a pack from an issuer',
    ({ book, dropId }) => ({ as: OPERATOR, path: `${book}/commands/issue-pack`, body: { dropId, identityId: 'idn_operator' } }),
  ],
  ['a grant', ({ book }) => ({ as: OPERATOR, path: `${book}/commands/add-cards`, body: { cardIds: ['fox'], reason: 'a gift' } })],
  ['an opened pack', ({ book, packId }) => ({ path: `${book}/commands/open-pack`, body: { packId } })],
  ['a claim', ({ ada, code }) => ({ path: '/v1/codes/commands/claim', body: { code, bookId: ada.bookId } })],
  [
    'an offer',
    ({ ada, eve, owl, expiresAt }) => ({
      path: '/v1/trades',
      body: { bookId: ada.bookId, to: { bookId: eve.bookId }, give: [owl], expiresAt },
    }),
  ],
  ['an accepted trade', ({ toAda }) => ({ path: `/v1/trades/${toAda}/commands/accept` })],
  ['a declined trade', ({ toAda }) => ({ path: `/v1/trades/${toAda}/commands/decline` })],
  ['a cancelled trade', ({ toEve }) => ({ path: `/v1/trades/${toEve}/commands/cancel` })],
];

describe('a suspended account', () => {
  let scene: Scene;
  beforeAll(async () => {
    scene = await openScene();
    await scene.standing('suspend', { reason: 'unpaid' });
  });
  const post = ({ as = ADA, path, body }: Command, key: string) => scene.world.ask('POST', path, { as, key, body });

  it.each(commands)('refuses %s', async (what, commandOf) => {
    expect(await refusal(await post(commandOf(scene), what.replaceAll(/[ ’]/g, '-')))).toEqual([403, 'account-suspended']);
  });

  it('goes on being read', async () => {
    const { world, ada, book, toAda } = scene;
    const paths = [
      `/v1/accounts/${ada.accountId}`,
      `/v1/accounts/${ada.accountId}/receipts`,
      `/v1/accounts/${ada.accountId}/usage`,
    ];
    for (const path of [...paths, book, `${book}/cards`, `${book}/packs`, `${book}/receipts`, `/v1/trades/${toAda}`])
      expect([path, (await world.ask('GET', path)).status]).toEqual([path, 200]);
    expect(await said(await world.ask('GET', paths[0] ?? ''))).toMatchObject({ status: 'suspended', suspensionReason: 'unpaid' });
  });

  it('is told to its members alone: strangers see what they saw before', async () => {
    const { book, ada } = scene;
    expect(await refusal(await post({ as: EVE, path: `${book}/commands/close` }, 'stranger'))).toEqual([404, 'not-found']);
    expect(await refusal(await post({ as: EVE, path: `/v1/accounts/${ada.accountId}/commands/close` }, 'stranger'))).toEqual([
      404,
      'not-found',
    ]);
  });

  it('lets nothing go that it offered, until it is resumed', async () => {
    const { world, toEve, toAda, standing } = scene;
    const accept = () => post({ as: EVE, path: `/v1/trades/${toEve}/commands/accept` }, 'eve');
    const objects = world.objects.size;
    expect(await refusal(await accept())).toEqual([403, 'account-suspended']);
    expect(world.objects.size).toBe(objects);
    await standing('resume');
    expect((await accept()).status).toBe(201);
    expect((await post({ path: `/v1/trades/${toAda}/commands/accept` }, 'resumed')).status).toBe(201);
    for (const tradeId of [toEve, toAda])
      expect(await said(await world.ask('GET', `/v1/trades/${tradeId}`))).toMatchObject({ status: 'settled' });
  });
});

describe('a key that was used before the suspension', () => {
  it('is answered as it was: what is there is there', async () => {
    const { world, ada, standing } = await openScene();
    const again = () =>
      world.ask('POST', `/v1/accounts/${ada.accountId}/invitations`, { key: 'invite', body: { role: 'viewer' } });
    const first = await said(await again());
    await standing('suspend', { reason: 'unpaid' });
    const replayed = await again();
    expect([replayed.status, await said(replayed)]).toEqual([201, first]);
  });
});
