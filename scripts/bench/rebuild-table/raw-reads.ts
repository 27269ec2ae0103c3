import { readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { openStore } from '../../../src/adapter/store-url.ts';
import { limits } from '../../../src/limits.ts';
import type { RawRead, RawReadAsk, RawReadOrder } from './raw-read-thread.ts';

export type RawReads = RawRead & { readonly seconds: number };

const KEYS_AT_ONCE = 256;
/** Batches that a thread has at a time: while the last objects of one come, those of the next are on their way. */
const BATCHES_AT_ONCE = 2;

/** The ceiling of reading: every object below a prefix, listed by this thread and read by one thread to a core. Loading the threads is not counted. */
export const rawReads = async (order: RawReadOrder, prefix: string): Promise<RawReads> => {
  const workers = Array.from(
    { length: availableParallelism() },
    () => new Worker(new URL('./raw-read-thread.ts', import.meta.url), { workerData: order }),
  );
  try {
    // The first answer of each thread: it is loaded.
    await Promise.all(workers.map((worker) => ask(worker, [])));
    const lanes = Array.from({ length: BATCHES_AT_ONCE }, () => workers).flat();
    const start = performance.now();
    const batches = batchesBelow(order, prefix);
    const sums = await Promise.all(lanes.map((worker) => readBatches(worker, batches)));
    const seconds = (performance.now() - start) / 1_000;
    const total = (of: (read: RawRead) => number): number => sums.reduce((sum, read) => sum + of(read), 0);
    return { objects: total(({ objects }) => objects), bytes: total(({ bytes }) => bytes), seconds };
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
};

let asked = 0;

const ask = (worker: Worker, keys: readonly string[]): Promise<RawRead> =>
  new Promise((resolve, reject) => {
    const id = asked++;
    const hear = (answer: RawRead & Pick<RawReadAsk, 'id'>): void => {
      if (answer.id !== id) return;
      worker.off('message', hear).off('error', reject);
      resolve(answer);
    };
    worker.on('message', hear).on('error', reject);
    worker.postMessage({ id, keys } satisfies RawReadAsk);
  });

/** Takes one batch after the other from what all threads share. */
const readBatches = async (worker: Worker, batches: AsyncGenerator<readonly string[]>): Promise<RawRead> => {
  const sum = { objects: 0, bytes: 0 };
  for (;;) {
    const next = await batches.next();
    if (next.done) return sum;
    const { objects, bytes } = await ask(worker, next.value);
    sum.objects += objects;
    sum.bytes += bytes;
  }
};

async function* batchesBelow(order: RawReadOrder, prefix: string): AsyncGenerator<readonly string[]> {
  let batch: string[] = [];
  for await (const key of keysBelow(order, prefix)) {
    batch.push(key);
    if (batch.length < KEYS_AT_ONCE) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

async function* keysBelow({ location, credentials }: RawReadOrder, prefix: string): AsyncGenerator<string> {
  if (location.kind === 'file') {
    yield* filesBelow(location.directory, prefix.replace(/\/$/, ''));
    return;
  }
  const store = await openStore(location, credentials);
  try {
    for (let after: string | undefined; ; ) {
      const page = await store.list({
        prefix,
        limit: limits.listPageKeys,
        ...(after === undefined ? {} : { startAfter: after }),
      });
      yield* page;
      after = page.at(-1);
      if (page.length < limits.listPageKeys) return;
    }
  } finally {
    await store.close();
  }
}

function* filesBelow(root: string, place: string): Generator<string> {
  for (const entry of readdirSync(`${root}/${place}`, { withFileTypes: true }))
    if (entry.isDirectory()) yield* filesBelow(root, `${place}/${entry.name}`);
    else yield `${place}/${entry.name}`;
}
