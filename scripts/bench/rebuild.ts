import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSource } from '../../projector/open-source.ts';
import { rebuild } from '../../projector/rebuild.ts';
import { startEmbeddedPostgres } from '../../src/adapter/postgres/embedded.ts';
import { makeLedger } from './made-ledger.ts';

/** A rebuild of a ledger on disk into a fresh Postgres, fsync on: read, verify, fold, COPY, index, compare, swap. */
export const benchRebuild = async (receipts: number) => {
  const directory = await mkdtemp(join(tmpdir(), 'pixpax-bench-rebuild-'));
  const made = makeLedger(join(directory, 'receipts'), {
    accounts: Math.ceil(receipts / 200),
    booksPerAccount: 2,
    savesPerBook: 98,
  });
  const postgres = await startEmbeddedPostgres({ directory: join(directory, 'postgres') });
  try {
    const location = { kind: 'file', directory: join(directory, 'receipts') } as const;
    const source = await openSource({ location, credentials: null, durable: true });
    const start = performance.now();
    const rebuilt = await rebuild({ source, databaseUrl: postgres.url, trust: null });
    const seconds = (performance.now() - start) / 1_000;
    await source.close();
    if (!rebuilt.ok) throw new Error(JSON.stringify(rebuilt.error));
    return { receipts: made.receipts, perSecond: made.receipts / seconds, peakRssBytes: process.resourceUsage().maxRSS * 1024 };
  } finally {
    await postgres.stop();
    await rm(directory, { recursive: true, force: true });
  }
};

if (import.meta.main) console.log(JSON.stringify(await benchRebuild(Number(process.argv[2] ?? 20_000)), null, 2));
