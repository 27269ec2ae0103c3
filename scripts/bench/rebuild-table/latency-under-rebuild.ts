import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { ensureSchemas } from '../../../src/adapter/postgres/migrate.ts';
import { openPool } from '../../../src/adapter/postgres/pool.ts';
import { ensureRoles } from '../../../src/adapter/postgres/roles.ts';
import type { AccountId } from '../../../src/receipt/ids.ts';
import type { BenchPlace } from './bench-place.ts';
import { freshDatabase } from './fresh-database.ts';
import { median } from './measure-place.ts';
import type { Felt } from './paced-commands.ts';
import { removeAccounts } from './remove-accounts.ts';
import { runVerb } from './verb-process.ts';

export type LatencyPair = { readonly quiet: Felt; readonly busy: Felt; readonly ratio: number };
export type LatencyUnderRebuild = {
  readonly store: BenchPlace['store'];
  readonly receipts: number;
  readonly pairs: readonly LatencyPair[];
  /** Median of the pairs' ratios of the 95th percentiles. */
  readonly ratio: number;
};

const QUIET_SECONDS = { least: 5, most: 30 };

/** What commands feel of a rebuild in another process, on the same machine, database and store: alternating in pairs. */
export const latencyUnderRebuild = async (place: BenchPlace, serverUrl: string, pairs: number): Promise<LatencyUnderRebuild> => {
  const database = await freshDatabase(serverUrl);
  let people: People | null = null;
  try {
    await ensureRoles(database.url);
    const pool = openPool({ url: database.url });
    await ensureSchemas(pool).finally(() => pool.end());
    const env = { ...place.env, DATABASE_URL: database.url, KEYS_DIR: join(place.dataDir, 'keys') };
    const rebuild = async (): Promise<number> => {
      const { exitCode, seconds, stderr } = await runVerb(['rebuild', '--json'], env);
      if (exitCode !== 0) throw new Error(`the rebuild ended with ${exitCode}: ${stderr}`);
      return seconds;
    };
    let busySeconds = await rebuild();
    people = await startPeople(env);
    const { child } = people;
    const quiet = () => feltDuring(child, () => sleep(1_000 * bounded(busySeconds)));
    const busy = () =>
      feltDuring(child, async () => {
        busySeconds = await rebuild();
      });
    const felt: LatencyPair[] = [];
    for (let pair = 0; pair < pairs; pair++) {
      process.stderr.write(
        `${place.store} ${place.receipts}: commands without and with a rebuild, pair ${pair + 1} of ${pairs} …\n`,
      );
      const quietFirst = pair % 2 === 0 ? await quiet() : null;
      const during = await busy();
      const without = quietFirst ?? (await quiet());
      felt.push({ quiet: without, busy: during, ratio: during.p95Ms / without.p95Ms });
    }
    return { store: place.store, receipts: place.receipts, pairs: felt, ratio: median(felt.map(({ ratio }) => ratio)) };
  } finally {
    if (people !== null) {
      people.child.kill();
      await once(people.child, 'exit');
      await removeAccounts(place, people.accountIds);
    }
    await database.drop();
  }
};

const bounded = (seconds: number): number => Math.min(QUIET_SECONDS.most, Math.max(QUIET_SECONDS.least, seconds));

type People = { readonly child: ChildProcess; readonly accountIds: readonly AccountId[] };

const startPeople = async (env: Readonly<Record<string, string>>): Promise<People> => {
  const path = fileURLToPath(new URL('./paced-commands.ts', import.meta.url));
  const child = fork(path, [], { env: { ...process.env, ...env }, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  // A child that dies answers nothing: the error it printed is the reason.
  const dead = once(child, 'exit').then(() => Promise.reject(new Error('the people who save ended before their time')));
  dead.catch(() => undefined);
  const [accountIds] = (await Promise.race([once(child, 'message'), dead])) as [readonly AccountId[]];
  return { child, accountIds };
};

const feltDuring = async (people: ChildProcess, work: () => Promise<unknown>): Promise<Felt> => {
  people.send('start');
  await work();
  people.send('stop');
  const [felt] = (await once(people, 'message')) as [Felt];
  return felt;
};
