import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { type Acknowledgement, audit } from '../../projector/audit.ts';
import { storeSource } from '../../projector/store-source.ts';
import { verifyLedger } from '../../projector/verify.ts';
import { dumpPostgres } from '../../src/adapter/postgres/dump.ts';
import { startEmbeddedPostgres } from '../../src/adapter/postgres/embedded.ts';
import { openPool } from '../../src/adapter/postgres/pool.ts';
import { openStore, parseStoreUrl } from '../../src/adapter/store-url.ts';
import { limits } from '../../src/limits.ts';
import type { AccountId, BookId } from '../../src/receipt/ids.ts';
import { isDerivedKey } from '../../src/receipt/key-path.ts';
import { demoUser } from '../../src/service/demo.ts';
import { ownershipIn } from '../domain/ownership.ts';
import { objectsIn, untilNothingIsOwed } from './aftermath.ts';
import { type ApiProcess, apiProcess } from './api-process.ts';
import { type Copies, type Ground, type Told, askForPacks, raceForCodes, swap } from './cards.ts';
import { type Book, ask, collect, insist } from './collector.ts';
import { freshBucket } from './fresh-bucket.ts';
import { publish } from './publication.ts';

const SECONDS = Number(process.env.KILL_LOOP_SECONDS ?? 60);
const BOOKS = 4;
const COLLECTORS_PER_BOOK = 2;
const DROPS = 10;
const CODES = Math.min(2 * SECONDS, limits.codesPerBatch);
const RIVALS = 2;

const folder = await mkdtemp(join(tmpdir(), 'pixpax-kill-'));
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('two services on one store, each with its own Postgres, killed and paused at random under load', () => {
  it('keep every invariant', async () => {
    const bucket = await freshBucket();
    const storeUrl = bucket?.url ?? `fs:${join(folder, 'receipts')}`;
    const secrets = { KEYS_DIR: join(folder, 'keys'), CODE_SECRET: randomBytes(32).toString('hex') };
    const env = { RECEIPT_STORE: storeUrl, ...secrets, ...bucket?.env };
    const apis = [await apiProcess(folder, env), await apiProcess(folder, env)];
    const [first] = apis;
    if (first === undefined) throw new Error('no service');
    try {
      for (const api of apis) await api.start();
      const location = parseStoreUrl(storeUrl);
      if (!location.ok) throw new Error(location.error.problem);
      const store = await openStore(location.value, bucket?.credentials ?? null);

      const { collectionId, dropIds, codes } = await publish(first, { drops: DROPS, codes: CODES });
      const books = await makeBooks(first, collectionId);
      const acknowledged: Acknowledgement[] = [];
      const told: Told[] = [];
      const until = Date.now() + SECONDS * 1_000;
      const goesOn = (): boolean => Date.now() < until;
      const collectors = books.flatMap((book) =>
        Array.from({ length: COLLECTORS_PER_BOOK }, () => collect(apis, store, book, acknowledged, goesOn)),
      );
      const ground: Ground = { apis, store, acknowledged, told, goesOn };
      const unclaimed = [...codes];
      const copies: Copies = new Map();
      const cards = [
        ...books.map((book) => askForPacks(ground, book, dropIds, (SECONDS * 1_000) / DROPS, copies)),
        ...twice(() => raceForCodes(ground, books, unclaimed)),
        ...pairsOf(books).flatMap((pair) => twice(() => swap(ground, pair, copies))),
      ];
      const load = Promise.allSettled([...collectors, ...cards]);
      const chaos = apis.map(async (api) => {
        let kills = 0;
        while (goesOn()) {
          await new Promise((resolve) => setTimeout(resolve, 500 + Math.random() * 3_000));
          if (Math.random() < 0.5) await api.pause(200 + Math.random() * 6_000);
          else {
            await api.kill();
            kills++;
            await api.start();
          }
        }
        return kills;
      });
      const kills = (await Promise.all(chaos)).reduce((sum, each) => sum + each, 0);
      for (const each of await load) if (each.status === 'rejected') throw each.reason;

      // One more save through each service catches each projection up; then both are looked at with nobody writing.
      for (const api of apis) for (const book of books) await collect([api], store, book, acknowledged, onceOnly());
      for (const api of apis) await untilNothingIsOwed(api);
      const dumps = [];
      for (const api of apis) {
        await api.stop();
        dumps.push(await dumpOf(join(api.dataDir, 'postgres')));
      }
      const projections = dumps.map((dump) => ({ dump, caughtUp: false }));
      // So late that no trade may be unsettled any more.
      const nowMs = Date.now() + 2 * limits.redoOverdueMs;
      const findings = await audit({ store, trust: null, acknowledged, projections, nowMs });
      const objects = await objectsIn(store);
      const { owners, faults, unfinished } = ownershipIn(objects);
      console.log(
        `kill loop: ${acknowledged.length + told.length} receipts acknowledged, ${told.length} of them claims and trades,`,
        `${owners.size} copies, ${objects.size} objects, ${kills} kills in ${SECONDS} s, on ${store.description}`,
      );
      expect(findings).toEqual([]);
      expect({ faults, unfinished }).toEqual({ faults: [], unfinished: [] });
      expect(untrueOf(told, objects)).toEqual([]);
      const verified = await verifyLedger({ source: storeSource(store), trust: null, nowMs });
      expect(verified).toMatchObject({ verdict: 'valid', faults: [], unverifiable: 0 });
      expect(acknowledged.length).toBeGreaterThan(SECONDS);
      expect(told.length).toBeGreaterThan(SECONDS / 2);
      expect(kills).toBeGreaterThan(0);
      await store.close();
    } finally {
      for (const api of apis) await api.kill();
    }
  });
});

