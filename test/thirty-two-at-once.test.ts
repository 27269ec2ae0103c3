import { beforeAll, describe, expect, it } from 'vitest';
import type { CommandOutcome, LedgerCommands, Offer } from '../src/command/ledger-commands.ts';
import { type CodeId, derivedUlid, dropPackIdFor, instantOf, tradeIdOf } from '../src/receipt/ids.ts';
import { type Ground, type Process, START_MS, type World, newGround, worldOn } from './crash/world.ts';
import { type Collector, by, giveCards, newCollector, newIdentity } from './domain/collector.ts';
import { ownershipIn } from './domain/ownership.ts';
import { type Publication, done, issuerAsks, publish } from './domain/publication.ts';
import { granted } from './ledger-fixture.ts';

/** How many do the same thing in the same moment. */
const MANY = 32;
const numbers = Array.from({ length: MANY }, (_, n) => n);

type Scene = Publication & {
  /** `MANY` collectors; the first two have cards, and `offer` is a swap between them. */
  readonly collectors: readonly Collector[];
  readonly first: Collector;
  readonly second: Collector;
  readonly offer: Offer;
  readonly codeId: CodeId;
};

let ground: Ground;
let scene: Scene;

const makeCollectors = async (commands: LedgerCommands, { collectionId }: Publication): Promise<readonly Collector[]> => {
  const families = await Promise.all(numbers.slice(0, 8).map((n) => newCollector(commands, `family-${n}`, collectionId)));
  const others = families.map(async (family) => [
    family,
    await newIdentity(commands, family, 'second-child', collectionId),
    await newIdentity(commands, family, 'third-child', collectionId),
    await newIdentity(commands, family, 'fourth-child', collectionId),
  ]);
  return (await Promise.all(others)).flat();
};

beforeAll(async () => {
  const world = worldOn(await newGround());
  const process = world.start();
  const { commands } = process;
  const publication = await publish(world, process, { cards: ['bird-crane', 'bird-dove', 'fish-pike'], packSize: 2 });
  const collectors = await makeCollectors(commands, publication);
  const [first, second] = collectors;
  if (first === undefined || second === undefined) throw new Error('no collectors');
  const give = await giveCards(commands, publication, first, 'bird-crane', 'bird-dove');
  const wanted = await giveCards(commands, publication, second, 'fish-pike');
  const terms = { to: second, give, want: { instanceIds: [...wanted], cardIds: [] }, expiresAt: instantOf(START_MS + 3_600_000) };
  const { eventId } = await done(commands.offerTrade(by(first, 'offer'), first, terms));
  const codeId = `cod_${derivedUlid('test/code', 'thirty-two')}` as CodeId;
  await done(commands.createCode(issuerAsks('code'), { ...publication, codeId, batchId: null }));
  const offer = { accountId: first.accountId, bookId: first.bookId, tradeId: tradeIdOf(eventId) };
  scene = { ...publication, collectors, first, second, offer, codeId };
  ground = world.ground();
});

/** Two services in front of one bucket, each with a Postgres of its own, or one. */
const services: readonly (readonly [string, (world: World) => readonly Process[]])[] = [
  ['by one service', (world) => [world.start()]],
  ['by two services with a Postgres each', (world) => [world.start(), world.start({ readModel: world.secondary })]],
];

/** All of them at once, by turns through the services; how often each answer came. */
const atOnce = async (
  processes: readonly Process[],
  command: (commands: LedgerCommands, n: number) => Promise<CommandOutcome>,
): Promise<{ readonly codes: { readonly [code: string]: number }; readonly outcomes: readonly CommandOutcome[] }> => {
  const services = numbers.map((n) => granted(chosen(processes, n)));
  const outcomes = await Promise.all(services.map(({ commands }, n) => command(commands, n)));
  const codes: { [code: string]: number } = {};
  for (const outcome of outcomes) {
    const code = outcome.ok ? 'ok' : outcome.error.code;
    codes[code] = (codes[code] ?? 0) + 1;
  }
  return { codes, outcomes };
};

const chosen = <T>(from: readonly T[], n: number) => {
  const one = from[n % from.length];
  return one === undefined ? ({ ok: false, error: 'nothing to choose from' } as const) : ({ ok: true, value: one } as const);
};

/** How many receipts of a type there are. */
const written = ({ objects }: World, type: string): number =>
  [...objects.values()].filter((bytes) => Buffer.from(bytes).includes(`"type":"${type}"`)).length;

const expectWhole = async (world: World): Promise<void> => {
  expect(ownershipIn(world.objects)).toMatchObject({ faults: [], unfinished: [] });
  expect(await world.audit([])).toEqual([]);
  expect(world.alarms).toEqual([]);
};

