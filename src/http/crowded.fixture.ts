import { codeShown } from '../stream/code/secret.ts';
import { CATALOGUE, type Collector, codeAt, collector, done, grant, makeCode, publish, text } from './collector.fixture.ts';
import { OPERATOR, type World, makeWorld, publishOne, said } from './ledger.fixture.ts';

/** A world in which there is one of everything: a family, its neighbour, a partner in trade, the operator's people, and what each of them has. */

/** Who is somewhere in it. `guest` is signed in and has nothing but a suspended account; `gone` was a member of the family with an identity and a book, and is none any more. */
export const OWNER = 'usr_owner';
export const MEMBER = 'usr_member';
export const SIBLING = 'usr_sibling';
export const VIEWER = 'usr_viewer';
export const GONE = 'usr_gone';
export const LEAVER = 'usr_leaver';
export const NEIGHBOUR = 'usr_neighbour';
export const PARTNER = 'usr_partner';
export const ISSUER = 'usr_issuer';
export const SECOND_ISSUER = 'usr_second-issuer';
/** An issuer who does nothing: others do things to them. */
export const CLERK = 'usr_clerk';
export const GUEST = 'usr_guest';

/** What the names in paths, and in bodies, stand for there. */
export type Crowd = {
  readonly world: World;
  readonly accountId: string;
  /** An account that an operator has suspended. */
  readonly suspendedAccountId: string;
  readonly runId: string;
  /** The member's, as is the book. */
  readonly identityId: string;
  readonly bookId: string;
  readonly eventId: string;
  /** The book’s head, for saving. */
  readonly headEventId: string;
  /** Another book of the member’s, with nothing pending. */
  readonly idleBookId: string;
  readonly goneBookId: string;
  readonly neighbour: Collector;
  readonly partner: Collector;
  readonly invitation: { readonly invitationId: string; readonly secret: string };
  readonly operatorInvitation: { readonly invitationId: string; readonly secret: string };
  readonly issuerIdentityId: string;
  readonly collectionId: string;
  /** A collection of which the member has no book yet. */
  readonly otherCollectionId: string;
  /** A drop whose pack the book has, and one whose pack it may still get. */
  readonly dropId: string;
  readonly freshDropId: string;
  readonly packId: string;
  readonly heldInstanceId: string;
  readonly codeId: string;
  readonly code: string;
  readonly batchId: string;
  readonly trades: { readonly outgoing: string; readonly incoming: string; readonly settled: string };
  readonly expiresAt: string;
  readonly art: { readonly hash: string; readonly svg: string };
  readonly publicKeyId: string;
};

const EXPIRES_AT = '2026-01-03T00:00:00.000Z';

