import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openFileStore } from '../../src/adapter/file/receipt-store.ts';
import { openLocalSigner } from '../../src/adapter/local-signer/signer.ts';
import { startEmbeddedPostgres } from '../../src/adapter/postgres/embedded.ts';
import { ensureSchemas } from '../../src/adapter/postgres/migrate.ts';
import { openPool } from '../../src/adapter/postgres/pool.ts';
import { openReadModel } from '../../src/adapter/postgres/read-model.ts';
import { initialise } from '../../src/command/initialise.ts';
import { openLedger } from '../../src/command/ledger.ts';
import type { CommandContext, CommandOutcome } from '../../src/command/ledger-commands.ts';
import { systemClock } from '../../src/port/clock.ts';
import {
  type AccountId,
  type BookId,
  type CollectionId,
  type EventId,
  type IdempotencyKey,
  type UserId,
  derivedUlid,
  identityIdFor,
} from '../../src/receipt/ids.ts';

/** A book to save into, and the head the next save is based on. */
export type OpenBook = { readonly accountId: AccountId; readonly bookId: BookId; head: EventId };

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

/** A whole ledger as `npm start` has it, on the disk of the temporary directory, fsync on: file store, local signer, embedded Postgres. */
export const openBenchLedger = async () => {
  const directory = await mkdtemp(join(tmpdir(), 'pixpax-bench-'));
  const store = await openFileStore(join(directory, 'receipts'));
  const signer = await openLocalSigner(join(directory, 'keys'));
  const postgres = await startEmbeddedPostgres({ directory: join(directory, 'postgres') });
  const pool = openPool({ url: postgres.url });
  await ensureSchemas(pool);
  const anchor = await initialise({ store, signer, clock: systemClock }, null);
  if (!anchor.ok) throw new Error(anchor.error.detail);
  const trust = anchor.value.fingerprint;
  const notify = ({ code, detail }: { code: string; detail: string }): void => console.error(`${code}: ${detail}`);
  const readModel = openReadModel({ pool });
  const ports = { store, signer, readModel, clock: systemClock, notify, trust };
  const commands = openLedger(ports);

  const openBooks = async (count: number): Promise<OpenBook[]> => {
    const account = made(await commands.createAccount(asksAnew()));
    if (account.stream.type !== 'account') throw new Error('not an account');
    const { accountId } = account.stream;
    const identity = asksAnew();
    made(await commands.createIdentity(identity, accountId, benchUser));
    const identityId = identityIdFor(accountId, identity.idempotencyKey);
    return Promise.all(
      Array.from({ length: count }, async (_, i) => {
        const collectionId = `col_${derivedUlid('bench/collection', String(i))}` as CollectionId;
        const book = made(await commands.createPixbook(asksAnew(), { accountId, identityId, collectionId }));
        if (book.stream.type !== 'pixbook') throw new Error('not a pixbook');
        return { accountId, bookId: book.stream.bookId, head: book.eventId };
      }),
    );
  };
  const close = async (): Promise<void> => {
    await pool.end();
    await postgres.stop();
    await signer.close();
    await store.close();
    await rm(directory, { recursive: true, force: true });
  };
  return { directory, store, signer, pool, readModel, databaseUrl: postgres.url, commands, trust, openBooks, close };
};

export type BenchLedger = Awaited<ReturnType<typeof openBenchLedger>>;

export const made = (outcome: CommandOutcome) => {
  if (!outcome.ok) throw new Error(`${outcome.error.code}: ${outcome.error.detail}`);
  return outcome.value;
};
