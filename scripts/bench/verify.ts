import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { makeLedger } from './made-ledger.ts';

// Receipts verified a second, beside the ceilings measured in the same run: raw `node:crypto` verify on all cores, in the form that
// receipts have (r‖s) and in the one that Node 24 is quickest with (DER, and a key without options). Prints JSON.
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

const rawOnce = async (form: 'r||s' | 'der'): Promise<Raw> => {
  const order = { messageBytes: 850, keys: 20, seconds: 2, form };
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
    receipts: { type: 'string', default: '60000' },
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
  const fastest: Raw[] = [];
  const runs: Measured[] = [];
  // Turn about, for other work on the machine strikes all alike.
  for (let round = 0; round < 3; round++) {
    raws.push(await rawOnce('r||s'));
    fastest.push(await rawOnce('der'));
    runs.push(await verifyOnce(directory));
  }
  const perSecond = (of: readonly Raw[]): number => Math.round(median(of.map((one) => one.perSecond)));
  const cpu = (of: readonly Raw[]): number => Number(median(of.map((one) => one.cpuMicroseconds)).toFixed(1));
  const ratio = (ceiling: readonly Raw[]): number => Number((perSecond(runs) / perSecond(ceiling)).toFixed(3));
  const result = {
    receipts: runs[0]?.receipts ?? 0,
    threads,
    receiptsPerSecond: perSecond(runs),
    rawVerifyPerSecond: perSecond(raws),
    ratio: ratio(raws),
    fastestRawVerifyPerSecond: perSecond(fastest),
    ratioToFastest: ratio(fastest),
    cpuMicroseconds: { receipt: cpu(runs), raw: cpu(raws), fastestRaw: cpu(fastest) },
    peakRssBytes: Math.max(...runs.map(({ peakRssBytes }) => peakRssBytes)),
  };
  process.stdout.write(`${JSON.stringify(result)}\n`);
} finally {
  if (made !== null) rmSync(made, { recursive: true, force: true });
}
