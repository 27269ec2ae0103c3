import type { KeyObject } from 'node:crypto';
import { type Acknowledgement, type Finding, audit } from '../../projector/audit.ts';
import { type FaultPlan, faultPlan, withFaults } from '../../src/adapter/memory/faults.ts';
import { type MemoryTables, memoryTables } from '../../src/adapter/memory/projection-tables.ts';
import { type MemoryReadModel, memoryReadModel } from '../../src/adapter/memory/read-model.ts';
import { type MemoryObjects, memoryStore } from '../../src/adapter/memory/receipt-store.ts';
import { memorySealer } from '../../src/adapter/memory/sealer.ts';
import { memorySigner } from '../../src/adapter/memory/signer.ts';
import { initialise } from '../../src/command/initialise.ts';
import { openLedger } from '../../src/command/ledger.ts';
import type { CommandContext, CommandOutcome, LedgerCommands, LedgerUpkeep } from '../../src/command/ledger-commands.ts';
import type { CommandPorts } from '../../src/command/ports.ts';
import type { Notice } from '../../src/port/notice.ts';
import type { ReadModel } from '../../src/port/read-model.ts';
import type { ReceiptStore } from '../../src/port/receipt-store.ts';
import type { KeyName } from '../../src/port/signer.ts';
import type { Rows } from '../../src/projection/rows.ts';
import type { CollectionId, IdempotencyKey, PublicKeyId, UserId } from '../../src/receipt/ids.ts';
import { type SimulatedClock, simulatedClock } from './clock.ts';
import { closeItem, placesIn } from './places.ts';

/** How a process sees its ports: a broken variant of the protocol is nothing but another way of wrapping them. */
export type Weakening = (ports: CommandPorts, world: World) => CommandPorts;
export const sound: Weakening = (ports) => ports;

/** How a world's processes differ from sound ones. */
export type Variant = { readonly weakening?: Weakening; readonly openLedger?: typeof openLedger };

/** One running service: its own memory and clock, on a store and a Postgres that others use too. */
export type Process = {
  readonly commands: LedgerCommands;
  readonly upkeep: LedgerUpkeep;
  readonly ports: CommandPorts;
  readonly plan: FaultPlan;
  readonly notices: Notice[];
  readonly clock: SimulatedClock;
};

/** What outlives every process: the bucket, two databases, the keys; and what clients were told. */
export type World = {
  readonly objects: MemoryObjects;
  readonly primary: MemoryReadModel;
  readonly secondary: MemoryReadModel;
  readonly trust: PublicKeyId;
  readonly acknowledged: Acknowledgement[];
  /** What any process has called for an operator about. */
  readonly alarms: Notice[];
  readonly tablesOf: (readModel: MemoryReadModel) => MemoryTables;
  start(options?: StartOptions): Process;
  /** Posts a command, and notes its answer for the audit. */
  tell(context: CommandContext, command: Promise<CommandOutcome>): Promise<CommandOutcome>;
  /** With a time, what should have been settled by then is looked at too. */
  audit(caughtUp: readonly MemoryReadModel[], nowMs?: number): Promise<readonly Finding[]>;
  /** As it is now, so that many worlds can begin with it. */
  ground(): Ground;
};

export type StartOptions = {
  readonly plan?: FaultPlan;
  readonly readModel?: MemoryReadModel;
  /** Runs before each call of a port, told its index. */
  readonly before?: (call: number) => Promise<void>;
  /** What else stands between this process and the bucket. */
  readonly store?: (store: ReceiptStore) => ReceiptStore;
};

export const user = 'usr_01JZ0000000000000000000000' as UserId;
export const collectionId = 'col_01JZ0000000000000000000000' as CollectionId;
export const otherCollectionId = 'col_01JZ0000000000000000000001' as CollectionId;

export const asks = (key: string, userId: UserId = user): CommandContext => ({
  userId,
  idempotencyKey: key as IdempotencyKey,
  ifMatch: null,
});

export const START_MS = Date.UTC(2026, 0, 2);

/** What a world stands on: receipts, keys, and a Postgres that has applied them. */
export type Ground = Pick<World, 'objects' | 'trust' | 'acknowledged'> & {
  readonly custody: Map<KeyName, KeyObject>;
  readonly tables: MemoryTables;
};

