import type { LatencyUnderRebuild } from './latency-under-rebuild.ts';
import type { Measurement, Timing } from './measure-place.ts';

/** The aims of the rebuild: shares of ceilings, and ratios. */
export const aims = {
  verifyOfRawVerify: 0.85,
  rebuildOfLowestCeiling: 0.6,
  costOfTenTimes: 11,
  memoryOfTenTimes: 1.3,
  segmentsOnS3: 10,
  latencyDuringRebuild: 2,
} as const;

export type BenchResult = { readonly measurements: readonly Measurement[]; readonly latencies: readonly LatencyUnderRebuild[] };

const count = (n: number): string => Math.round(n).toLocaleString('en-US');
const percent = (share: number): string => `${Math.round(share * 100)} %`;
const megabytes = (bytes: number): string => `${Math.round(bytes / 1024 / 1024)} MB`;
const ratio = (n: number): string => n.toFixed(2);

/** The lowest of what reading, checking signatures and copying alone could do, in receipts a second. */
export const lowestCeiling = ({ ceilings }: Measurement, withSegments: boolean): number =>
  Math.min((withSegments ? ceilings.readSegments : null) ?? ceilings.read, ceilings.verify, ceilings.copy);

/** The table for people, in Markdown. */
export const tableOf = ({ measurements, latencies }: BenchResult): string =>
  [
    '| store, receipts | what | receipts/s | s | peak memory | of raw reads | of raw verify | of raw COPY | beside |',
    '|---|---|---|---|---|---|---|---|---|',
    ...measurements.flatMap(rowsOf),
    '',
    ...['| compared | is | aim |', '|---|---|---|', ...comparisonsOf(measurements), ...latencies.map(latencyRow)],
  ].join('\n');

const rowsOf = (measured: Measurement): readonly string[] => {
  const { store, receipts, ceilings, verify, verifySegments, rebuild, rebuildSegments, bundle } = measured;
  const where = `${store}, ${count(receipts)}`;
  const ceiling = (name: string, rate: number | null): string =>
    `| ${where} | – ${name} | ${rate === null ? '' : count(rate)} | | | | | | |`;
  const row = (name: string, timing: Timing | null, withSegments: boolean, beside: (rate: number) => string): string => {
    if (timing === null) return `| ${where} | ${name} | | | | | | | |`;
    const rate = receipts / timing.seconds;
    const read = (withSegments ? ceilings.readSegments : null) ?? ceilings.read;
    const shares = [read, ceilings.verify, ceilings.copy].map((of) => percent(rate / of));
    return `| ${where} | ${name} | ${count(rate)} | ${timing.seconds.toFixed(1)} | ${megabytes(timing.peakBytes)} | ${shares.join(' | ')} | ${beside(rate)} |`;
  };
  const ofVerify = (rate: number): string =>
    `${percent(rate / ceilings.verify)} of raw verify (aim ${percent(aims.verifyOfRawVerify)}); ${percent(rate / ceilings.verifyDer)} of its quickest form`;
  const ofLowest = (withSegments: boolean) => (rate: number) =>
    `${percent(rate / lowestCeiling(measured, withSegments))} of the lowest ceiling (aim ${percent(aims.rebuildOfLowestCeiling)})`;
  return [
    row('verify', verify, false, ofVerify),
    row('verify, with segments', verifySegments, true, ofVerify),
    row('rebuild', rebuild, false, ofLowest(false)),
    row('rebuild, with segments', rebuildSegments, true, ofLowest(true)),
    row('segments', bundle, false, () => ''),
    ceiling('raw reads', ceilings.read),
    ceiling('raw reads of segments', ceilings.readSegments),
    ceiling('raw verify, r‖s as receipts have it', ceilings.verify),
    ceiling('raw verify in its quickest form, DER', ceilings.verifyDer),
    ceiling('raw COPY', ceilings.copy),
  ];
};

const VERBS = {
  verify: 'verify',
  verifySegments: 'verify with segments',
  rebuild: 'rebuild',
  rebuildSegments: 'rebuild with segments',
} as const;
type Verb = keyof typeof VERBS;
const verbs = Object.keys(VERBS) as readonly Verb[];

const comparisonsOf = (measurements: readonly Measurement[]): readonly string[] => [
  ...measurements.flatMap((large) => {
    const small = measurements.find(({ store, receipts }) => store === large.store && isTenth(receipts, large.receipts));
    return small === undefined ? [] : verbs.flatMap((verb) => tenTimes(small, large, verb));
  }),
  ...measurements.flatMap((one) => bySegments(one)),
];

/** Saves of earlier runs may have added a few. */
const isTenth = (small: number, large: number): boolean => Math.abs(large / small - 10) < 1;

const tenTimes = (small: Measurement, large: Measurement, verb: Verb): readonly string[] => {
  const [before, after] = [small[verb], large[verb]];
  if (before === null || after === null) return [];
  const name = `${large.store}, ${VERBS[verb]}: ${count(large.receipts)} against ${count(small.receipts)} receipts`;
  return [
    `| ${name}, time | ${ratio(after.seconds / before.seconds)} × | ≤ ${aims.costOfTenTimes} |`,
    `| ${name}, peak memory | ${ratio(after.peakBytes / before.peakBytes)} × | ≤ ${aims.memoryOfTenTimes} |`,
  ];
};

const bySegments = ({ store, receipts, ...measured }: Measurement): readonly string[] =>
  (['verify', 'rebuild'] as const).flatMap((verb) => {
    const withSegments = measured[`${verb}Segments`];
    const without = measured[verb];
    if (withSegments === null || without === null) return [];
    const aim = store === 's3' ? `≥ ${aims.segmentsOnS3}` : '';
    const faster = ratio(without.seconds / withSegments.seconds);
    return [`| ${store}, ${count(receipts)}, ${verb}: with segments against without, rate | ${faster} × | ${aim} |`];
  });

const latencyRow = ({ store, receipts, pairs, ratio: median }: LatencyUnderRebuild): string => {
  const shown = pairs.map(({ quiet, busy }) => `${quiet.p95Ms.toFixed(0)} → ${busy.p95Ms.toFixed(0)} ms`).join(', ');
  return `| ${store}, ${count(receipts)}: p95 of saves during a rebuild against without (${shown}) | ${ratio(median)} × | ≤ ${aims.latencyDuringRebuild} |`;
};
