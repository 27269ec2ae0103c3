import type { CommandOutcome, Offer } from '../../src/command/ledger-commands.ts';
import type { RedoKind } from '../../src/projection/row-change.ts';
import { type Collector, by } from '../domain/collector.ts';
import { issuerAsks } from '../domain/publication.ts';
import { type Answer, answered } from './answer.ts';
import { type CardWorld, EXPIRES_MS } from './card-world.ts';
import { openItems } from './places.ts';
import type { Process } from './world.ts';

/** Something that somebody does in a process, under a key of their own where they have one. */
export type Deed = (process: Process, world: CardWorld, key: string) => Promise<Answer>;

type Who = 'anna' | 'bruno' | 'carla';
type Trade = 'swap' | 'gift';

const offerIn = (world: CardWorld, trade: Trade): Offer => world[trade];
const whoIn = (world: CardWorld, who: Who): Collector => world[who];

export const claims =
  (who: Who): Deed =>
  ({ commands }, world, key) =>
    answered(commands.claimCode(by(whoIn(world, who), key), whoIn(world, who), world.codeId));

export const accepts =
  (trade: Trade): Deed =>
  ({ commands }, world, key) =>
    answered(commands.acceptTrade(by(world.bruno, key), offerIn(world, trade), { ...world.bruno, give: [] }));

export const cancels =
  (trade: Trade): Deed =>
  ({ commands }, world, key) =>
    answered(commands.cancelTrade(by(world.anna, key), offerIn(world, trade)));

export const declines =
  (trade: Trade): Deed =>
  ({ commands }, world, key) =>
    answered(commands.declineTrade(by(world.bruno, key), offerIn(world, trade), world.bruno));

/** The service notices that the hour is over. */
export const expires =
  (trade: Trade): Deed =>
  ({ upkeep, clock }, world) => {
    clock.advance(Math.max(0, EXPIRES_MS - clock.now()));
    return answered(upkeep.expireTrade(offerIn(world, trade)));
  };

/** The worker takes the oldest open item of a kind, as the primary Postgres has it; with none left there is nothing to do. */
export const redoes =
  (kind: RedoKind): Deed =>
  ({ upkeep }, world) => {
    const item = openItems(world.tablesOf(world.primary)).find((open) => open.kind === kind);
    return item === undefined ? Promise.resolve({ code: 'done', receipt: null }) : answered(upkeep.redo(item));
  };

type Issuing = (
  commands: Process['commands'],
  world: CardWorld,
  context: ReturnType<typeof issuerAsks>,
) => Promise<CommandOutcome>;

/** What an issuer does. */
export const issues =
  (command: Issuing): Deed =>
  ({ commands }, world, key) =>
    answered(command(commands, world, issuerAsks(key)));

/** What Anna does with her book. */
export const annas =
  (command: (commands: Process['commands'], world: CardWorld, context: ReturnType<typeof by>) => Promise<CommandOutcome>): Deed =>
  ({ commands }, world, key) =>
    answered(command(commands, world, by(world.anna, key)));
