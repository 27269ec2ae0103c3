import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { makeLedger } from './made-ledger.ts';

// Receipts verified a second, beside the ceiling measured in the same run: raw `node:crypto` verify on all cores. Prints JSON.
// `--receipts N` (about), `--saves N` a book, `--directory DIR` to verify a ledger that is there.

type Measured = {
  readonly receipts: number;
  readonly perSecond: number;
  readonly peakRssBytes: number;
  readonly cpuMicroseconds: number;
};
type Raw = { readonly perSecond: number; readonly cpuMicroseconds: number };

const threads = availableParallelism();

/** In a process of its own, so that its memory is its own. */
const verifyOnce = async (directory: string): Promise<Measured> => {
  const child = fork(fileURLToPath(new URL('./verify-once.ts', import.meta.url)), [directory], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const [measured] = (await once(child, 'message')) as [Measured];
  await once(child, 'exit');
  return measured;
};

const rawOnce = async (): Promise<Raw> => {
  const order = { messageBytes: 850, keys: 20, seconds: 2 };
  const workers = Array.from(
    { length: threads },
    () => new Worker(new URL('./raw-verify.ts', import.meta.url), { workerData: order }),
  );
  await Promise.all(workers.map((worker) => once(worker, 'message')));
  const answers = workers.map(async (worker) => (await once(worker, 'message')) as [Raw]);
  for (const worker of workers) worker.postMessage('go');
  const raws = (await Promise.all(answers)).map(([raw]) => raw);
  return {
    perSecond: raws.reduce((sum, { perSecond }) => sum + perSecond, 0),
    cpuMicroseconds: raws.reduce((sum, { cpuMicroseconds }) => sum + cpuMicroseconds, 0) / raws.length,
  };
};

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

const { values: options } = parseArgs({
  options: {
    receipts: { type: 'string', default: '40000' },
    saves: { type: 'string', default: '19' },
    directory: { type: 'string' },
  },
});
const made = options.directory === undefined ? mkdtempSync(join(tmpdir(), 'pixpax-bench-')) : null;
const directory = options.directory ?? made ?? '';
try {
  if (made !== null) {
    const savesPerBook = Number(options.saves);
    makeLedger(made, {
      accounts: Math.max(1, Math.round(Number(options.receipts) / (20 * (savesPerBook + 1)))),
      booksPerAccount: 20,
      savesPerBook,
    });
  }
  const raws: Raw[] = [];
  const runs: Measured[] = [];
  // Turn about, for other work on the machine strikes both alike.
  for (let round = 0; round < 3; round++) {
    raws.push(await rawOnce());
    runs.push(await verifyOnce(directory));
  }
  const receiptsPerSecond = median(runs.map(({ perSecond }) => perSecond));
  const rawVerifyPerSecond = median(raws.map(({ perSecond }) => perSecond));
  const cpuMicroseconds = {
    receipt: median(runs.map((run) => run.cpuMicroseconds)),
    raw: median(raws.map((raw) => raw.cpuMicroseconds)),
  };
  const result = {
    receipts: runs[0]?.receipts ?? 0,
    threads,
    receiptsPerSecond: Math.round(receiptsPerSecond),
    rawVerifyPerSecond: Math.round(rawVerifyPerSecond),
    ratio: Number((receiptsPerSecond / rawVerifyPerSecond).toFixed(3)),
    cpuMicroseconds,
    peakRssBytes: Math.max(...runs.map(({ peakRssBytes }) => peakRssBytes)),
  };
  process.stdout.write(`${JSON.stringify(result)}\n`);
} finally {
  if (made !== null) rmSync(made, { recursive: true, force: true });
}