const onceOnly = (): (() => boolean) => {
  let turns = 0;
  return () => turns++ === 0;
};

const twice = <T>(start: () => T): readonly T[] => Array.from({ length: RIVALS }, start);

/** The first with the second, the third with the fourth: a copy that is swapped stays within its pair. */
const pairsOf = (books: readonly Book[]): readonly (readonly [Book, Book])[] =>
  books.flatMap((book, i) => {
    const next = books[i + 1];
    return i % 2 === 0 && next !== undefined ? [[book, next] as const] : [];
  });

/** Books of the collection in the demo's account, one to an identity. */
const makeBooks = async (api: ApiProcess, collectionId: string): Promise<Book[]> => {
  const accounts = await ask(api, '/v1/accounts');
  const [account] = (accounts?.body.data ?? []) as { accountId: AccountId }[];
  const accountId = account?.accountId;
  if (accountId === undefined) throw new Error('the demo has no account');
  const books: Book[] = [];
  for (let i = 0; i < BOOKS; i++) {
    const identity = await insist([api], `/v1/accounts/${accountId}/identities`, { controller: demoUser.userId });
    const made = await insist([api], '/v1/pixbooks', { accountId, identityId: identity.body.identityId, collectionId });
    if (made.status !== 201) throw new Error(JSON.stringify([identity.body, made.body]));
    books.push({ accountId, bookId: made.body.bookId as BookId });
  }
  return books;
};

/** What clients were told of and is not in the ledger as they were told. */
const untrueOf = (told: readonly Told[], objects: ReadonlyMap<string, Uint8Array>): readonly Told[] => {
  const hashes = new Map<string, string>();
  for (const [key, bytes] of objects) {
    if (isDerivedKey(key)) continue;
    const { eventId, hash } = JSON.parse(Buffer.from(bytes).toString()) as Told;
    hashes.set(eventId, hash);
  }
  return told.filter(({ eventId, hash }) => hashes.get(eventId) !== hash);
};

const dumpOf = async (directory: string) => {
  const postgres = await startEmbeddedPostgres({ directory });
  const pool = openPool({ url: postgres.url, role: 'projector' });
  try {
    return await dumpPostgres(pool, 'projection');
  } finally {
    await pool.end();
    await postgres.stop();
  }
};
