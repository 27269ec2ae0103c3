import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LEDGER_ROOT } from '../../../src/receipt/key-path.ts';
import type { BenchPlace } from './bench-place.ts';
import { freshDatabase } from './fresh-database.ts';
import { rawCopySeconds } from './raw-copy.ts';
import { rawReads } from './raw-reads.ts';
import { rawVerifications } from './raw-verifications.ts';
import { type Abilities, type VerbRun, runVerb } from './verb-process.ts';

/** One thing measured, several times: seconds without start-up, and the most memory it took. */
export type Timing = { readonly seconds: number; readonly allSeconds: readonly number[]; readonly peakBytes: number };

/** What one ledger came to. Null: this checkout cannot do it (yet). Ceilings are in receipts a second. */
export type Measurement = {
  readonly store: BenchPlace['store'];
  readonly receipts: number;
  readonly bytes: number;
  readonly ceilings: {
    readonly read: number;
    readonly readSegments: number | null;
    readonly verify: number;
    readonly verifyDer: number;
    readonly copy: number;
  };
  readonly verify: Timing | null;
  readonly verifySegments: Timing | null;
  readonly rebuild: Timing | null;
  readonly rebuildSegments: Timing | null;
  readonly bundle: Timing | null;
};

export type MeasuringParts = {
  readonly serverUrl: string;
  readonly abilities: Abilities;
  readonly startUpSeconds: number;
  readonly rounds: number;
};

const SEGMENT_DATA = 'segments/data/';
/** What a receipt has besides the bytes that its signature covers. */
const UNSIGNED_BYTES = 190;

type Taken = { readonly seconds: number; readonly peakBytes: number };
type Round = {
  readonly raw: { read: number; readSegments: number | null; verify: number; verifyDer: number; copy: number };
  readonly verify: Taken | null;
  readonly verifySegments: Taken | null;
  readonly rebuild: Taken | null;
  readonly rebuildSegments: Taken | null;
};

/** Everything about one ledger but what its commands feel of a rebuild. Turn about, for other work on the machine strikes all alike. */
export const measurePlace = async (place: BenchPlace, parts: MeasuringParts): Promise<Measurement> => {
  const { abilities, startUpSeconds } = parts;
  // The first read finds cold what the others find warm.
  const warm = await rawReads(place, LEDGER_ROOT);
  // More than were generated, where an earlier run has saved into it.
  const receipts = warm.objects;
  if (receipts < place.receipts) throw new Error(`there are ${receipts} receipts, not ${place.receipts}`);
  const bundled = abilities.bundles ? takenBy(await runVerb(['segments', '--all', '--json'], place.env), startUpSeconds) : null;
  const rounds: Round[] = [];
  for (let round = 0; round < parts.rounds; round++) {
    process.stderr.write(`${place.store} ${place.receipts}: round ${round + 1} of ${parts.rounds} …\n`);
    rounds.push(await measureRound(place, parts, Math.round(warm.bytes / receipts)));
  }
  const ceiling = (of: (round: Round) => number): number => receipts / median(rounds.map(of));
  const rate = (of: (round: Round) => number): number => median(rounds.map(of));
  return {
    ...{ store: place.store, receipts, bytes: warm.bytes },
    ceilings: {
      read: ceiling(({ raw }) => raw.read),
      readSegments: abilities.bundles ? ceiling(({ raw }) => raw.readSegments ?? Number.NaN) : null,
      verify: rate(({ raw }) => raw.verify),
      verifyDer: rate(({ raw }) => raw.verifyDer),
      copy: ceiling(({ raw }) => raw.copy),
    },
    verify: timingOrNull(rounds.map(({ verify }) => verify)),
    verifySegments: timingOrNull(rounds.map(({ verifySegments }) => verifySegments)),
    rebuild: timingOrNull(rounds.map(({ rebuild }) => rebuild)),
    rebuildSegments: timingOrNull(rounds.map(({ rebuildSegments }) => rebuildSegments)),
    bundle: bundled === null ? null : timingOf([bundled]),
  };
};

const measureRound = async (place: BenchPlace, parts: MeasuringParts, receiptBytes: number): Promise<Round> => {
  const { abilities, startUpSeconds } = parts;
  const verified = async (flags: readonly string[] | null): Promise<Taken | null> =>
    flags === null ? null : takenBy(await runVerb(['verify', ...flags, '--json'], place.env), startUpSeconds);
  const messageBytes = Math.max(1, receiptBytes - UNSIGNED_BYTES);
  const read = (await rawReads(place, LEDGER_ROOT)).seconds;
  const verify = await verified(eventsAlone(abilities.bundles, abilities.verifyIgnores));
  const raw = { verify: await rawVerifications(messageBytes, 'r||s'), verifyDer: await rawVerifications(messageBytes, 'der') };
  const readSegments = abilities.bundles ? (await rawReads(place, SEGMENT_DATA)).seconds : null;
  const verifySegments = await verified(abilities.bundles ? [] : null);
  const rebuild = await rebuilt(place, parts, eventsAlone(abilities.bundles, abilities.rebuildIgnores), true);
  const withSegments = await rebuilt(place, parts, abilities.bundles ? [] : null, rebuild === null);
  return {
    raw: { ...raw, read, readSegments, copy: rebuild?.copy ?? withSegments?.copy ?? Number.NaN },
    ...{ verify, verifySegments, rebuild: rebuild?.taken ?? null, rebuildSegments: withSegments?.taken ?? null },
  };
};

/** How to read events although there are segments; null where that cannot be said. */
const eventsAlone = (bundles: boolean, ignores: boolean): readonly string[] | null =>
  ignores ? ['--no-segments'] : bundles ? null : [];

/** Into a database of its own; and, with `copies`, its rows once more, by COPY alone. */
const rebuilt = async (place: BenchPlace, parts: MeasuringParts, flags: readonly string[] | null, copies: boolean) => {
  if (flags === null) return null;
  const database = await freshDatabase(parts.serverUrl);
  const room = await mkdtemp(join(tmpdir(), 'pixpax-bench-copy-'));
  try {
    const run = await runVerb(['rebuild', ...flags, '--json'], { ...place.env, DATABASE_URL: database.url });
    const taken = takenBy(run, parts.startUpSeconds);
    return { taken, copy: copies ? await rawCopySeconds(database.url, room) : null };
  } finally {
    await rm(room, { recursive: true, force: true });
    await database.drop();
  }
};

const takenBy = ({ exitCode, seconds, peakBytes, stdout, stderr }: VerbRun, startUpSeconds: number): Taken => {
  if (exitCode !== 0) throw new Error(`a verb ended with ${exitCode}: ${stderr}${stdout.slice(0, 2_000)}`);
  return { seconds: Math.max(0.001, seconds - startUpSeconds), peakBytes };
};

export const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

const timingOf = (taken: readonly Taken[]): Timing => ({
  seconds: median(taken.map(({ seconds }) => seconds)),
  allSeconds: taken.map(({ seconds }) => seconds),
  peakBytes: Math.max(...taken.map(({ peakBytes }) => peakBytes)),
});

const timingOrNull = (taken: readonly (Taken | null)[]): Timing | null => {
  const there = taken.filter((one) => one !== null);
  return there.length === 0 ? null : timingOf(there);
};
