import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { startEmbeddedPostgres } from '../../../src/adapter/postgres/embedded.ts';
import { bucketPlace, endpointIn, removeBucket } from './bench-bucket.ts';
import { type BenchPlace, filePlace } from './bench-place.ts';
import { type LatencyUnderRebuild, latencyUnderRebuild } from './latency-under-rebuild.ts';
import { type Measurement, measurePlace } from './measure-place.ts';
import { tableOf } from './table.ts';
import { abilitiesOf, startUpSeconds } from './verb-process.ts';

const USAGE = `Measures verify and rebuild beside their ceilings, on generated ledgers; prints a table and JSON.

  npm run bench:rebuild -- [--sizes 10000,100000] [--s3-sizes 10000,100000] [--rounds N] [--pairs N] [--keep DIRECTORY]

  --sizes     receipts on the file store
  --s3-sizes  receipts in a bucket at the endpoint of S3_TEST_URL, with S3_TEST_ACCESS_KEY_ID and S3_TEST_SECRET_ACCESS_KEY
  --rounds    how often each is measured; by default 3 times, and once from a million on
  --pairs     how often saves are timed with and without a rebuild, on each store's largest ledger up to 100000 receipts; 0: not at all
  --keep      where ledgers (and buckets) stay for the next run`;

const MANY = 1_000_000;
/** Rebuilds of more take long, and say nothing else of what saves feel. */
const LATENCY_RECEIPTS = 100_000;
const { values: options } = parseArgs({
  options: {
    sizes: { type: 'string', default: '10000,100000' },
    's3-sizes': { type: 'string', default: '' },
    rounds: { type: 'string' },
    pairs: { type: 'string', default: '3' },
    keep: { type: 'string' },
    help: { type: 'boolean', short: 'h' },
  },
});

const sizesIn = (list: string): readonly number[] =>
  list
    .split(',')
    .filter((word) => word !== '')
    .map((word) => {
      if (!/^\d+$/.test(word)) throw new Error(`a size is a number, not ${word}`);
      return Number(word);
    })
    .sort((a, b) => a - b);

const timedIn = (sizes: readonly number[]): number | undefined => sizes.filter((size) => size <= LATENCY_RECEIPTS).at(-1);

const bench = async (room: string, scratch: string): Promise<void> => {
  const endpoint = endpointIn(process.env);
  const s3Sizes = sizesIn(options['s3-sizes']);
  if (s3Sizes.length > 0 && endpoint === null)
    throw new Error('--s3-sizes needs S3_TEST_URL, S3_TEST_ACCESS_KEY_ID and S3_TEST_SECRET_ACCESS_KEY');
  const postgres = await startEmbeddedPostgres({ directory: join(scratch, 'postgres') });
  const measurements: Measurement[] = [];
  const latencies: LatencyUnderRebuild[] = [];
  try {
    const [abilities, startUp] = [await abilitiesOf(), await startUpSeconds()];
    const measure = async (place: BenchPlace, isTimed: boolean): Promise<void> => {
      const rounds = Number(options.rounds ?? (place.receipts >= MANY ? 1 : 3));
      measurements.push(await measurePlace(place, { serverUrl: postgres.url, abilities, startUpSeconds: startUp, rounds }));
      const pairs = Number(options.pairs);
      if (isTimed && pairs > 0) latencies.push(await latencyUnderRebuild(place, postgres.url, pairs));
    };
    const sizes = sizesIn(options.sizes);
    for (const size of sizes) await measure(await filePlace(room, size), size === timedIn(sizes));
    for (const size of s3Sizes) {
      if (endpoint === null) break;
      const place = await bucketPlace(endpoint, await filePlace(room, size));
      try {
        await measure(place, size === timedIn(s3Sizes));
      } finally {
        if (options.keep === undefined) await removeBucket(place);
      }
    }
    const machine = { cpus: cpus().length, model: cpus()[0]?.model ?? 'cpu', node: process.version, startUpSeconds: startUp };
    process.stdout.write(
      `${machine.cpus} × ${machine.model}, Node ${machine.node}; embedded Postgres and file store on one disk, fsync on; ` +
        `start-up of ${startUp.toFixed(1)} s taken off\n\n${tableOf({ measurements, latencies })}\n\n` +
        `${JSON.stringify({ machine, abilities, measurements, latencies })}\n`,
    );
  } finally {
    await postgres.stop();
  }
};

if (options.help) process.stdout.write(`${USAGE}\n`);
else {
  const scratch = await mkdtemp(join(tmpdir(), 'pixpax-bench-rebuild-'));
  const room = options.keep === undefined ? scratch : resolve(process.env.INIT_CWD ?? '.', options.keep);
  // A signal ends the process by way of the parts that clean up behind themselves; what it is in the middle of is not waited for.
  const clear = () => rm(scratch, { recursive: true, force: true });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void clear().finally(() => process.exit(130)));
  try {
    await mkdir(room, { recursive: true });
    await bench(room, scratch);
  } finally {
    await clear();
  }
}
