import type { KeyObject } from 'node:crypto';
import { type FaultPlan, faultPlan, withFaults } from '../../src/adapter/memory/faults.ts';
import { memoryReadModel } from '../../src/adapter/memory/read-model.ts';
import { type MemoryObjects, memoryStore } from '../../src/adapter/memory/receipt-store.ts';
import { memorySigner } from '../../src/adapter/memory/signer.ts';
import { initialise } from '../../src/command/initialise.ts';
import type { CommandContext, CommandOutcome, LedgerCommands } from '../../src/command/ledger-commands.ts';
import { openLedger } from '../../src/command/ledger.ts';
import type { CommandPorts } from '../../src/command/ports.ts';
import type { Notice } from '../../src/port/notice.ts';
import type { KeyName } from '../../src/port/signer.ts';
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
import { type Acknowledgement, type Finding, audit } from '../../projector/audit.ts';
import { simulatedClock } from './clock.ts';

export type MemoryReadModel = ReturnType<typeof memoryReadModel>;

/** How a process sees its ports: a broken variant of the protocol is nothing but another way of wrapping them. */
export type Weakening = (ports: CommandPorts, world: World) => CommandPorts;
export const sound: Weakening = (ports) => ports;

/** One running service: its own memory and clock, on a store and a Postgres that others use too. */
export type Process = { readonly commands: LedgerCommands; readonly plan: FaultPlan; readonly notices: Notice[] };

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

/** A ledger with an account, an identity and a pixbook in it, made by the real code without faults. */
export const makeWorld = async (weakening: Weakening = sound): Promise<World> => {
  const objects: MemoryObjects = new Map();
  const custody = new Map<KeyName, KeyObject>();
  const primary = memoryReadModel();
  const secondary = memoryReadModel();
  const acknowledged: Acknowledgement[] = [];
  let startedAtMs = START_MS;

  const initial = { store: memoryStore(objects), signer: memorySigner(custody), clock: simulatedClock(START_MS) };
  const initialised = await initialise(initial, null);
  if (!initialised.ok) throw new Error(initialised.error.detail);
  const trust = initialised.value.fingerprint;

  const start = ({ plan = faultPlan(), readModel = primary, before }: StartOptions = {}): Process => {
    const clock = simulatedClock((startedAtMs += 10_000));
    const notices: Notice[] = [];
    void plan.firstStrike.then((fault) => {
      if (fault.kind.startsWith('hang')) setImmediate(clock.expireDeadlines);
    });
    const ports = {
      store: withFaults(memoryStore(objects), plan, 'store'),
      signer: withFaults(memorySigner(custody), plan, 'signer'),
      readModel: withFaults(readModel, plan, 'postgres'),
    };
    const paused = before === undefined ? ports : pausing(ports, before);
    const notify = (notice: Notice): void => void notices.push(notice);
    const commands = openLedger(weakening({ ...paused, clock, trust, notify }, world));
    return { commands, plan, notices };
  };

  const tell: World['tell'] = async (context, command) => {
    const outcome = await command;
    if (outcome.ok)
      acknowledged.push({
        stream: outcome.value.stream,
        idempotencyKey: context.idempotencyKey,
        eventId: outcome.value.eventId,
        hash: outcome.value.hash,
      });
    return outcome;
  };

  const accountId = accountIdFor(user, 'account' as IdempotencyKey);
  const identityId = identityIdFor(accountId, 'identity' as IdempotencyKey);
  const bookId = bookIdFor(identityId, collectionId, 1);
  const world = {
    objects,
    primary,
    secondary,
    trust,
    acknowledged,
    accountId,
    identityId,
    bookId,
    head: '' as EventId,
    start,
    tell,
    audit: async (caughtUp: readonly MemoryReadModel[]) => {
      const findings = [];
      for (const readModel of [primary, secondary])
        findings.push(
          ...(await audit({
            store: memoryStore(objects),
            trust,
            acknowledged,
            dump: readModel.dump() as never,
            caughtUp: caughtUp.includes(readModel),
          })),
        );
      return findings;
    },
  };
  const { commands } = start();
  await tell(asks('account'), commands.createAccount(asks('account')));
  await tell(asks('identity'), commands.createIdentity(asks('identity'), accountId, user));
  const book = await tell(asks('book'), commands.createPixbook(asks('book'), { accountId, identityId, collectionId }));
  if (!book.ok) throw new Error(book.error.detail);
  world.head = book.value.eventId;
  return world;
};

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
