import { memoryTables } from '../../src/adapter/memory/projection-tables.ts';
import { memoryReadModel } from '../../src/adapter/memory/read-model.ts';
import { type Ledger, openLedger } from '../../src/command/ledger.ts';
import type { Acknowledged, CommandContext, CommandOutcome } from '../../src/command/ledger-commands.ts';
import type { CommandPorts } from '../../src/command/ports.ts';
import type { ReadModel } from '../../src/port/read-model.ts';
import type { RedoItem } from '../../src/port/redo-outbox.ts';
import type { Rows } from '../../src/projection/rows.ts';
import type {
  AccountId,
  BookId,
  CodeId,
  CollectionId,
  DropId,
  EventId,
  IdempotencyKey,
  IdentityId,
  UserId,
} from '../../src/receipt/ids.ts';
import { pixbookStream } from '../../src/receipt/stream.ts';
import { asks, insist, userNamed } from './asking.ts';
import { type Chance, chanceOf } from './chance.ts';
import { type CountedStore, countedStore } from './counted-store.ts';
import { type SharedReads, knownStreams } from './known-streams.ts';
import { type Market, type Offered, isOfMarket } from './market.ts';
import { finishOpenWork, placesIn, strikeOff } from './open-work.ts';
import type { TurnedClock } from './turned-clock.ts';

/** An account, its first owner, and the plan it has. */
export type Family = { readonly accountId: AccountId; readonly owner: UserId; plan: 'free' | 'pro' };

/** An open pixbook, whoever may sign for it, and the drops it has no pack of yet. */
export type OpenBook = {
  readonly accountId: AccountId;
  readonly identityId: IdentityId;
  readonly signer: UserId;
  readonly collection: Offered;
  bookId: BookId;
  drops: DropId[];
  /** An offer that it made, or that it was made, stands open: its owner has no mind to close it. */
  standing: boolean;
};

export type FreshCode = { readonly codeId: CodeId; readonly collectionId: CollectionId };

/**
 * A few families who play with each other and with nobody else: a ledger of their own beside what all share, with a read model in
 * memory that is thrown away when their year is over. Their account, book and code streams are written here alone.
 */
export type Neighbourhood = {
  readonly name: string;
  readonly seed: string;
  readonly chance: Chance;
  readonly clock: TurnedClock;
  readonly store: CountedStore;
  readonly market: Market;
  readonly commands: Ledger['commands'];
  readonly upkeep: ReturnType<Ledger['upkeep']>;
  /** Ends what commands left half done; mostly there is nothing. */
  readonly finishes: () => Promise<void>;
  readonly readModel: ReadModel;
  readonly rows: Rows;
  readonly families: Family[];
  readonly books: OpenBook[];
  readonly codes: FreshCode[];
};

export type NeighbourhoodParts = {
  readonly ports: Pick<CommandPorts, 'store' | 'signer' | 'sealer' | 'trust'>;
  readonly market: Market;
  readonly seed: string;
  readonly name: string;
  /** Shows when the year begins. */
  readonly clock: TurnedClock;
  readonly reads: SharedReads;
  readonly onReceipt: () => void;
};

/** Streams of one neighbourhood: the memory for them is taken at once, and each has its own. */
const REMEMBERED_STREAMS = 1_000;

export const newNeighbourhood = ({ ports, market, seed, name, clock, reads, onReceipt }: NeighbourhoodParts): Neighbourhood => {
  const tables = memoryTables();
  const readModel = memoryReadModel(tables);
  const store = countedStore(knownStreams(ports.store, isOfMarket, reads), onReceipt);
  const all: CommandPorts = { ...ports, store, readModel, clock, notify };
  const followed = (item: RedoItem): void => strikeOff(tables, item);
  const ledger = openLedger(all, { rememberedStreams: REMEMBERED_STREAMS, followed });
  const { commands } = ledger;
  const upkeep = ledger.upkeep(placesIn(tables));
  const shared = { seed, name, clock, store, market, commands, readModel, rows: tables.rows };
  const finishes = (): Promise<void> => finishOpenWork(tables, upkeep.redo);
  return { ...shared, chance: chanceOf(seed, name), upkeep, finishes, families: [], books: [], codes: [] };
};

/** A warning is of a slow bucket, and what was asked is asked again; an alarm is of a ledger that is wrong. */
const notify: CommandPorts['notify'] = ({ level, code, detail }) => {
  if (level === 'alarm') throw new Error(`${code}: ${detail}`);
};

const SECOND_MS = 1_000;

export type Done = Acknowledged & { readonly key: IdempotencyKey };

/** One command of a user, some seconds after the last one, insisted upon; answers the key it was asked under too. */
export const does = async (
  { chance, clock }: Neighbourhood,
  userId: UserId,
  command: (context: CommandContext) => Promise<CommandOutcome>,
): Promise<Done> => {
  clock.turn(chance.between(2, 40) * SECOND_MS);
  const context = asks(chance, userId);
  return { ...(await insist(() => command(context))), key: context.idempotencyKey };
};

/** The event id that the next save is based on. */
export const headOf = async ({ readModel }: Neighbourhood, { accountId, bookId }: OpenBook): Promise<EventId> => {
  const head = await readModel.head(pixbookStream(accountId, bookId));
  if (head === null) throw new Error(`${bookId} has no receipt`);
  return head.eventId;
};

/** A user of this neighbourhood whom nobody has met. */
export const newcomer = ({ seed, name, chance }: Neighbourhood): UserId => userNamed(seed, `${name} ${chance.uuid()}`);
