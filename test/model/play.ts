import { Outage } from '../../src/port/outage.ts';
import type { ReceiptStore } from '../../src/port/receipt-store.ts';
import { type BookId, type EventId, OPERATOR_ACCOUNT_ID, type TradeId } from '../../src/receipt/ids.ts';
import { eventIdAt, keyAt, prefixOf } from '../../src/receipt/key-path.ts';
import type { Receipt } from '../../src/receipt/receipt.ts';
import { pixbookStream } from '../../src/receipt/stream.ts';
import { eventOf } from '../../src/stream/event.ts';
import { type Answer, answered } from '../crash/answer.ts';
import { repair, settleDown } from '../crash/settle-down.ts';
import { type Process, START_MS, type Variant, type World, worldOn } from '../crash/world.ts';
import { ownershipIn } from '../domain/ownership.ts';
import { granted } from '../ledger-fixture.ts';
import { type Step, chosen, commandOf } from './choose.ts';
import type { Command } from './command.ts';
import { foretell } from './foretell.ts';
import { foretellAgain, isWritten } from './foretell-again.ts';
import { packOf } from './foretell-code.ts';
import { complete, foretellExpiry } from './foretell-trade.ts';
import type { Foretold } from './foretold.ts';
import { post } from './post.ts';
import { shows } from './reckoning.ts';
import { type Scene, newScene } from './scene.ts';

/** Time between two steps: longer than any process trusts what it knows of a collection. */
const STEP_MS = 3_000;
const HOUR_MS = 3_600_000;

type Written = { readonly command: Command; readonly eventId: EventId | null };

/** A ledger and its reckoning, side by side: two services on one Postgres and one bucket. */
type Game = Pick<Scene, 'reckoning' | 'issuerIdentity'> & {
  readonly world: World;
  readonly services: Process[];
  /** Types of receipts that do not get into the bucket now. */
  readonly stopped: Set<string>;
  readonly history: Written[];
  /** What each save was based on, by its key: asked again, it is the same. */
  readonly bases: Map<string, EventId>;
  readonly log: string[];
  nowMs: number;
};

const stopping =
  (stopped: ReadonlySet<string>) =>
  (store: ReceiptStore): ReceiptStore => ({
    ...store,
    create: async (key, bytes) => {
      const { type } = JSON.parse(Buffer.from(bytes).toString()) as Receipt;
      if (stopped.has(type)) throw new Outage('store', 'store-refused', `no ${type} now`);
      return store.create(key, bytes);
    },
  });

const newGame = async ({ weakening, openLedger }: Variant): Promise<Game> => {
  const { ground, reckoning, issuerIdentity } = await newScene();
  const world = worldOn(ground, weakening, openLedger);
  const stopped = new Set<string>();
  const services = [world.start({ store: stopping(stopped) }), world.start({ store: stopping(stopped) })];
  return {
    world,
    services,
    stopped,
    reckoning,
    issuerIdentity,
    history: [],
    bases: new Map(),
    log: [],
    nowMs: START_MS + HOUR_MS,
  };
};

/**
 * Plays a sequence of steps to the ledger and to the reckoning. Throws where they part: another answer, another owner of any copy, something
 * left undone that should be done; and at the end, where the replay of the receipts is not the projection that was kept on the way. Answers what came of
 * each step.
 */
export const play = async (steps: readonly Step[], variant: Variant = {}): Promise<{ readonly outcomes: readonly string[] }> => {
  const game = await newGame(variant);
  const outcomes: string[] = [];
  for (const [n, step] of steps.entries()) {
    game.nowMs += step.verb === 'hour' ? HOUR_MS : STEP_MS;
    const service = serviceAt(game, n);
    const name = `${n} ${step.verb}`;
    const [told, foretold] = await take(game, service, step, n);
    game.log.push(`${name}: ${told}`);
    outcomes.push(`${step.verb} ${told.split(' ').at(-1)}`);
    if (told !== foretold) throw new Error(`${told}, and not ${foretold}, came of ${game.log.join('\n')}`);
    const faults = differencesIn(game);
    if (faults.length > 0) throw new Error(`${faults.join('; ')} after ${game.log.join('\n')}`);
  }
  await finish(game);
  return { outcomes };
};

