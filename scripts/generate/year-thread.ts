import { parentPort, workerData } from 'node:worker_threads';
import { Outage } from '../../src/port/outage.ts';
import { codeKeyOf } from '../../src/stream/code/secret.ts';
import type { SharedReads } from './known-streams.ts';
import { newNeighbourhood } from './neighbourhood.ts';
import { openKeys, openPlace } from './parts.ts';
import type { YearPlan } from './plan.ts';
import { playYear } from './play.ts';
import { turnedClock } from './turned-clock.ts';
import { RECEIPTS, STOP, type ThreadOrder, type YearFailed, type YearPlayed } from './year-order.ts';

const serve = async (order: ThreadOrder): Promise<void> => {
  const { place, market, trust, seed, codeSecret, startMs, endMs } = order;
  const shared = new Int32Array(order.shared);
  const parts = { store: await openPlace(place), ...(await openKeys(place)) };
  const codeKey = codeKeyOf(Buffer.from(codeSecret));
  const reads: SharedReads = new Map();
  const onReceipt = (): void => void Atomics.add(shared, RECEIPTS, 1);
  const isStopped = (): boolean => Atomics.load(shared, STOP) !== 0;

  const play = async ({ index, receipts }: YearPlan): Promise<YearPlayed> => {
    const name = String(index);
    const clock = turnedClock(startMs, { deadlines: place.location.kind !== 'file' });
    const here = newNeighbourhood({ ports: { ...parts, trust }, market, seed, name, clock, reads, onReceipt });
    await playYear(here, { receipts, endMs, codeKey, isStopped, repertoire: index === 0 });
    return { index, tally: here.store.tally };
  };
  parentPort?.on('message', (plan: YearPlan | 'end') => {
    if (plan === 'end') void parts.store.close().then(() => parentPort?.close());
    // Any other error is a bug: it ends this thread, and the whole run.
    else
      void play(plan)
        .catch(failed)
        .then((answer) => parentPort?.postMessage(answer));
  });
};

const failed = (error: unknown): YearFailed => {
  if (!(error instanceof Outage)) throw error;
  const { dependency, code, message } = error;
  return { outage: { dependency, code, message } };
};

await serve(workerData as ThreadOrder);
