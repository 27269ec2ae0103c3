import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pMap from 'p-map';
import { openFileStore } from '../../src/adapter/file/receipt-store.ts';
import { openLocalSealer } from '../../src/adapter/local-sealer/sealer.ts';
import { openLocalSigner } from '../../src/adapter/local-signer/signer.ts';
import { startEmbeddedPostgres } from '../../src/adapter/postgres/embedded.ts';
import { ensureSchemas } from '../../src/adapter/postgres/migrate.ts';
import { openPool } from '../../src/adapter/postgres/pool.ts';
import { openReadModel } from '../../src/adapter/postgres/read-model.ts';
import { ensureRoles } from '../../src/adapter/postgres/roles.ts';
import { ensureOperator } from '../../src/command/ensure-operator.ts';
import { initialise } from '../../src/command/initialise.ts';
import { openLedger } from '../../src/command/ledger.ts';
import type { CommandContext, CommandOutcome, LedgerCommands } from '../../src/command/ledger-commands.ts';
import type { CommandPorts } from '../../src/command/ports.ts';
import { systemClock } from '../../src/port/clock.ts';
import {
  type AccountId,
  type BookId,
  type CollectionId,
  type EventId,
  type IdempotencyKey,
  type IdentityId,
  OPERATOR_IDENTITY_ID,
  type UserId,
  collectionIdFor,
  derivedUlid,
  identityIdFor,
} from '../../src/receipt/ids.ts';
import { artKeyOf } from '../../src/receipt/key-path.ts';
import { publicationOfCards } from './made-publication.ts';

/** A book to save into, and the head the next save is based on. */
export type OpenBook = { readonly accountId: AccountId; readonly bookId: BookId; head: EventId };

type Collector = { readonly accountId: AccountId; readonly identityId: IdentityId };

/** A family of many: well below the limit. */
const IDENTITIES_PER_ACCOUNT = 100;

export const benchUser = `usr_${derivedUlid('bench/user')}` as UserId;

let asked = 0;
/** A context with a key that was never used before. */
export const asksAnew = (): CommandContext => ({
  userId: benchUser,
  idempotencyKey: `bench-${process.pid}-${asked++}` as IdempotencyKey,
  ifMatch: null,
});

/** The state of a small book: with the envelope, a receipt of about 1 KB. */
export const smallState = (turn: number) => ({
  page: turn % 12,
  placements: Array.from({ length: 8 }, (_, slot) => ({ slot, card: `card-${slot}`, x: 10 * slot, y: turn % 100 })),
});

/** The first commands of whoever collects. */
export const beginnings = (commands: LedgerCommands) => {
  const newAccount = async (): Promise<AccountId> => {
    const account = made(await commands.createAccount(asksAnew()));
    if (account.stream.type !== 'account') throw new Error('not an account');
    return account.stream.accountId;
  };
  const newCollector = async (accountId: AccountId): Promise<Collector> => {
    const identity = asksAnew();
    made(await commands.createIdentity(identity, accountId, benchUser));
    return { accountId, identityId: identityIdFor(accountId, identity.idempotencyKey) };
  };
  const newBook = async ({ accountId, identityId }: Collector, collectionId: CollectionId): Promise<OpenBook> => {
    const book = made(await commands.createPixbook(asksAnew(), { accountId, identityId, collectionId }));
    if (book.stream.type !== 'pixbook') throw new Error('not a pixbook');
    return { accountId, bookId: book.stream.bookId, head: book.eventId };
  };
  return { newAccount, newCollector, newBook };
};

/** A collection of 50 cards, published by the operator. */
const publish = async (ports: CommandPorts, commands: LedgerCommands): Promise<CollectionId> => {
  await ensureOperator(ports, benchUser);
  const { catalogue, art } = publicationOfCards(50);
  await pMap(art, ({ artHash, bytes }) => ports.store.create(artKeyOf(artHash), bytes), { concurrency: 16 });
  const context = asksAnew();
  const publication = { identityId: OPERATOR_IDENTITY_ID, collectionId: null, catalogue };
  made(await commands.publishCollection(context, publication));
  return collectionIdFor(OPERATOR_IDENTITY_ID, context.idempotencyKey);
};

/** A whole ledger as `npm start` has it, on the disk of the temporary directory, fsync on: file store, local signer, embedded Postgres. */
export const openBenchLedger = async () => {
  const directory = await mkdtemp(join(tmpdir(), 'pixpax-bench-'));
  const store = await openFileStore(join(directory, 'receipts'));
  const signer = await openLocalSigner(join(directory, 'keys'));
  const postgres = await startEmbeddedPostgres({ directory: join(directory, 'postgres') });
  await ensureRoles(postgres.url);
  const pool = openPool({ url: postgres.url });
  await ensureSchemas(pool);
  const anchor = await initialise({ store, signer, clock: systemClock }, null);
  if (!anchor.ok) throw new Error(anchor.error.detail);
  const trust = anchor.value.fingerprint;
  const notify = ({ code, detail }: { code: string; detail: string }): void => console.error(`${code}: ${detail}`);
  const readModel = openReadModel({ pool });
  const sealer = await openLocalSealer(join(directory, 'keys'));
  const ports = { store, signer, sealer, readModel, clock: systemClock, notify, trust };
  const { commands } = openLedger(ports);

  const collectionId = await publish(ports, commands);
  const { newAccount, newCollector, newBook } = beginnings(commands);
  /** Each of another identity, for of one collection an identity has one open book; an account has its limit of identities. */
  const openBooks = async (count: number): Promise<OpenBook[]> => {
    const families = Math.ceil(count / IDENTITIES_PER_ACCOUNT);
    const accounts = await Promise.all(Array.from({ length: families }, newAccount));
    const numbers = Array.from({ length: count }, (_, i) => i);
    const openBook = async (i: number): Promise<OpenBook> => {
      const accountId = accounts[i % families];
      if (accountId === undefined) throw new Error('no such account');
      return newBook(await newCollector(accountId), collectionId);
    };
    return pMap(numbers, openBook, { concurrency: 64 });
  };
  const close = async (): Promise<void> => {
    await pool.end();
    await postgres.stop();
    await signer.close();
    await sealer.close();
    await store.close();
    await rm(directory, { recursive: true, force: true });
  };
  return { directory, ...ports, pool, databaseUrl: postgres.url, commands, collectionId, openBooks, close };
};

export type BenchLedger = Awaited<ReturnType<typeof openBenchLedger>>;

export const made = (outcome: CommandOutcome) => {
  if (!outcome.ok) throw new Error(`${outcome.error.code}: ${outcome.error.detail}`);
  return outcome.value;
};