const eventIdsOf = (outcomes: readonly CommandOutcome[]): ReadonlySet<string> =>
  new Set(outcomes.flatMap((outcome) => (outcome.ok ? [outcome.value.eventId] : [])));

describe.each(services)('thirty-two at once, %s', (_name, start) => {
  it('books claim one code: one gets its pack, the others are told that it is claimed', async () => {
    const world = worldOn(ground);
    const { codes } = await atOnce(start(world), (commands, n) => {
      const collector = granted(chosen(scene.collectors, n));
      return commands.claimCode(by(collector, 'claim'), collector, scene.codeId);
    });
    expect(codes).toEqual({ ok: 1, 'code-claimed': MANY - 1 });
    expect([written(world, 'CODE_CLAIMED'), written(world, 'PACK_ISSUED')]).toEqual([1, 1]);
    await expectWhole(world);
  });

  it('requests of one book claim one code: all are answered with the same pack', async () => {
    const world = worldOn(ground);
    const { codes, outcomes } = await atOnce(start(world), (commands, n) =>
      commands.claimCode(by(scene.first, `claim-${n}`), scene.first, scene.codeId),
    );
    expect(codes).toEqual({ ok: MANY });
    expect(eventIdsOf(outcomes).size).toBe(1);
    expect([written(world, 'CODE_CLAIMED'), written(world, 'PACK_ISSUED')]).toEqual([1, 1]);
    await expectWhole(world);
  });

  it('requests accept one offer under keys of their own: one does, the others are told that it is reserved or accepted', async () => {
    const world = worldOn(ground);
    const { codes } = await atOnce(start(world), (commands, n) =>
      commands.acceptTrade(by(scene.second, `accept-${n}`), scene.offer, { ...scene.second, give: [] }),
    );
    const { ok, 'trade-reserved': reserved = 0, 'trade-accepted': accepted = 0, ...others } = codes;
    expect({ ok, refused: reserved + accepted, others }).toEqual({ ok: 1, refused: MANY - 1, others: {} });
    expect(written(world, 'CARD_TRADE_ACCEPTED')).toBe(1);
    await expectWhole(world);
  });

  it('requests accept one offer under one key: all are answered with the same acceptance', async () => {
    const world = worldOn(ground);
    const { codes, outcomes } = await atOnce(start(world), (commands) =>
      commands.acceptTrade(by(scene.second, 'accept'), scene.offer, { ...scene.second, give: [] }),
    );
    expect(codes).toEqual({ ok: MANY });
    expect(eventIdsOf(outcomes).size).toBe(1);
    await expectWhole(world);
  });

  it('accept, cancel and refuse one offer: one wins, and everybody is told which', async () => {
    const world = worldOn(ground);
    const { first, second, offer } = scene;
    const { codes } = await atOnce(start(world), (commands, n) => {
      if (n % 3 === 0) return commands.cancelTrade(by(first, `cancel-${n}`), offer);
      if (n % 3 === 1) return commands.declineTrade(by(second, `decline-${n}`), offer, second);
      return commands.acceptTrade(by(second, `accept-${n}`), offer, { ...second, give: [] });
    });
    const ends = ['CARD_TRADE_ACCEPTED', 'CARD_TRADE_CANCELLED', 'CARD_TRADE_DECLINED'].filter(
      (type) => written(world, type) > 0,
    );
    expect(ends).toHaveLength(1);
    const [end = ''] = ends;
    const told = end.replace('CARD_TRADE_', 'trade-').toLowerCase();
    expect(codes.ok).toBe(1);
    expect(Object.keys(codes).sort()).toEqual(['ok', told, ...('trade-reserved' in codes ? ['trade-reserved'] : [])].sort());
    await expectWhole(world);
  });

  it('requests ask for one book’s pack of a drop: one is issued', async () => {
    const world = worldOn(ground);
    const { codes } = await atOnce(start(world), (commands, n) =>
      commands.issuePack(by(scene.first, `pack-${n}`), scene.first, { dropId: scene.dropId, identityId: null }),
    );
    expect(codes).toEqual({ ok: 1, 'pack-issued': MANY - 1 });
    expect(written(world, 'PACK_ISSUED')).toBe(1);
    await expectWhole(world);
  });

  it('books ask for their packs of a drop: each gets its own', async () => {
    const world = worldOn(ground);
    const { codes } = await atOnce(start(world), (commands, n) => {
      const collector = granted(chosen(scene.collectors, n));
      return commands.issuePack(by(collector, 'pack'), collector, { dropId: scene.dropId, identityId: null });
    });
    expect(codes).toEqual({ ok: MANY });
    const packs = new Set(scene.collectors.map(({ bookId }) => dropPackIdFor(scene.dropId, bookId)));
    expect(packs.size).toBe(MANY);
    expect(written(world, 'PACK_ISSUED')).toBe(MANY);
    await expectWhole(world);
  });
});
