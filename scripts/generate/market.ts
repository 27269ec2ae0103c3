import pMap from 'p-map';
import { ensureOperator } from '../../src/command/ensure-operator.ts';
import { initialise } from '../../src/command/initialise.ts';
import type { Ledger } from '../../src/command/ledger.ts';
import type { CommandPorts } from '../../src/command/ports.ts';
import {
  type CardId,
  type CollectionId,
  type DropId,
  type IdentityId,
  OPERATOR_ACCOUNT_ID,
  OPERATOR_IDENTITY_ID,
  type PublicKeyId,
  type UserId,
  collectionIdFor,
  dropIdFor,
  identityIdFor,
} from '../../src/receipt/ids.ts';
import { LEDGER_ROOT, artKeyOf, prefixOf } from '../../src/receipt/key-path.ts';
import { accountStream } from '../../src/receipt/stream.ts';
import { publicationOfCards } from '../bench/made-publication.ts';
import { asks, insist, userNamed } from './asking.ts';
import type { Chance } from './chance.ts';
import type { TurnedClock } from './turned-clock.ts';

/** A collection that is out, with drops that stay open all year. */
export type Offered = {
  readonly collectionId: CollectionId;
  readonly cardIds: readonly CardId[];
  readonly drops: readonly DropId[];
};

/** What all neighbourhoods share, as plain data. Nothing is appended to its streams while they play. */
export type Market = {
  readonly operator: UserId;
  readonly issuer: { readonly userId: UserId; readonly identityId: IdentityId };
  readonly collections: readonly Offered[];
};

const CARDS = { least: 50, most: 60 };
const DROPS = 12;
const PACK_CARDS = 5;
const LARGE_PACK_CARDS = 10;
const MINUTE_MS = 60_000;

/** Whether an object key is of a stream that the market writes. */
export const isOfMarket = (key: string): boolean =>
  key.startsWith(`${prefixOf(accountStream(OPERATOR_ACCOUNT_ID))}/`) || key.startsWith(`${LEDGER_ROOT}collections/`);

/** Finds or makes genesis: on an empty store, with a key of its own. Throws `Outage`. */
export const genesis = async (ports: Omit<CommandPorts, 'trust' | 'readModel' | 'sealer' | 'notify'>): Promise<PublicKeyId> => {
  const anchor = await initialise(ports, null);
  if (!anchor.ok) throw new Error(anchor.error.detail);
  return anchor.value.fingerprint;
};

type MarketParts = {
  readonly ports: CommandPorts & { readonly clock: TurnedClock };
  readonly commands: Ledger['commands'];
  readonly chance: Chance;
  readonly seed: string;
};

/** An operator with a new key, an issuer, and collections with their drops. */
export const openMarket = async (parts: MarketParts, collections: number): Promise<Market> => {
  const { ports, commands, chance, seed } = parts;
  const operator = userNamed(seed, 'operator');
  const ensured = await ensureOperator(ports, operator);
  if (!ensured.ok) throw new Error(ensured.error.detail);
  const asOperator = () => asks(chance, operator);
  const rotating = asOperator();
  await insist(() => commands.rotateKey(rotating, OPERATOR_ACCOUNT_ID, OPERATOR_IDENTITY_ID));
  const userId = userNamed(seed, 'issuer');
  const hiring = asOperator();
  await insist(() => commands.addMember(hiring, OPERATOR_ACCOUNT_ID, { userId, role: 'issuer' }));
  const introducing = asks(chance, userId);
  await insist(() => commands.createIdentity(introducing, OPERATOR_ACCOUNT_ID, userId));
  const issuer = { userId, identityId: identityIdFor(OPERATOR_ACCOUNT_ID, introducing.idempotencyKey) };
  const offered: Offered[] = [];
  for (let i = 0; i < collections; i++) offered.push(await publish(parts, issuer, i));
  return { operator, issuer, collections: offered };
};

/** Receipts that `openMarket` and `closeHalfOfTheDrops` make, genesis included. */
export const marketReceipts = (collections: number): number => 5 + collections * (3 + DROPS + Math.floor(DROPS / 2));

const publish = async (
  { ports: { store, clock }, commands, chance }: MarketParts,
  { userId, identityId }: Market['issuer'],
  index: number,
): Promise<Offered> => {
  const { catalogue, art } = publicationOfCards(chance.between(CARDS.least, CARDS.most));
  await pMap(art, ({ artHash, bytes }) => store.create(artKeyOf(artHash), bytes), { concurrency: 8 });
  const said = (version: number) => ({ ...catalogue, version, title: `Album ${index + 1}` });
  const publishing = asks(chance, userId);
  const collectionId = collectionIdFor(identityId, publishing.idempotencyKey);
  await insist(() => commands.publishCollection(publishing, { identityId, collectionId: null, catalogue: said(1) }));
  const correcting = asks(chance, userId);
  await insist(() => commands.publishCollection(correcting, { identityId, collectionId, catalogue: said(2) }));
  const drops: DropId[] = [];
  for (let week = 1; week <= DROPS; week++) {
    const opening = asks(chance, userId);
    const packSize = week === DROPS ? LARGE_PACK_CARDS : PACK_CARDS;
    await insist(() => commands.openDrop(opening, { identityId, collectionId, title: `Week ${week}`, packSize }));
    drops.push(dropIdFor(collectionId, opening.idempotencyKey));
    clock.turn(MINUTE_MS);
  }
  const seriesId = chance.oneOf(catalogue.series).seriesId;
  const retiring = asks(chance, userId);
  await insist(() => commands.retireSeries(retiring, { identityId, collectionId, seriesId }));
  return { collectionId, cardIds: catalogue.cards.map(({ cardId }) => cardId), drops };
};

/** At the end of the year every other drop reveals its seed, so that whoever verifies draws its packs again. */
export const closeHalfOfTheDrops = async (
  { commands, chance }: Pick<MarketParts, 'commands' | 'chance'>,
  { issuer, collections }: Market,
): Promise<void> => {
  for (const { collectionId, drops } of collections)
    for (const dropId of drops.filter((_, i) => i % 2 === 0)) {
      const closing = asks(chance, issuer.userId);
      await insist(() => commands.closeDrop(closing, { identityId: issuer.identityId, collectionId, dropId }));
    }
};
