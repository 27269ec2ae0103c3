import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { type Acknowledgement, audit } from '../../projector/audit.ts';
import { dumpPostgres } from '../../src/adapter/postgres/dump.ts';
import { startEmbeddedPostgres } from '../../src/adapter/postgres/embedded.ts';
import { openPool } from '../../src/adapter/postgres/pool.ts';
import { openStore, parseStoreUrl } from '../../src/adapter/store-url.ts';
import { type AccountId, type BookId, derivedUlid } from '../../src/receipt/ids.ts';
import { apiProcess } from './api-process.ts';
import { type Book, ask, collect, insist } from './collector.ts';
import { freshBucket } from './fresh-bucket.ts';

const SECONDS = Number(process.env.KILL_LOOP_SECONDS ?? 60);
const BOOKS = 4;
const COLLECTORS_PER_BOOK = 2;

const folder = await mkdtemp(join(tmpdir(), 'pixpax-kill-'));
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('two services on one store, each with its own Postgres, killed and paused at random under load', () => {
  it('keep every invariant', async () => {
    const bucket = await freshBucket();
    const storeUrl = bucket?.url ?? `fs:${join(folder, 'receipts')}`;
    const env = { RECEIPT_STORE: storeUrl, KEYS_DIR: join(folder, 'keys'), ...bucket?.env };
    const apis = [await apiProcess(folder, env), await apiProcess(folder, env)];
    const [first] = apis;
    if (first === undefined) throw new Error('no service');
    try {
      for (const api of apis) await api.start();
      const location = parseStoreUrl(storeUrl);
      if (!location.ok) throw new Error(location.error.problem);
      const store = await openStore(location.value, bucket?.credentials ?? null);

      const books = await makeBooks(first);
      const acknowledged: Acknowledgement[] = [];
      const until = Date.now() + SECONDS * 1_000;
      const goesOn = (): boolean => Date.now() < until;
      const collectors = books.flatMap((book) =>
        Array.from({ length: COLLECTORS_PER_BOOK }, () => collect(apis, store, book, acknowledged, goesOn)),
      );
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
      await Promise.all(collectors);

      // One more save through each service catches each projection up; then both are looked at with nobody writing.
      for (const api of apis) for (const book of books) await collect([api], store, book, acknowledged, onceOnly());
      const dumps = [];
      for (const api of apis) {
        await api.stop();
        dumps.push(await dumpOf(join(api.dataDir, 'postgres')));
      }
      const projections = dumps.map((dump) => ({ dump, caughtUp: false }));
      const findings = await audit({ store, trust: null, acknowledged, projections });
      console.log(
        `kill loop: ${acknowledged.length} receipts acknowledged, ${kills} kills in ${SECONDS} s, on ${store.description}`,
      );
      expect(findings).toEqual([]);
      expect(acknowledged.length).toBeGreaterThan(SECONDS);
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

/** Books of the demo's identity, one to a collection. */
const makeBooks = async (api: Awaited<ReturnType<typeof apiProcess>>): Promise<Book[]> => {
  const accounts = await ask(api, '/v1/accounts');
  const [account] = (accounts?.body.data ?? []) as { accountId: AccountId }[];
  const accountId = account?.accountId;
  const identities = await ask(api, `/v1/accounts/${accountId}/identities`);
  const [identity] = (identities?.body.data ?? []) as { identityId: string }[];
  const identityId = identity?.identityId;
  if (accountId === undefined || identityId === undefined) throw new Error('the demo has no account');
  const books: Book[] = [];
  for (let i = 0; i < BOOKS; i++) {
    const collectionId = `col_${derivedUlid('kill-loop', randomUUID())}`;
    const made = await insist([api], '/v1/pixbooks', { accountId, identityId, collectionId });
    if (made.status !== 201) throw new Error(JSON.stringify(made.body));
    books.push({ accountId, bookId: made.body.bookId as BookId });
  }
  return books;
};

const dumpOf = async (directory: string) => {
  const postgres = await startEmbeddedPostgres({ directory });
  const pool = openPool({ url: postgres.url });
  try {
    return await dumpPostgres(pool, 'projection');
  } finally {
    await pool.end();
    await postgres.stop();
  }
};
