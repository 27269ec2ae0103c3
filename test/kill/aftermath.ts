import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pMap from 'p-map';
import { openBacklog } from '../../src/adapter/postgres/backlog.ts';
import { runningEmbeddedPostgres } from '../../src/adapter/postgres/embedded.ts';
import { openPool } from '../../src/adapter/postgres/pool.ts';
import { openRedoOutbox } from '../../src/adapter/postgres/redo-outbox.ts';
import { limits } from '../../src/limits.ts';
import type { ReceiptStore } from '../../src/port/receipt-store.ts';
import { LEDGER_ROOT } from '../../src/receipt/key-path.ts';
import type { ApiProcess } from './api-process.ts';

const DEADLINE_MS = 60_000;

/**
 * Waits until nothing must follow from any receipt that this process has applied. Asks its database: the metric says 0 until the
 * first sweep.
 */
export const untilNothingIsOwed = async ({ dataDir }: ApiProcess): Promise<void> => {
  const url = await runningEmbeddedPostgres(join(dataDir, 'postgres'));
  if (url === undefined) throw new Error(`no Postgres runs in ${dataDir}`);
  const pool = openPool({ url });
  try {
    const backlog = openBacklog(pool);
    for (const deadline = Date.now() + DEADLINE_MS; (await backlog.redo()).open > 0; await sleep(200)) {
      if (Date.now() < deadline) continue;
      throw new Error(`still to be done: ${JSON.stringify(await openRedoOutbox(pool).open(limits.sweptItems, 0))}`);
    }
  } finally {
    await pool.end();
  }
};

/** Every object of the ledger, by key. */
export const objectsIn = async (store: ReceiptStore): Promise<Map<string, Uint8Array>> => {
  const objects = new Map<string, Uint8Array>();
  for (let last: string | undefined; ; ) {
    const start = last === undefined ? {} : { startAfter: last };
    const page = await store.list({ prefix: LEDGER_ROOT, limit: limits.listPageKeys, ...start });
    const read = async (key: string) => [key, (await store.read(key)) ?? new Uint8Array()] as const;
    for (const [key, bytes] of await pMap(page, read, { concurrency: limits.parallelReads })) objects.set(key, bytes);
    last = page.at(-1);
    if (page.length < limits.listPageKeys) return objects;
  }
};
