import { limits } from '../../src/limits.ts';
import { systemClock } from '../../src/port/clock.ts';
import { OPERATOR_ACCOUNT_ID, type PublicKeyId } from '../../src/receipt/ids.ts';
import { type AccountsRead, accountsRead } from '../accounts-read.ts';
import type { KeyDelivery, Lane, Unit } from '../lane.ts';
import { type LedgerFault, missing } from '../ledger-fault.ts';
import { type LedgerReport, type Progress, openTally } from '../ledger-report.ts';
import { OPERATOR_PREFIX } from '../ledger-walk.ts';
import type { LedgerSource } from '../source.ts';
import { receiptsExpected } from './expected.ts';
import type { TakenUnit, UnitQueue } from './unit-queue.ts';
import { OPERATOR_LISTING, type Phase } from './unit-walk.ts';

export type FillPart = {
  readonly source: LedgerSource;
  /** They do the work; at least one. Left open: the caller finishes or abandons them. */
  readonly lanes: readonly Lane[];
  readonly queue: UnitQueue;
  /** Receipts there should be, where something tells. */
  readonly expected: number | null;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
};

/** What one process learned while it took part. */
export type Filled = {
  readonly fingerprint: PublicKeyId | null;
  /** Faults that are no unit's: of the ledger as a whole. */
  readonly faults: readonly LedgerFault[];
  /** Units that this process did, and the receipts in them. */
  readonly units: number;
  readonly receipts: number;
};

/**
 * Does the units of a filling until all of them are done, in this process's lanes and in all other processes that take part: the operator's
 * stream, then the other accounts', then all others, which rest on them. Throws `Outage`.
 */
export const takePart = async (part: FillPart): Promise<Filled> => {
  const { lanes, queue } = part;
  const faults: LedgerFault[] = [];
  const accounts = accountsRead();
  const [first] = lanes;
  if (first === undefined) throw new RangeError('a filling needs a lane');

  // Its keys are needed here, whoever has loaded its rows.
  const own = await queue.next('operator');
  const done = { units: 0, receipts: 0 };
  const operator = await first.replay([OPERATOR_LISTING], own === null ? null : withoutStreams(own));
  accounts.add(operator.accounts);
  if (operator.streams === 0) faults.push(missing(OPERATOR_PREFIX, 0, 0, 'the ledger has no genesis receipt'));
  const fingerprint = operator.accounts[0]?.fingerprint ?? null;
  await tellAll(lanes, accounts.delivery(fingerprint, operator.streams === 0 ? [OPERATOR_ACCOUNT_ID] : []));

  await doPhase(part, 'operator', done);
  await doPhase(part, 'accounts', done);
  await learnAccounts(queue, accounts);
  faults.push(...accounts.conflicts());
  await tellAll(lanes, accounts.delivery(fingerprint));
  await doPhase(part, 'others', done);
  return { fingerprint, faults, ...done };
};

/** What all units together came to, and the streams of which not everything is true. Throws `Outage`. */
export const reportOf = async (
  { queue, source }: Pick<FillPart, 'queue' | 'source'>,
  { fingerprint, faults }: Filled,
  pinned: boolean,
): Promise<{ readonly ledger: LedgerReport; readonly partial: ReadonlySet<string> }> => {
  const tally = openTally(source.description, pinned);
  const partial = new Set<string>();
  for (const phase of ['operator', 'accounts', 'others'] as const)
    for await (const report of queue.reports(phase)) {
      tally.add(report);
      for (const prefix of report.partial) partial.add(prefix);
    }
  for (const fault of faults) {
    tally.fault(fault);
    if (fault.stream !== null) partial.add(fault.stream);
  }
  return { ledger: tally.report(fingerprint), partial };
};

/** Accounts that another process has read are believed as its rows are: it is the same program on the same database. */
const learnAccounts = async (queue: UnitQueue, accounts: AccountsRead): Promise<void> => {
  for await (const report of queue.reports('accounts')) accounts.add(report.accounts);
};

const tellAll = async (lanes: readonly Lane[], delivery: KeyDelivery): Promise<void> => {
  await Promise.all(lanes.map((lane) => lane.learn(delivery)));
};

type Done = { units: number; receipts: number };

const doPhase = async (part: FillPart, phase: Phase, done: Done): Promise<void> => {
  for (;;) {
    await doUnits(part, phase, done);
    if ((await part.queue.open(phase)) === 0) return;
    // Others are at the rest. Should they die, it is ours.
    await systemClock.sleep(limits.unitPollMs);
  }
};

/** Each lane takes the next unit when it is done with one, and has another waiting meanwhile: nothing piles up. */
const doUnits = async (part: FillPart, phase: Phase, done: Done): Promise<void> => {
  let failed = false;
  const serve = async (lane: Lane): Promise<void> => {
    try {
      for (let next = await part.queue.next(phase); next !== null && !failed; next = await part.queue.next(phase)) {
        const { receipts } = await lane.replay(next.streams, withoutStreams(next));
        done.units += 1;
        done.receipts += receipts;
        await tell(part);
      }
    } catch (error) {
      failed = true;
      throw error;
    }
  };
  await Promise.all(part.lanes.flatMap((lane) => Array.from({ length: limits.replayBatchesAhead }, () => serve(lane))));
};

const withoutStreams = ({ unit, worker, strangers }: TakenUnit): Unit => ({ unit, worker, strangers });

const tell = async ({ queue, expected, onProgress }: FillPart): Promise<void> => {
  if (onProgress === undefined) return;
  const soFar = await queue.soFar();
  onProgress({ streams: soFar.streams, receipts: soFar.receipts, expected: receiptsExpected(soFar, expected) });
};
