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

/** Lets no receipt of these types into the bucket, as if the service died before each. */
export const refusing =
  (...types: readonly string[]) =>
  (store: ReceiptStore): ReceiptStore => ({
    ...store,
    create: (key, bytes) => {
      const { type } = JSON.parse(Buffer.from(bytes).toString()) as { type: string };
      return types.includes(type) ? new Promise<never>(() => undefined) : store.create(key, bytes);
    },
  });

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

/** Starts something and gives up on it once every promise that can go on has done so. */
const abandoned = async (work: Promise<unknown>): Promise<void> => {
  const turns = async (): Promise<void> => {
    for (let turn = 0; turn < 200; turn++) await new Promise(setImmediate);
  };
  await Promise.race([work, turns()]);
};

const reach: { readonly [S in Stage]: (world: World, scene: Scene) => Promise<void> } = {
  offered: async () => undefined,
  reserved: async (world, { bruno, swap, gift }) => {
    const accept = async (key: string, offer: Offer): Promise<void> => {
      const { commands } = world.start({ store: refusing('CARD_TRADE_ACCEPTED') });
      await abandoned(commands.acceptTrade(by(bruno, key), offer, { ...bruno, give: [] }));
    };
    await accept('accept-swap', swap);
    await accept('accept-gift', gift);
  },
  claimed: async (world, { bruno, codeId }) => {
    const { commands } = world.start({ store: refusing('PACK_ISSUED') });
    await abandoned(commands.claimCode(by(bruno, 'claim'), bruno, codeId));
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
