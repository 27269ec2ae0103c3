import { openStore, parseStoreUrl } from '../../src/adapter/store-url.ts';
import { limits } from '../../src/limits.ts';
import { systemClock } from '../../src/port/clock.ts';
import { verdictOf } from '../ledger-fault.ts';
import { openSource } from '../open-source.ts';
import { type KeepReport, keepSegments } from '../segment/keep-segments.ts';
import { type Shard, parseShard } from '../segment/shard.ts';
import { isSet } from './shared-arguments.ts';
import { count, faultText, segmentFaultsText } from './text.ts';
import { type ExitCode, type Verb, type VerbContext, WrongUse, exitCodeOf } from './verb.ts';

export const segmentsVerb: Verb = {
  name: 'segments',
  description: 'bundle settled receipts into segments, which are read in their place; loses and changes nothing',
  args: {
    all: {
      type: 'boolean',
      description: `bundle what is left at the end too, though it is under ${limits.segmentMinReceipts} receipts`,
    },
    anew: { type: 'boolean', description: 'bundle all receipts anew, those that are in segments too' },
    prune: { type: 'boolean', description: 'read every segment, and delete those that are broken or superseded' },
    shard: { type: 'string', valueHint: 'i/n', description: 'only the i-th of n parts of all streams, for several workers' },
    'settle-seconds': {
      type: 'string',
      valueHint: 'n',
      description: `bundle receipts that are this old; by default ${limits.segmentSettleMs / 1_000}`,
    },
  },
  run: async (context) => {
    const { args } = context;
    const shard = shardOf(args.shard ?? null);
    const settledBeforeMs = systemClock.now() - settleMsOf(args['settle-seconds'] ?? null);
    const { source, store } = await openBoth(context);
    try {
      const choices = { all: isSet(args, 'all'), anew: isSet(args, 'anew'), prune: isSet(args, 'prune') };
      const { onProgress } = context;
      const report = await keepSegments({ source, store, clock: systemClock, settledBeforeMs, shard, onProgress, ...choices });
      return { exitCode: exitCode(report), text: keptText(report), json: report };
    } finally {
      await Promise.all([source.close(), store.close()]);
    }
  },
};

const openBoth = async ({ config }: VerbContext) => {
  const { receiptStore, s3 } = config();
  const location = parseStoreUrl(receiptStore);
  if (!location.ok) throw new WrongUse(`RECEIPT_STORE: ${location.error.problem}`);
  const source = await openSource({ location: location.value, credentials: s3, durable: true });
  return { source, store: await openStore(location.value, s3) };
};

const shardOf = (text: string | null): Shard => {
  const shard = text === null ? { number: 1, of: 1 } : parseShard(text);
  if (shard === null) throw new WrongUse('--shard takes a part and how many there are, such as 2/4');
  return shard;
};

const settleMsOf = (text: string | null): number => {
  if (text === null) return limits.segmentSettleMs;
  if (!/^\d{1,6}$/.test(text)) throw new WrongUse('--settle-seconds takes a number');
  return Number(text) * 1_000;
};

const exitCode = ({ faults, segments }: KeepReport): ExitCode => {
  const ofLedger = exitCodeOf[verdictOf(faults)];
  return ofLedger === 0 && (segments?.faultCount ?? 0) > 0 ? 1 : ofLedger;
};

const keptText = (report: KeepReport): string => {
  const { made, there, receipts, rawBytes, storedBytes, left, anew, prunedBroken, prunedSuperseded, faults } = report;
  const parts = [...faults.slice(0, limits.reportedFaults).map(faultText), ...segmentFaultsText(report.segments)];
  if (anew) parts.push('All was bundled anew.');
  if (prunedBroken + prunedSuperseded > 0)
    parts.push(`${count(prunedBroken, 'broken segment')} and ${count(prunedSuperseded, 'superseded one')} deleted.`);
  if (faults.length > 0) parts.push(`${count(faults.length, 'stream')} bundled up to a fault only: run \`verify\`.`);
  const packed = receipts === 0 ? '' : `, ${Math.round(storedBytes / receipts)} of ${Math.round(rawBytes / receipts)} bytes each`;
  const before = there === 0 ? '' : `, ${there.toLocaleString('en-US')} of them there before`;
  const rest = left === 0 ? '' : `; ${count(left, 'receipt')} left for the next run`;
  return [...parts, `bundled: ${count(receipts, 'receipt')} in ${count(made + there, 'segment')}${before}${packed}${rest}`].join(
    '\n\n',
  );
};
