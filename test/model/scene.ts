import {
  type IdempotencyKey,
  type IdentityId,
  OPERATOR_ACCOUNT_ID,
  type UserId,
  bookIdFor,
  collectionIdFor,
  dropIdFor,
  identityIdFor,
} from '../../src/receipt/ids.ts';
import { type Ground, asks, newGround, worldOn } from '../crash/world.ts';
import { type Collector, giveCards, newCollector } from '../domain/collector.ts';
import { type Publication, catalogueOf, done, issuer, issuerAsks, publish, putArt } from '../domain/publication.ts';
import { type Collection, type Reckoning, newReckoning } from './reckoning.ts';

const [ben, vera] = ['usr_ben', 'usr_vera'] as [UserId, UserId];

/** Everybody there is: two families, one with a second child and a grandmother who only looks; the issuer; and Eve, who belongs nowhere. */
export const users = [...(['usr_anna', 'usr_carl', 'usr_eve'] as UserId[]), ben, vera, issuer];

/** A ledger in which things may begin, and what the reckoning says of it. */
export type Scene = { readonly ground: Ground; readonly reckoning: Reckoning; readonly issuerIdentity: IdentityId };

const BIRDS = ['bird-crane', 'bird-dove', 'bird-eagle', 'fish-pike', 'fish-roach'];
const MOSSES = ['moss-broom', 'moss-cord', 'moss-feather'];

const makeScene = async (): Promise<Scene> => {
  const world = worldOn(await newGround());
  const process = world.start();
  const { commands } = process;
  const birds = await publish(world, process, { cards: BIRDS, packSize: 3 });
  const { identityId } = birds;
  const catalogue = catalogueOf(1, ...MOSSES);
  putArt(world, catalogue);
  await done(commands.publishCollection(issuerAsks('mosses'), { identityId, collectionId: null, catalogue }));
  const collectionId = collectionIdFor(identityId, 'mosses' as IdempotencyKey);
  await done(commands.openDrop(issuerAsks('moss-drop'), { identityId, collectionId, title: 'Mosses', packSize: 2 }));
  const mosses = { identityId, collectionId, dropId: dropIdFor(collectionId, 'moss-drop' as IdempotencyKey) };

  const anna = await newCollector(commands, 'anna', birds.collectionId);
  const carl = await newCollector(commands, 'carl', birds.collectionId);
  const { accountId } = anna;
  await done(commands.addMember(asks('ben', anna.userId), accountId, { userId: ben, role: 'member' }));
  await done(commands.addMember(asks('vera', anna.userId), accountId, { userId: vera, role: 'viewer' }));
  await done(commands.createIdentity(asks('second', ben), accountId, ben));
  const second = { userId: ben, accountId, identityId: identityIdFor(accountId, 'second' as IdempotencyKey) };
  const { collectionId: birdsId } = birds;
  await done(commands.createPixbook(asks('book', ben), { ...second, collectionId: birdsId }));
  const bens: Collector = { ...second, bookId: bookIdFor(second.identityId, birdsId, 1) };

  const reckoning = reckon({ birds, mosses, collectors: [anna, bens, carl] });
  for (const { book, cards } of [
    { book: anna, cards: ['bird-crane', 'bird-dove', 'fish-pike'] },
    { book: bens, cards: ['bird-crane', 'bird-eagle'] },
    { book: carl, cards: ['bird-dove', 'fish-roach', 'fish-roach'] },
  ]) {
    const instanceIds = await giveCards(commands, birds, book, ...cards);
    const given = catalogueOf(1, ...new Set(cards)).cards;
    for (const [index, instanceId] of instanceIds.entries()) {
      const card = given.find(({ cardId }) => cardId === cards[index]);
      if (card !== undefined) reckoning.copies.set(instanceId, { cardId: card.cardId, owner: book.bookId, keptBy: null });
    }
  }
  return { ground: world.ground(), reckoning, issuerIdentity: identityId };
};

type Cast = { readonly birds: Publication; readonly mosses: Publication; readonly collectors: readonly Collector[] };

const reckon = ({ birds, mosses, collectors }: Cast): Reckoning => {
  const reckoning = newReckoning();
  const collection = ({ dropId }: Publication, packSize: number, cards: readonly string[]): Collection => ({
    cards: [...catalogueOf(1, ...cards).cards],
    retired: new Set(),
    drops: new Map([[dropId, { isOpen: true, packSize }]]),
  });
  reckoning.collections.set(birds.collectionId, collection(birds, 3, BIRDS));
  reckoning.collections.set(mosses.collectionId, collection(mosses, 2, MOSSES));
  reckoning.roles.set(OPERATOR_ACCOUNT_ID, new Map([[issuer, 'operator']]));
  for (const { userId, accountId, identityId, bookId } of collectors) {
    const members = reckoning.roles.get(accountId) ?? new Map([[userId, 'owner']]);
    if (!members.has(userId)) members.set(userId, 'member').set(vera, 'viewer');
    reckoning.roles.set(accountId, members);
    reckoning.identities.set(identityId, { accountId, controller: userId, isRevoked: false });
    const { collectionId } = birds;
    reckoning.books.set(bookId, { accountId, bookId, identityId, collectionId, isClosed: false, packs: new Map() });
  }
  return reckoning;
};

let made: Promise<Scene> | undefined;

/** A scene for one run: the ledger's ground is copied by whoever builds on it. */
export const newScene = async (): Promise<Scene> => {
  made ??= makeScene();
  const { reckoning, ...scene } = await made;
  return { ...scene, reckoning: structuredClone(reckoning) };
};
