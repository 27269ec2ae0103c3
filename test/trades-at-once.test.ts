import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import type { CommandOutcome, LedgerCommands, Offer } from '../src/command/ledger-commands.ts';
import { type InstanceId, instantOf, tradeIdOf } from '../src/receipt/ids.ts';
import type { Want } from '../src/stream/pixbook/event.ts';
import { answered } from './crash/answer.ts';
import { endOffers, settleDown } from './crash/settle-down.ts';
import { type Ground, START_MS, asks, newGround, worldOn } from './crash/world.ts';
import { type Collector, by, giveCards, newCollector } from './domain/collector.ts';
import { ownershipIn } from './domain/ownership.ts';
import { done, issuer, publish } from './domain/publication.ts';

const EXPIRES_MS = START_MS + 3_600_000;

/** Something that somebody may ask for. */
type Wish = { readonly name: string; readonly of: (commands: LedgerCommands, key: string) => Promise<CommandOutcome> };

let ground: Ground;
let wishes: readonly Wish[];

/**
 * Four books whose offers cross: two want the same copy, one wants a copy that its owner gives to a third, and two swap in a ring. Each offer
 * may be accepted, cancelled or declined, and the copies may be taken away by the issuer.
 */
const makeScene = async () => {
  const world = worldOn(await newGround());
  const process = world.start();
  const { commands } = process;
  const publication = await publish(world, process, { cards: ['bird-crane', 'bird-dove', 'fish-pike'], packSize: 2 });
  const { collectionId, identityId, dropId } = publication;
  const collector = async (name: string) => {
    const book = await newCollector(commands, name, collectionId);
    return { book, copies: await giveCards(commands, publication, book, 'bird-crane', 'bird-dove', 'fish-pike') };
  };
  const [anna, bruno, carla, dora] = [
    await collector('anna'),
    await collector('bruno'),
    await collector('carla'),
    await collector('dora'),
  ];
  const expiresAt = instantOf(EXPIRES_MS);
  let offers = 0;
  const offer = async (from: typeof anna, to: typeof anna, give: number, wanted: Partial<Want>): Promise<readonly Wish[]> => {
    const want = { instanceIds: [], cardIds: [], ...wanted };
    const terms = { to: to.book, give: from.copies.slice(give, give + 1), want, expiresAt };
    const key = `offer-${offers++}`;
    const { eventId } = await done(commands.offerTrade(by(from.book, key), from.book, terms));
    const { accountId, bookId } = from.book;
    const choice = want.cardIds.length > 0 ? to.copies.slice(0, 1) : [];
    return wishesAbout({ accountId, bookId, tradeId: tradeIdOf(eventId) }, key, from.book, to.book, choice);
  };
  const copy = ({ copies }: typeof anna, n: number) => ({ instanceIds: copies.slice(n, n + 1) });
  const trades = [
    await offer(anna, bruno, 0, copy(bruno, 0)),
    await offer(carla, bruno, 0, copy(bruno, 0)),
    await offer(bruno, anna, 1, copy(anna, 1)),
    await offer(anna, carla, 1, {}),
    await offer(carla, dora, 1, copy(dora, 0)),
    await offer(dora, carla, 1, copy(carla, 2)),
    await offer(dora, bruno, 2, { cardIds: ['bird-crane' as Want['cardIds'][number]] }),
  ];
  const removal = ({ book, copies }: typeof anna, n: number): Wish => ({
    name: `take copy ${n} from ${book.userId}`,
    of: (to, key) =>
      to.removeCards(asks(key, issuer), book, { identityId, instanceIds: copies.slice(n, n + 1), reason: 'a misprint' }),
  });
  const pack = ({ book }: typeof anna): Wish => ({
    name: `a pack for ${book.userId}`,
    of: (to, key) => to.issuePack(by(book, key), book, { dropId, identityId: null }),
  });
  wishes = [...trades.flat(), removal(bruno, 0), removal(carla, 2), removal(anna, 0), pack(anna), pack(bruno)];
  ground = world.ground();
};

const wishesAbout = (
  offer: Offer,
  name: string,
  from: Collector,
  to: Collector,
  give: readonly InstanceId[],
): readonly Wish[] => [
  { name: `accept ${name}`, of: (commands, key) => commands.acceptTrade(by(to, key), offer, { ...to, give }) },
  { name: `accept ${name} too`, of: (commands, key) => commands.acceptTrade(by(to, key), offer, { ...to, give }) },
  { name: `cancel ${name}`, of: (commands, key) => commands.cancelTrade(by(from, key), offer) },
  { name: `decline ${name}`, of: (commands, key) => commands.declineTrade(by(to, key), offer, to) },
];

beforeAll(makeScene);

describe('trades that cross, all at once', () => {
  it('leave every copy with one owner and no trade half done, in whatever order the calls of two services come', async () => {
    const told = new Set<string>();
    const some = fc.shuffledSubarray([...Array(33).keys()], { minLength: 2, maxLength: 12 });
    const property = fc.asyncProperty(some, fc.scheduler(), async (chosen, scheduler) => {
      const world = worldOn(ground);
      const before = async (): Promise<void> => scheduler.schedule(Promise.resolve());
      const services = [world.start({ before }), world.start({ before, readModel: world.secondary })];
      const asked = chosen.flatMap((n, at) => {
        const [wish, service] = [wishes[n], services[at % 2]];
        return wish && service
          ? [answered(wish.of(service.commands, `wish-${n}`)).then(({ code }) => told.add(`${wish.name.split(' ')[0]} ${code}`))]
          : [];
      });
      await scheduler.waitFor(Promise.all(asked));
      await settleDown(world);
      await endOffers(world, EXPIRES_MS);
      expect(ownershipIn(world.objects)).toMatchObject({ faults: [], unfinished: [] });
      expect(await world.audit([world.primary], EXPIRES_MS * 2)).toEqual([]);
      expect(world.alarms).toEqual([]);
    });
    await fc.assert(property, { seed: 20_260_104, numRuns: 150 });
    expect([...told]).toEqual(
      expect.arrayContaining(['accept ok', 'cancel ok', 'decline ok', 'accept card-in-escrow', 'take ok']),
    );
  });
});
