import type { Offer } from '../../src/command/ledger-commands.ts';
import type { ReceiptStore } from '../../src/port/receipt-store.ts';
import { type CodeId, type InstanceId, type Instant, derivedUlid, instantOf, tradeIdOf } from '../../src/receipt/ids.ts';
import { type Collector, by, giveCards, newCollector } from '../domain/collector.ts';
import { type Publication, catalogueOf, done, issuerAsks, publish, putArt } from '../domain/publication.ts';
import { type Ground, START_MS, type Variant, type World, newGround, sound, worldOn } from './world.ts';

/** Anna has offered Bruno a swap (two copies for one) and a gift; there is a code; Carla has a book. Every offer stands for an hour. */
export type Scene = Publication & {
  readonly anna: Collector;
  readonly bruno: Collector;
  readonly carla: Collector;
  readonly annas: readonly InstanceId[];
  readonly brunos: readonly InstanceId[];
  readonly swap: Offer;
  readonly gift: Offer;
  readonly codeId: CodeId;
  readonly expiresAt: Instant;
};
export type CardWorld = World & Scene;

/**
 * How far things have come: `offered` as the scene says; `reserved`: Bruno has accepted both and the service died before the offers heard of
 * it; `claimed`: Bruno has claimed the code and the service died before it issued the pack.
 */
export type Stage = 'offered' | 'reserved' | 'claimed';

export const EXPIRES_MS = START_MS + 3_600_000;
export const CARDS = ['bird-crane', 'bird-dove', 'bird-eagle', 'bird-finch', 'fish-pike', 'fish-trout'] as const;
/** What may be published next. */
export const nextVersion = catalogueOf(2, ...CARDS, 'fish-roach');

/** A service that dies before it writes a receipt of this type: it hears no more, and `died` tells. */
const dyingBefore = (type: string) => {
  const death = Promise.withResolvers<void>();
  const store = (bucket: ReceiptStore): ReceiptStore => ({
    ...bucket,
    create: (key, bytes) => {
      const receipt = JSON.parse(Buffer.from(bytes).toString()) as { type: string };
      if (receipt.type !== type) return bucket.create(key, bytes);
      death.resolve();
      return new Promise<never>(() => undefined);
    },
  });
  return { died: death.promise, store };
};

const makeScene = async (world: World): Promise<Scene> => {
  const process = world.start();
  const { commands } = process;
  const publication = await publish(world, process, { cards: CARDS, packSize: 3 });
  putArt(world, nextVersion);
  const { collectionId, dropId, identityId } = publication;
  const anna = await newCollector(commands, 'anna', collectionId);
  const bruno = await newCollector(commands, 'bruno', collectionId);
  const carla = await newCollector(commands, 'carla', collectionId);
  const annas = await giveCards(commands, publication, anna, 'bird-crane', 'bird-dove', 'bird-eagle', 'bird-crane');
  const brunos = await giveCards(commands, publication, bruno, 'fish-pike', 'fish-trout');
  const codeId = `cod_${derivedUlid('test/code', 'one')}` as CodeId;
  await done(commands.createCode(issuerAsks('code'), { identityId, codeId, collectionId, dropId, batchId: null }));

  const expiresAt = instantOf(EXPIRES_MS);
  const offer = async (key: string, give: readonly InstanceId[], wanted: readonly InstanceId[]): Promise<Offer> => {
    const terms = { to: bruno, give, want: { instanceIds: [...wanted], cardIds: [] }, expiresAt };
    const { eventId } = await done(commands.offerTrade(by(anna, key), anna, terms));
    return { accountId: anna.accountId, bookId: anna.bookId, tradeId: tradeIdOf(eventId) };
  };
  const swap = await offer('swap', annas.slice(0, 2), brunos.slice(0, 1));
  const gift = await offer('gift', annas.slice(2, 3), []);
  return { ...publication, anna, bruno, carla, annas, brunos, swap, gift, codeId, expiresAt };
};

const reach: { readonly [S in Stage]: (world: World, scene: Scene) => Promise<void> } = {
  offered: async () => undefined,
  reserved: async (world, { bruno, swap, gift }) => {
    for (const [key, offer] of [
      ['accept-swap', swap],
      ['accept-gift', gift],
    ] as const) {
      const { died, store } = dyingBefore('CARD_TRADE_ACCEPTED');
      void world.start({ store }).commands.acceptTrade(by(bruno, key), offer, { ...bruno, give: [] });
      await died;
    }
  },
  claimed: async (world, { bruno, codeId }) => {
    const { died, store } = dyingBefore('PACK_ISSUED');
    void world.start({ store }).commands.claimCode(by(bruno, 'claim'), bruno, codeId);
    await died;
  },
};

const makeGround = async (stage: Stage): Promise<{ readonly ground: Ground; readonly scene: Scene }> => {
  const world = worldOn(await newGround());
  const scene = await makeScene(world);
  await reach[stage](world, scene);
  return { ground: world.ground(), scene };
};

const made = new Map<Stage, ReturnType<typeof makeGround>>();

/** A world of its own for one case. */
export const makeCardWorld = async (stage: Stage, variant: Variant = {}): Promise<CardWorld> => {
  const making = made.get(stage) ?? makeGround(stage);
  made.set(stage, making);
  const { ground, scene } = await making;
  return { ...worldOn(ground, variant.weakening ?? sound, variant.openLedger), ...scene };
};