const serviceAt = ({ services, nowMs }: Game, n: number): Process => {
  const service = granted(
    ((found) => (found === undefined ? { ok: false, error: 'no service' } : { ok: true, value: found }))(chosen(services, n)),
  );
  service.clock.advance(Math.max(0, nowMs - service.clock.now()));
  return service;
};

/** One step: what came of it, and what must. */
const take = async (game: Game, service: Process, step: Step, n: number): Promise<readonly [string, string]> => {
  const { world, services, stopped, reckoning, history, nowMs } = game;
  switch (step.verb) {
    case 'hour':
      return ['ok', 'ok'];
    case 'wipe':
      world.primary.wipe();
      return ['ok', 'ok'];
    case 'restart':
      services[n % services.length] = world.start({ store: stopping(stopped) });
      return ['ok', 'ok'];
    case 'redo':
      return redo(game, service);
    case 'expire': {
      const trade = chosen(reckoning.trades.values(), step.a);
      return trade === undefined ? ['ok', 'ok'] : expire(game, service, trade.tradeId);
    }
    case 'again': {
      const written = chosen(history, step.a);
      return written === undefined ? ['ok', 'ok'] : again(game, service, written);
    }
    default: {
      const command = commandOf(reckoning, step, n, nowMs);
      return command === null ? ['ok', 'ok'] : ask(game, service, command);
    }
  }
};

const ask = async (game: Game, service: Process, command: Command): Promise<readonly [string, string]> => {
  const { reckoning, history, stopped, nowMs } = game;
  const wasWritten = isWritten(reckoning, command);
  const foretold = foretell(reckoning, command, nowMs);
  if (command.interruption !== null) stopped.add(command.interruption);
  const answer = await answered(posted(game, service, command));
  stopped.clear();
  takeIn(game, foretold, answer);
  const isNews = !wasWritten && isWritten(reckoning, command);
  if (isNews || (answer.code === 'ok' && !['claim-code', 'accept'].includes(command.verb)))
    history.push({ command, eventId: eventIdOf(answer) });
  return [`${JSON.stringify(command)} ${answer.code}`, `${JSON.stringify(command)} ${foretold.code}`];
};

/** The receipt that a key will be answered with for ever; a claim that is not yet a pack promises none. */
const eventIdOf = ({ receipt }: Answer): EventId | null =>
  receipt === null || (receipt.stream.type === 'code' && receipt.projection === 'pending') ? null : receipt.eventId;

const posted = ({ reckoning, issuerIdentity, world, bases }: Game, { commands }: Process, command: Command) => {
  const baseOf = (bookId: BookId, isStale: boolean): EventId => {
    const known = bases.get(command.key);
    if (known !== undefined) return known;
    const stream = pixbookStream(reckoning.books.get(bookId)?.accountId ?? OPERATOR_ACCOUNT_ID, bookId);
    const receipts = [...world.objects.keys()].filter((key) => key.startsWith(`${prefixOf(stream)}/events/`)).length;
    const base = eventIdAt(stream, isStale ? receipts : receipts - 1);
    bases.set(command.key, base);
    return base;
  };
  return post({ commands, reckoning, issuerIdentity, baseOf }, command);
};

/** Lets the reckoning learn what only the receipt can tell. */
const takeIn = ({ world }: Game, { code, learn }: Foretold, { receipt, code: told }: Answer): void => {
  if (learn === undefined || receipt === null || code !== told) return;
  const bytes = world.objects.get(keyAt(receipt.stream, receipt.position)) ?? new Uint8Array();
  learn(granted(eventOf(JSON.parse(Buffer.from(bytes).toString()) as Receipt)), receipt.eventId);
};

const again = async (game: Game, service: Process, { command, eventId }: Written): Promise<readonly [string, string]> => {
  const foretold = foretellAgain(game.reckoning, command, game.nowMs);
  const answer = await answered(posted(game, service, command));
  takeIn(game, foretold, answer);
  const name = `${command.key} ${command.verb}`;
  const same = answer.code === 'ok' && eventId !== null ? eventIdOf(answer) === eventId : true;
  return [`${name} ${answer.code}${same ? '' : ' with another receipt'}`, `${name} ${foretold.code}`];
};

