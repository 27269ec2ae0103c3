import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { openLocalSealer } from '../../../src/adapter/local-sealer/sealer.ts';
import { openLocalSigner } from '../../../src/adapter/local-signer/signer.ts';
import { openPool } from '../../../src/adapter/postgres/pool.ts';
import { openReadModel } from '../../../src/adapter/postgres/read-model.ts';
import { openStore, parseStoreUrl } from '../../../src/adapter/store-url.ts';
import { initialise } from '../../../src/command/initialise.ts';
import { openLedger } from '../../../src/command/ledger.ts';
import { systemClock } from '../../../src/port/clock.ts';
import { parseCollectionId } from '../../../src/receipt/ids.ts';
import { type OpenBook, asksAnew, beginnings, made, smallState } from '../ledger-on-disk.ts';

// People who save a page now and then, by the real command path, in a process of their own as the service is. Told `start` and `stop` by
// the parent; answers what they felt in between. The first it says is which accounts they made.

export type Felt = { readonly count: number; readonly p50Ms: number; readonly p95Ms: number; readonly p99Ms: number };

const STREAMS = 8;
const THINK_MS = { least: 50, most: 150 };

const open = async () => {
  const { DATABASE_URL: url = '', RECEIPT_STORE = '', KEYS_DIR = '', AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY } = process.env;
  const location = parseStoreUrl(RECEIPT_STORE);
  if (!location.ok) throw new Error(location.error.problem);
  const credentials =
    AWS_ACCESS_KEY_ID && AWS_SECRET_ACCESS_KEY
      ? { accessKeyId: AWS_ACCESS_KEY_ID, secretAccessKey: AWS_SECRET_ACCESS_KEY }
      : null;
  const store = await openStore(location.value, credentials);
  const [signer, sealer] = [await openLocalSigner(KEYS_DIR), await openLocalSealer(KEYS_DIR)];
  const anchor = await initialise({ store, signer, clock: systemClock }, null);
  if (!anchor.ok) throw new Error(anchor.error.detail);
  const readModel = openReadModel({ pool: openPool({ url }) });
  const notify = ({ level, code, detail }: { level: string; code: string; detail: string }): void => {
    if (level === 'alarm') console.error(`${code}: ${detail}`);
  };
  const ports = { store, signer, sealer, readModel, clock: systemClock, notify, trust: anchor.value.fingerprint };
  return { commands: openLedger(ports).commands, collectionId: await someCollection(url) };
};

const someCollection = async (url: string) => {
  const client = new pg.Client(url);
  await client.connect();
  const { rows } = await client
    .query<{ id: string }>('SELECT collection_id AS id FROM projection.collections LIMIT 1')
    .finally(() => client.end());
  const id = parseCollectionId(rows[0]?.id);
  if (!id.ok) throw new Error('the ledger has no collection');
  return id.value;
};

const { commands, collectionId } = await open();
const { newAccount, newCollector, newBook } = beginnings(commands);
const books: OpenBook[] = [];
for (let i = 0; i < STREAMS; i++) books.push(await newBook(await newCollector(await newAccount()), collectionId));

let isOn = false;
let felt: number[] = [];

const live = async (book: OpenBook): Promise<void> => {
  for (let turn = 0; ; turn++) {
    await sleep(THINK_MS.least + Math.random() * (THINK_MS.most - THINK_MS.least));
    if (!isOn) continue;
    const start = performance.now();
    const saved = made(await commands.save(asksAnew(), book, { state: smallState(turn), baseEventId: book.head }));
    book.head = saved.eventId;
    felt.push(performance.now() - start);
  }
};

const summary = (latencies: readonly number[]): Felt => {
  const sorted = [...latencies].sort((a, b) => a - b);
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
  return { count: sorted.length, p50Ms: at(0.5), p95Ms: at(0.95), p99Ms: at(0.99) };
};

process.on('message', (word) => {
  isOn = word === 'start';
  if (isOn) felt = [];
  else process.send?.(summary(felt));
});
process.on('disconnect', () => process.exit());
process.send?.(books.map(({ accountId }) => accountId));
await Promise.all(books.map(live));
