import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';

const SECONDS = 2;
/** Keys in use at a time: one thread reads one stream after another. */
const KEYS = 20;

type Raw = { readonly perSecond: number };

/** The ceiling of checking signatures, in receipts a second: `node:crypto` and nothing else, on all cores, over messages of this size. */
export const rawVerifications = async (messageBytes: number, form: 'r||s' | 'der'): Promise<number> => {
  const order = { messageBytes, keys: KEYS, seconds: SECONDS, form };
  const workers = Array.from(
    { length: availableParallelism() },
    () => new Worker(new URL('../raw-verify.ts', import.meta.url), { workerData: order }),
  );
  await Promise.all(workers.map((worker) => once(worker, 'message')));
  const answers = workers.map(async (worker) => (await once(worker, 'message')) as [Raw]);
  for (const worker of workers) worker.postMessage('go');
  return (await Promise.all(answers)).reduce((sum, [{ perSecond }]) => sum + perSecond, 0);
};