const expire = async ({ reckoning, nowMs }: Game, { upkeep }: Process, tradeId: TradeId): Promise<readonly [string, string]> => {
  const trade = reckoning.trades.get(tradeId);
  const book = trade && reckoning.books.get(trade.from);
  if (book === undefined) throw new Error('a trade is of a book');
  const foretold = foretellExpiry(reckoning, tradeId, nowMs);
  const answer = await answered(upkeep.expireTrade({ accountId: book.accountId, bookId: book.bookId, tradeId }));
  return [answer.code, foretold.code];
};

/** What the service does by itself: every open end, until no more comes of it. */
const redo = async (game: Game, service: Process): Promise<readonly [string, string]> => {
  const { reckoning, world, nowMs } = game;
  for (let round = 0; round < 5; round++)
    for (const trade of reckoning.trades.values())
      if (trade.reservation?.status === 'reserved') complete(reckoning, trade, nowMs, null);
  const claims = [...reckoning.codes].flatMap(([codeId, code]) => {
    const book = code.claimant === null ? undefined : reckoning.books.get(code.claimant);
    return book === undefined || code.hasPack ? [] : [{ codeId, foretold: packOf(reckoning, book, code, null) }];
  });
  await settleDown(world, service);
  for (const { codeId, foretold } of claims) {
    const pack = receiptsIn(world).find(
      ({ type, payload }) => type === 'PACK_ISSUED' && JSON.stringify(payload).includes(codeId),
    );
    if ((pack === undefined) !== (foretold.learn === undefined)) return [`${codeId} has ${pack?.type}`, foretold.code];
    if (pack !== undefined) foretold.learn?.(granted(eventOf(pack)), pack.eventId);
  }
  return ['ok', 'ok'];
};

const receiptsIn = ({ objects }: World): readonly Receipt[] =>
  [...objects]
    .filter(([key]) => key.startsWith('pixpax/'))
    .map(([, bytes]) => JSON.parse(Buffer.from(bytes).toString()) as Receipt);

/** Where the receipts and the reckoning part. */
const differencesIn = ({ world, reckoning }: Game): readonly string[] => {
  const { owners, faults, unfinished } = ownershipIn(world.objects);
  const left =
    [...reckoning.trades.values()].filter(({ reservation }) => reservation?.status === 'reserved').length +
    [...reckoning.codes.values()].filter(({ status, hasPack }) => status === 'claimed' && !hasPack).length;
  return [
    ...faults,
    ...(unfinished.length === left ? [] : [`${left} things are left undone, and not ${unfinished.join()}`]),
    ...[...reckoning.copies].filter(([id, { owner }]) => owners.get(id) !== owner).map(([id]) => `${id} is ${owners.get(id)}'s`),
    ...(owners.size === reckoning.copies.size ? [] : [`there are ${owners.size} copies, and not ${reckoning.copies.size}`]),
  ];
};

/** The end of a run: the projection, once it has everything, is what the receipts make, and shows what the reckoning says. */
const finish = async ({ world, reckoning, log }: Game): Promise<void> => {
  await repair(world, world.start());
  const findings = await world.audit([world.primary]);
  if (findings.length > 0) throw new Error(`${JSON.stringify(findings)} after ${log.join('\n')}`);
  if (world.alarms.length > 0) throw new Error(`${JSON.stringify(world.alarms)} after ${log.join('\n')}`);
  const shown = world.primary.dump().card_instances.map(({ book_id, instance_id }) => `${book_id} ${instance_id}`);
  // A copy on its way from a book is shown there even when its new owner has lost it since.
  const moving = [...reckoning.trades.values()].flatMap(({ reservation }) => reservation?.give ?? []);
  const copies = [...new Set([...reckoning.copies.keys(), ...moving])];
  const said = [...reckoning.books.keys()].flatMap((bookId) =>
    copies.filter((id) => shows(reckoning, bookId, id)).map((id) => `${bookId} ${id}`),
  );
  if (shown.sort().join() !== said.sort().join()) throw new Error(`the projection shows other cards after ${log.join('\n')}`);
};