export const makeCrowd = async (override: Parameters<typeof makeWorld>[0] = () => ({})): Promise<Crowd> => {
  const world = await makeWorld(override);
  const { collectionId, dropId } = await publish(world);
  const office = await makeOffice(world);
  const family = await makeFamily(world, collectionId);
  const [partner, neighbour] = [await collector(world, collectionId, PARTNER), await collector(world, collectionId, NEIGHBOUR)];
  const { accountId, identityId, bookId } = family;
  const book = { user: MEMBER, accountId, identityId, bookId };
  const [given = '', kept = '', gift = ''] = await grant(world, book, ['fox', 'owl', 'elk']);
  const [wanted = ''] = await grant(world, partner, ['eel']);
  const offer = async (from: Collector, to: Collector, instanceId: string): Promise<string> => {
    const offered = { bookId: from.bookId, to: { bookId: to.bookId }, give: [instanceId], expiresAt: EXPIRES_AT };
    return text((await done(world, from.user, '/v1/trades', offered)).tradeId);
  };
  const settled = await offer(book, partner, gift);
  await done(world, PARTNER, `/v1/trades/${settled}/commands/accept`, {});
  const trades = { outgoing: await offer(book, partner, given), incoming: await offer(partner, book, wanted), settled };
  const issued = await done(world, MEMBER, `/v1/pixbooks/${bookId}/commands/issue-pack`, { dropId });
  const drops = `/v1/collections/${collectionId}/drops`;
  const fresh = await done(world, OPERATOR, drops, { title: 'Week 2', packSize: 3 });
  const made = { collectionId, dropId: text(fresh.dropId) };
  const code = codeShown(await makeCode(world, made, 0));
  const signer = { identityId: office.issuerIdentityId };
  const batch = await done(world, ISSUER, '/v1/batches/codes', { ...made, count: 1, ...signer });
  await world.finishBatch(text(batch.batchId));
  const head = await said(await world.ask('GET', `/v1/pixbooks/${bookId}`, { as: MEMBER }));
  const suspended = text((await done(world, GUEST, '/v1/accounts')).accountId);
  await done(world, OPERATOR, `/v1/admin/accounts/${suspended}/commands/suspend`, { reason: 'a test' });
  const run = await done(world, OPERATOR, '/v1/admin/runs', { kind: 'verify' });
  await world.finishRun(text(run.runId), { exitCode: 0, reason: null, report: null, reportWhole: true });
  const receipt = await said(await world.ask('GET', `/v1/receipts/${family.eventId}`, { as: MEMBER }));
  return {
    world,
    ...family,
    ...office,
    ...{ neighbour, partner, trades, collectionId, dropId, code, expiresAt: EXPIRES_AT },
    invitation: await invited(world, OWNER, accountId, 'viewer'),
    operatorInvitation: await invited(world, OPERATOR, 'acc_operator', 'issuer'),
    otherCollectionId: await publishOne(world),
    headEventId: text((head.head as { eventId?: unknown }).eventId),
    freshDropId: made.dropId,
    suspendedAccountId: suspended,
    runId: text(run.runId),
    packId: text(issued.packId),
    heldInstanceId: kept,
    codeId: codeAt(0).codeId,
    batchId: text(batch.batchId),
    art: { hash: CATALOGUE.cards[0]?.artHash ?? '', svg: '<svg xmlns="http://www.w3.org/2000/svg"><title>fox</title></svg>' },
    publicKeyId: text((receipt.issuer as { publicKeyId?: unknown }).publicKeyId),
  };
};

const invited = async (world: World, as: string, accountId: string, role: string) => {
  const { invitationId, secret } = await done(world, as, `/v1/accounts/${accountId}/invitations`, { role });
  return { invitationId: text(invitationId), secret: text(secret) };
};

const makeOffice = async (world: World): Promise<Pick<Crowd, 'issuerIdentityId'>> => {
  const account = '/v1/accounts/acc_operator';
  for (const userId of [ISSUER, SECOND_ISSUER, CLERK])
    await done(world, OPERATOR, `${account}/members`, { userId, role: 'issuer' });
  const { identityId } = await done(world, ISSUER, `${account}/identities`, { controller: ISSUER });
  return { issuerIdentityId: text(identityId) };
};

const makeFamily = async (world: World, collectionId: string) => {
  const accountId = text((await done(world, OWNER, '/v1/accounts')).accountId);
  const account = `/v1/accounts/${accountId}`;
  const members = { [MEMBER]: 'member', [SIBLING]: 'member', [VIEWER]: 'viewer', [LEAVER]: 'viewer', [GONE]: 'member' };
  for (const [userId, role] of Object.entries(members)) await done(world, OWNER, `${account}/members`, { userId, role });
  const bookOf = async (controller: string, maker: string = controller) => {
    const identityId = text((await done(world, maker, `${account}/identities`, { controller })).identityId);
    const made = await done(world, controller, '/v1/pixbooks', { accountId, identityId, collectionId });
    return { identityId, bookId: text(made.bookId), eventId: text(made.eventId) };
  };
  await bookOf(SIBLING);
  const { bookId: goneBookId } = await bookOf(GONE);
  const { bookId: idleBookId } = await bookOf(MEMBER, OWNER);
  await done(world, OWNER, `${account}/members/${GONE}/commands/remove`);
  return { accountId, goneBookId, idleBookId, ...(await bookOf(MEMBER)) };
};
