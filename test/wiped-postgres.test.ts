import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { audit } from '../projector/audit.ts';
import { rebuild } from '../projector/rebuild.ts';
import { storeSource } from '../projector/store-source.ts';
import { memoryStore } from '../src/adapter/memory/receipt-store.ts';
import { memorySealer } from '../src/adapter/memory/sealer.ts';
import { memorySigner } from '../src/adapter/memory/signer.ts';
import { digestTables } from '../src/adapter/postgres/digest.ts';
import { dumpPostgres } from '../src/adapter/postgres/dump.ts';
import { openPool, withClient } from '../src/adapter/postgres/pool.ts';
import { openReadModel } from '../src/adapter/postgres/read-model.ts';
import { ensureOperator } from '../src/command/ensure-operator.ts';
import { initialise } from '../src/command/initialise.ts';
import { openLedger } from '../src/command/ledger.ts';
import type { CommandOutcome, LedgerCommands } from '../src/command/ledger-commands.ts';
import { systemClock } from '../src/port/clock.ts';
import {
  type BookId,
  type EventId,
  type IdempotencyKey,
  type IdentityId,
  OPERATOR_IDENTITY_ID,
  type PublicKeyId,
  bookIdFor,
  identityIdFor,
} from '../src/receipt/ids.ts';
import { asks, collectionId, user } from './crash/world.ts';
import { catalogueOf, putArt } from './domain/publication.ts';
import { granted } from './ledger-fixture.ts';
import { type TestDatabase, freshDatabase } from './postgres.ts';

const catalogue = catalogueOf(1, 'bare-card');
const objects = new Map<string, Uint8Array>();
const store = memoryStore(objects);
const signer = memorySigner();
const sealer = memorySealer();
let database: TestDatabase;
let pool: ReturnType<typeof openPool>;
let app: ReturnType<typeof openPool>;
let start: () => LedgerCommands;
let trust: PublicKeyId;

beforeAll(async () => {
  database = await freshDatabase();
  pool = openPool({ url: database.url, role: 'projector' });
  app = openPool({ url: database.url });
  trust = granted(await initialise({ store, signer, clock: systemClock }, null)).fingerprint;
  const readModel = openReadModel({ pool: app });
  const ports = { store, signer, sealer, readModel, clock: systemClock, trust, notify: () => undefined };
  start = () => openLedger(ports, { rememberedStreams: 100 }).commands;
  await ensureOperator(ports, user);
  putArt({ objects }, catalogue);
});
afterAll(async () => {
  await Promise.all([pool.end(), app.end()]);
  await database.drop();
});

type Told = { readonly key: string; readonly answer: CommandOutcome };

/** A whole story, each command under a key of its own: told again it must come out the same, receipt for receipt. */
const tell = async (commands: LedgerCommands): Promise<readonly Told[]> => {
  const told: Told[] = [];
  const say = async (key: string, command: Promise<CommandOutcome>): Promise<EventId> => {
    const answer = await command;
    told.push({ key, answer });
    return granted(answer).eventId;
  };
  const publication = { identityId: OPERATOR_IDENTITY_ID, collectionId, catalogue };
  await say('collection', commands.publishCollection(asks('collection'), publication));
  const account = told.length;
  await say('account', commands.createAccount(asks('account')));
  const accountId = accountOf(told.slice(account));
  const identityId: IdentityId = identityIdFor(accountId, 'identity' as IdempotencyKey);
  await say('identity', commands.createIdentity(asks('identity'), accountId, user));
  const book = await say('book', commands.createPixbook(asks('book'), { accountId, identityId, collectionId }));
  const bookId: BookId = bookIdFor(identityId, collectionId, 1);
  const save = { state: { page: 1 }, baseEventId: book };
  await say('save', commands.save(asks('save'), { accountId, bookId }, save));
  await say('rotate', commands.rotateKey(asks('rotate'), accountId, identityId));
  await say('close', commands.closePixbook(asks('close'), { accountId, bookId }));
  await say('book-2', commands.createPixbook(asks('book-2'), { accountId, identityId, collectionId }));
  return told;
};

const accountOf = ([first]: readonly Told[]) => {
  const stream = first?.answer.ok === true ? first.answer.value.stream : null;
  if (stream?.type !== 'account') throw new Error('no account was made');
  return stream.accountId;
};

/** What a client can see of an answer, whether it was given for the first time or again. */
const seen = (told: readonly Told[]) =>
  told.map(({ key, answer }) => ({ key, ...granted(answer), projection: 'applied', replayed: null }));

const digests = () =>
  withClient(pool, async (client) => {
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
    const tables = await digestTables(client, 'projection');
    await client.query('COMMIT');
    return tables;
  });

describe('a wiped Postgres', () => {
  it('answers every old idempotency key as before and writes nothing, in the same process and in a new one', async () => {
    const running = start();
    const first = await tell(running);
    const before = [...objects.keys()];
    const digestsBefore = await digests();

    for (const commands of [running, start()]) {
      await pool.query('DROP SCHEMA projection CASCADE');
      const again = await tell(commands);
      expect(seen(again)).toEqual(seen(first));
      expect(again.every(({ answer }) => granted(answer).replayed)).toBe(true);
      expect([...objects.keys()]).toEqual(before);
      expect(await digests()).toEqual(digestsBefore);
    }
  });

  it('is made anew by a rebuild with identical digests, and passes the audit', async () => {
    const before = await digests();
    await pool.query('DROP SCHEMA projection CASCADE');
    const report = granted(await rebuild({ source: storeSource(store), databaseUrl: database.url, trust, threads: 0 }));
    expect(report).toMatchObject({ live: 'missing', ledger: { verdict: 'valid' } });
    expect(await digests()).toEqual(before);
    const projections = [{ dump: await dumpPostgres(pool, 'projection'), caughtUp: true }];
    expect(await audit({ store, trust, acknowledged: [], projections })).toEqual([]);
  });
});