/** A ledger with nothing in it but its genesis. */
export const newGround = async (): Promise<Ground> => {
  const objects: MemoryObjects = new Map();
  const custody = new Map<KeyName, KeyObject>();
  const initial = { store: memoryStore(objects), signer: memorySigner(custody), clock: simulatedClock(START_MS) };
  const initialised = await initialise(initial, null);
  if (!initialised.ok) throw new Error(initialised.error.detail);
  return { objects, custody, trust: initialised.value.fingerprint, tables: memoryTables(), acknowledged: [] };
};

/** A world of its own on a copy of this ground. */
export const worldOn = (ground: Ground, weakening: Weakening = sound, open: typeof openLedger = openLedger): World => {
  const { objects, custody, tables, acknowledged, trust } = copyOf(ground);
  const primary = memoryReadModel(tables);
  const otherTables = memoryTables();
  const secondary = memoryReadModel(otherTables);
  const tablesOf = (readModel: MemoryReadModel): MemoryTables => (readModel === secondary ? otherTables : tables);
  const alarms: Notice[] = [];
  let startedAtMs = START_MS;

  const start = ({ plan = faultPlan(), readModel = primary, before, store = (same) => same }: StartOptions = {}): Process => {
    startedAtMs += 10_000;
    const clock = simulatedClock(startedAtMs);
    const notices: Notice[] = [];
    void plan.firstStrike.then((fault) => {
      if (fault.kind.startsWith('hang')) setImmediate(clock.expireDeadlines);
    });
    const faulty = {
      store: withFaults(store(memoryStore(objects)), plan, 'store'),
      signer: withFaults(memorySigner(custody), plan, 'signer'),
      sealer: withFaults(memorySealer(), plan, 'signer'),
      readModel: withFaults<ReadModel>(portOf(readModel), plan, 'postgres'),
    };
    const paused = before === undefined ? faulty : pausing(faulty, before);
    const notify = (notice: Notice): void => {
      notices.push(notice);
      if (notice.level === 'alarm') alarms.push(notice);
    };
    const ports = weakening({ ...paused, clock, trust, notify }, world);
    const { commands, upkeep } = open(ports, {
      rememberedStreams: 100,
      followed: (item) => closeItem(tablesOf(readModel), item),
    });
    return { commands, upkeep: upkeep(placesIn(tablesOf(readModel))), ports, plan, notices, clock };
  };

  const world: World = {
    ...{ objects, primary, secondary, trust, acknowledged, alarms, tablesOf, start },
    tell: async (context, command) => {
      const outcome = await command;
      const { idempotencyKey } = context;
      if (outcome.ok) {
        const { stream, eventId, hash } = outcome.value;
        acknowledged.push({ stream, idempotencyKey, eventId, hash });
      }
      return outcome;
    },
    audit: (caughtUp, nowMs) => {
      const projections = [primary, secondary].map((model) => ({ dump: model.dump(), caughtUp: caughtUp.includes(model) }));
      return audit({ store: memoryStore(objects), trust, acknowledged, projections, nowMs });
    },
    ground: () => copyOf({ objects, custody, tables, trust, acknowledged }),
  };
  return world;
};

const copyOf = ({ objects, custody, tables, acknowledged, trust }: Ground): Ground => ({
  trust,
  objects: new Map(objects),
  custody: new Map(custody),
  tables: { rows: copyOfRows(tables.rows), redo: new Map(tables.redo), made: tables.made },
  acknowledged: [...acknowledged],
});

const copyOfRows = (rows: Rows): Rows =>
  Object.fromEntries(Object.entries(rows).map(([table, byKey]) => [table, new Map(byKey)])) as unknown as Rows;

/** Only what the port has: the rest is the test's own view of the database. */
const portOf = ({ dump: _dump, wipe: _wipe, ...port }: MemoryReadModel): ReadModel => port;

type Ports = Pick<CommandPorts, 'store' | 'signer' | 'sealer' | 'readModel'>;

/** Lets the test act between any two calls of a process: `before` runs first, then the call. */
const pausing = (ports: Ports, before: (call: number) => Promise<void>): Ports => {
  let calls = 0;
  const paused = <P extends object>(port: P): P =>
    new Proxy(port, {
      get: (target, name): unknown => {
        const member: unknown = Reflect.get(target, name);
        if (typeof member !== 'function') return member;
        return async (...args: readonly unknown[]): Promise<unknown> => {
          await before(calls++);
          return Reflect.apply(member, target, args) as unknown;
        };
      },
    });
  return {
    store: paused(ports.store),
    signer: paused(ports.signer),
    sealer: paused(ports.sealer),
    readModel: paused(ports.readModel),
  };
};
