import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSource } from '../../projector/open-source.ts';
import { keepSegments } from '../../projector/segment/keep-segments.ts';
import type { LedgerSource } from '../../projector/source.ts';
import { openStore } from '../../src/adapter/store-url.ts';
import { limits } from '../../src/limits.ts';
import { systemClock } from '../../src/port/clock.ts';
import { makeLedger } from './made-ledger.ts';

// Receipts bundled a second, and receipts read a second with segments and without, in one thread, from a directory: raw reads, nothing is
// checked. `node scripts/bench/segments.ts [RECEIPTS]` prints JSON.

type Timed = { readonly perSecond: number; readonly cpuMicroseconds: number };

const timed = async (work: () => Promise<number>): Promise<Timed> => {
  const cpu = process.cpuUsage();
  const start = performance.now();
  const receipts = await work();
  const { user, system } = process.cpuUsage(cpu);
  const perSecond = Math.round(receipts / ((performance.now() - start) / 1_000));
  return { perSecond, cpuMicroseconds: Number(((user + system) / receipts).toFixed(1)) };
};

/** Lists and reads everything, as a reading thread does. */
const readAll = async (source: LedgerSource): Promise<number> => {
  let receipts = 0;
  for await (const found of source.find('pixpax/')) {
    if (!('stream' in found)) continue;
    for await (const page of source.pages(found.stream))
      for (let at = 0; at < page.length; at += limits.parallelReads) {
        const objects = await source.readMany(page.slice(at, at + limits.parallelReads));
        receipts += objects.filter((bytes) => bytes !== null).length;
      }
  }
  return receipts;
};

const listAll = async (source: LedgerSource): Promise<number> => {
  let receipts = 0;
  for await (const found of source.find('pixpax/'))
    if ('stream' in found) for await (const page of source.pages(found.stream)) receipts += page.length;
  return receipts;
};

const wanted = Number(process.argv[2] ?? 40_000);
const directory = mkdtempSync(join(tmpdir(), 'pixpax-bench-segments-'));
try {
  const made = makeLedger(directory, { accounts: Math.ceil(wanted / 400), booksPerAccount: 20, savesPerBook: 19 });
  const location = { kind: 'file', directory } as const;
  const open = (segments: 'use' | 'ignore') => openSource({ location, credentials: null, durable: false, segments });
  const timedOver = async (segments: 'use' | 'ignore', work: (source: LedgerSource) => Promise<number>): Promise<Timed> => {
    const source = await open(segments);
    const measured = await timed(() => work(source));
    await source.close();
    return measured;
  };
  // What is measured first would pay for warming up.
  await timedOver('ignore', readAll);
  const store = await openStore(location, null);
  const source = await openSource({ location, credentials: null, durable: true });
  const settledBeforeMs = systemClock.now();
  const choices = { settledBeforeMs, shard: { number: 1, of: 1 }, all: true, anew: false, prune: false };
  let storedBytes = 0;
  const bundling = await timed(async () => {
    const report = await keepSegments({ source, store, clock: systemClock, ...choices });
    storedBytes = report.storedBytes;
    return report.receipts;
  });
  await Promise.all([source.close(), store.close()]);
  const events: Timed[] = [];
  const segments: Timed[] = [];
  const listing: Timed[] = [];
  for (let round = 0; round < 3; round++) {
    listing.push(await timedOver('ignore', listAll));
    events.push(await timedOver('ignore', readAll));
    segments.push(await timedOver('use', readAll));
  }
  const bytesPerReceipt = Math.round(storedBytes / made.receipts);
  process.stdout.write(`${JSON.stringify({ ...made, bytesPerReceipt, bundling, listing, events, segments }, null, 2)}\n`);
} finally {
  rmSync(directory, { recursive: true, force: true });
}
