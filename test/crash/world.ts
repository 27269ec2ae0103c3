import type { KeyObject } from 'node:crypto';
import { type Acknowledgement, type Finding, audit } from '../../projector/audit.ts';
import { type FaultPlan, faultPlan, withFaults } from '../../src/adapter/memory/faults.ts';
import { type MemoryTables, memoryTables } from '../../src/adapter/memory/projection-tables.ts';
import { type MemoryReadModel, memoryReadModel } from '../../src/adapter/memory/read-model.ts';
import { type MemoryObjects, memoryStore } from '../../src/adapter/memory/receipt-store.ts';
import { memorySigner } from '../../src/adapter/memory/signer.ts';
import { initialise } from '../../src/command/initialise.ts';
import { openLedger } from '../../src/command/ledger.ts';
import type { CommandContext, CommandOutcome, LedgerCommands } from '../../src/command/ledger-commands.ts';
import type { CommandPorts } from '../../src/command/ports.ts';
import type { Notice } from '../../src/port/notice.ts';
import type { ReadModel } from '../../src/port/read-model.ts';
import type { KeyName } from '../../src/port/signer.ts';
import type { Rows } from '../../src/projection/rows.ts';
import {
  type AccountId,
  type BookId,
  type CollectionId,
  type EventId,
  type IdempotencyKey,
  type IdentityId,
  type PublicKeyId,
  type UserId,
  accountIdFor,
  bookIdFor,
  identityIdFor,
} from '../../src/receipt/ids.ts';
import { type SimulatedClock, simulatedClock } from './clock.ts';

/** How a process sees its ports: a broken variant of the protocol is nothing but another way of wrapping them. */
export type Weakening = (ports: CommandPorts, world: World) => CommandPorts;
export const sound: Weakening = (ports) => ports;

/** One running service: its own memory and clock, on a store and a Postgres that others use too. */
export type Process = {
  readonly commands: LedgerCommands;
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
  readonly accountId: AccountId;
  readonly identityId: IdentityId;
  readonly bookId: BookId;
  readonly head: EventId;
  start(options?: StartOptions): Process;
  /** Posts a command, and notes its answer for the audit. */
  tell(context: CommandContext, command: Promise<CommandOutcome>): Promise<CommandOutcome>;
  audit(caughtUp: readonly MemoryReadModel[]): Promise<readonly Finding[]>;
};

export type StartOptions = {
  readonly plan?: FaultPlan;
  readonly readModel?: MemoryReadModel;
  /** Runs before each call of a port, told its index. */
  readonly before?: (call: number) => Promise<void>;
};

export const user = 'usr_01JZ0000000000000000000000' as UserId;
export const collectionId = 'col_01JZ0000000000000000000000' as CollectionId;

export const asks = (key: string): CommandContext => ({ userId: user, idempotencyKey: key as IdempotencyKey, ifMatch: null });

const START_MS = Date.UTC(2026, 0, 2);

type Bedrock = Pick<World, 'objects' | 'trust' | 'acknowledged' | 'accountId' | 'identityId' | 'bookId' | 'head'> & {
  readonly custody: Map<KeyName, KeyObject>;
  readonly tables: MemoryTables;
};

/** A ledger with an account, an identity and a pixbook in it, made by the real code without faults: once, then copied. */
const makeBedrock = async (): Promise<Bedrock> => {
  const objects: MemoryObjects = new Map();
  const custody = new Map<KeyName, KeyObject>();
  const initial = { store: memoryStore(objects), signer: memorySigner(custody), clock: simulatedClock(START_MS) };
  const initialised = await initialise(initial, null);
  if (!initialised.ok) throw new Error(initialised.error.detail);
  const trust = initialised.value.fingerprint;
  const accountId = accountIdFor(user, 'account' as IdempotencyKey);
  const identityId = identityIdFor(accountId, 'identity' as IdempotencyKey);
  const bookId = bookIdFor(identityId, collectionId, 1);
  const bedrock = { objects, custody, trust, accountId, identityId, bookId, tables: memoryTables(), acknowledged: [] };

  const { start, tell, acknowledged } = worldOn({ ...bedrock, head: '' as EventId }, sound);
  const { commands } = start();
  await tell(asks('account'), commands.createAccount(asks('account')));
  await tell(asks('identity'), commands.createIdentity(asks('identity'), accountId, user));
  const book = await tell(asks('book'), commands.createPixbook(asks('book'), { accountId, identityId, collectionId }));
  if (!book.ok) throw new Error(book.error.detail);
  return { ...bedrock, acknowledged, head: book.value.eventId };
};

let bedrock: Promise<Bedrock> | undefined;

/** A world of its own for one case. */
export const makeWorld = async (weakening: Weakening = sound): Promise<World> => {
  bedrock ??= makeBedrock();
  const { objects, custody, tables, acknowledged, ...same } = await bedrock;
  const copy = {
    objects: new Map(objects),
    custody: new Map(custody),
    tables: { ...memoryTables(), rows: copyOf(tables.rows) },
    acknowledged: [...acknowledged],
  };
  return worldOn({ ...same, ...copy }, weakening);
};

const copyOf = (rows: Rows): Rows =>
  Object.fromEntries(Object.entries(rows).map(([table, byKey]) => [table, new Map(byKey)])) as unknown as Rows;

const worldOn = (from: Bedrock, weakening: Weakening): World => {
  const { objects, custody, acknowledged, trust } = from;
  const primary = memoryReadModel(from.tables);
  const secondary = memoryReadModel();
  let startedAtMs = START_MS;

  const start = ({ plan = faultPlan(), readModel = primary, before }: StartOptions = {}): Process => {
    startedAtMs += 10_000;
    const clock = simulatedClock(startedAtMs);
    const notices: Notice[] = [];
    void plan.firstStrike.then((fault) => {
      if (fault.kind.startsWith('hang')) setImmediate(clock.expireDeadlines);
    });
    const ports = {
      store: withFaults(memoryStore(objects), plan, 'store'),
      signer: withFaults(memorySigner(custody), plan, 'signer'),
      readModel: withFaults<ReadModel>(portOf(readModel), plan, 'postgres'),
    };
    const paused = before === undefined ? ports : pausing(ports, before);
    const notify = (notice: Notice): void => void notices.push(notice);
    const commands = openLedger(weakening({ ...paused, clock, trust, notify }, world), { rememberedStreams: 100 });
    return { commands, plan, notices, clock };
  };

  const tell: World['tell'] = async (context, command) => {
    const outcome = await command;
    const { idempotencyKey } = context;
    if (outcome.ok) {
      const { stream, eventId, hash } = outcome.value;
      acknowledged.push({ stream, idempotencyKey, eventId, hash });
    }
    return outcome;
  };

  const { accountId, identityId, bookId, head } = from;
  const world: World = {
    objects,
    primary,
    secondary,
    trust,
    acknowledged,
    accountId,
    identityId,
    bookId,
    head,
    start,
    tell,
    audit: (caughtUp) => {
      const projections = [primary, secondary].map((model) => ({ dump: model.dump(), caughtUp: caughtUp.includes(model) }));
      return audit({ store: memoryStore(objects), trust, acknowledged, projections });
    },
  };
  return world;
};

/** Only what the port has: the rest is the test's own view of the database. */
const portOf = ({ dump: _dump, wipe: _wipe, ...port }: MemoryReadModel): ReadModel => port;

type Ports = Pick<CommandPorts, 'store' | 'signer' | 'readModel'>;

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
  return { store: paused(ports.store), signer: paused(ports.signer), readModel: paused(ports.readModel) };
};
