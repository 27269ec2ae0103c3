import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { ulid } from 'ulid';
import { memoryReadModel } from '../../src/adapter/memory/read-model.ts';
import { openLedger } from '../../src/command/ledger.ts';
import { qualifyStore } from '../../src/command/qualify.ts';
import { systemClock } from '../../src/port/clock.ts';
import { Outage } from '../../src/port/outage.ts';
import type { ReceiptStore } from '../../src/port/receipt-store.ts';
import type { PublicKeyId } from '../../src/receipt/ids.ts';
import { LEDGER_ROOT } from '../../src/receipt/key-path.ts';
import { type Result, err, ok } from '../../src/result.ts';
import { chanceOf } from './chance.ts';
import { type Tally, addTally, countedStore, noTally } from './counted-store.ts';
import { closeHalfOfTheDrops, genesis, openMarket } from './market.ts';
import { type Place, openKeys, openPlace } from './parts.ts';
import { type YearPlan, planOf } from './plan.ts';
import { turnedClock } from './turned-clock.ts';
import { RECEIPTS, STOP, type ThreadOrder, type YearFailed, type YearPlayed } from './year-order.ts';

export type GenerateOptions = {
  readonly place: Place;
  /** As many, to the receipt: at least `LEAST_RECEIPTS`. */
  readonly receipts: number;
  /** The same for the same shape: how many receipts of which types, in how many streams. Keys, signatures and draws are new each time. */
  readonly seed: string;
  readonly threads: number;
  /** The secret that codes are made with; asked for once the store is known to be empty. */
  readonly codeSecret: () => Promise<string>;
  /** The year that the receipts tell of ends then, in milliseconds since 1970: in the past. */
  readonly endMs: number;
  readonly onProgress?: (receipts: number) => void;
  /** Aborted: what is begun is ended, and the ledger is a shorter one. */
  readonly signal?: AbortSignal;
};

export type Generated = Tally & { readonly fingerprint: PublicKeyId; readonly stopped: boolean };

/** The store holds a ledger already, or does not do what a ledger needs: nothing was written. */
export type StoreRefused = { readonly code: 'store-used' | 'store-not-qualified'; readonly detail: string };

const YEAR_MS = 365 * 24 * 3_600_000;
const HOUR_MS = 3_600_000;
/** The market opens before anybody comes. */
const MARKET_MS = 24 * HOUR_MS;
const PROGRESS_MS = 200;

/** Neighbourhoods are thrown away: a heap that may grow would only be swept later. */
const resourceLimits = { maxOldGenerationSizeMb: 512 };

/** Neighbourhoods that one thread plays at once: a bucket is waited for, a directory is not. */
const AT_ONCE = { file: 1, s3: 16 } as const;

/**
 * Makes a signed ledger, by the commands that everybody uses, in a store that holds none. Refuses `store-used` and `store-not-qualified`. Throws `Outage` when the store or the
 * directory of keys fails, and Error when a command refuses what it must not. What is written by then is true, but stops in
 * the middle: an accepted trade may not be settled yet.
 */
export const generateLedger = async (options: GenerateOptions): Promise<Result<Generated, StoreRefused>> => {
  const store = await openPlace(options.place);
  try {
    const [found] = await store.list({ prefix: LEDGER_ROOT, limit: 1 });
    if (found !== undefined) return err(usedStore(store.description));
    const qualified = await qualifyStore(store, systemClock, ulid());
    if (!qualified.ok) return err({ code: qualified.error.code, detail: qualified.error.finding });
    return ok(await generateInto(store, options));
  } finally {
    await store.close();
  }
};

const generateInto = async (store: ReceiptStore, options: GenerateOptions): Promise<Generated> => {
  const { receipts, seed, endMs, place } = options;
  const plan = planOf(receipts, seed);
  const custody = await openKeys(place);
  const codeSecret = await options.codeSecret();
  const shared = new SharedArrayBuffer(8);
  const counts = new Int32Array(shared);
  const counted = countedStore(store, () => void Atomics.add(counts, RECEIPTS, 1));
  const startMs = endMs - YEAR_MS;
  const clock = turnedClock(startMs, { deadlines: true });
  const trust = await genesis({ ...custody, store: counted, clock });
  const ports = { ...custody, store: counted, clock, trust, readModel: memoryReadModel(), notify: () => undefined };
  const parts = { ports, commands: openLedger(ports).commands, chance: chanceOf(seed, 'market'), seed };
  const market = await openMarket(parts, plan.collections);
  const order = { place, market, trust, seed, codeSecret, startMs: startMs + MARKET_MS, endMs, shared };
  const sum = noTally();
  await playAll(options, order, plan.years, sum);
  clock.turn(endMs + HOUR_MS - clock.now());
  await closeHalfOfTheDrops(parts, market);
  addTally(sum, counted.tally);
  return { ...sum, fingerprint: trust, stopped: Atomics.load(counts, STOP) !== 0 };
};

const usedStore = (description: string): StoreRefused => ({
  code: 'store-used',
  detail: `${description} holds a ledger already, maybe of a run that was killed: name an empty directory or bucket`,
});

/** All years, by so many threads, each of which is given another as soon as one is over. */
const playAll = async (
  { threads, place, signal, onProgress }: GenerateOptions,
  order: ThreadOrder,
  years: readonly YearPlan[],
  sum: Tally,
): Promise<void> => {
  const counts = new Int32Array(order.shared);
  const waiting = [...years];
  const stop = (): void => void Atomics.store(counts, STOP, 1);
  if (signal?.aborted) stop();
  signal?.addEventListener('abort', stop);
  const progress = setInterval(() => onProgress?.(Atomics.load(counts, RECEIPTS)), PROGRESS_MS);
  const workers: Worker[] = [];
  try {
    const runs = Array.from({ length: Math.min(threads, years.length) }, () => {
      const worker = new Worker(new URL('./year-thread.ts', import.meta.url), { workerData: order, resourceLimits });
      workers.push(worker);
      return runThread(
        worker,
        AT_ONCE[place.location.kind],
        () => (Atomics.load(counts, STOP) === 0 ? waiting.shift() : undefined),
        sum,
      );
    });
    await Promise.all(runs);
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
    clearInterval(progress);
    signal?.removeEventListener('abort', stop);
  }
};

/** Rejects with what the thread died of. */
const runThread = async (worker: Worker, atOnce: number, next: () => YearPlan | undefined, sum: Tally): Promise<void> => {
  let playing = 0;
  const hand = (): void => {
    const year = next();
    if (year !== undefined) {
      playing += 1;
      worker.postMessage(year);
    } else if (playing === 0) worker.postMessage('end');
  };
  const failed = Promise.withResolvers<never>();
  worker.on('message', (answer: YearPlayed | YearFailed) => {
    if ('outage' in answer) {
      const { dependency, code, message } = answer.outage;
      failed.reject(new Outage(dependency, code, message));
      return;
    }
    playing -= 1;
    addTally(sum, answer.tally);
    hand();
  });
  for (let i = 0; i < atOnce && (i === 0 || playing === i); i++) hand();
  await Promise.race([once(worker, 'exit'), failed.promise]);
};
