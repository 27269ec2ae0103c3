import { limits } from '../src/limits.ts';
import { OPERATOR_ACCOUNT_ID } from '../src/receipt/ids.ts';
import { accountsRead } from './accounts-read.ts';
import type { BatchReport, KeyDelivery, Lane } from './lane.ts';
import { missing, unexpectedObject } from './ledger-fault.ts';
import { type LedgerReport, type Progress, openTally } from './ledger-report.ts';
import { OPERATOR_PREFIX, type Walk, batchesOf, walkOf } from './ledger-walk.ts';
import type { LedgerSource } from './source.ts';

export type LedgerReplay = {
  readonly source: LedgerSource;
  /** They do the reading; at least one. Left open: the caller finishes or abandons them. */
  readonly lanes: readonly Lane[];
  /** Whether the operator's first key is pinned from outside (the lanes know it). */
  readonly pinned: boolean;
  /** A stream's prefix or a folder above some, without the last slash: only these, and the account streams they rest on. */
  readonly below?: string | null | undefined;
  /** Prefixes of more streams, asked for when all others have been read: what was read may have told of them. */
  readonly further?: (() => Iterable<string>) | undefined;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
};

/**
 * The one loop over a ledger: genesis and the operator's stream, then the other accounts' streams, then all others, which rest on them.
 * Receipts of one stream come in order; streams of one kind go side by side over the lanes. Nothing is held that grows with the
 * number of receipts. Throws `Outage`.
 */
export const replayLedger = async ({
  source,
  lanes,
  pinned,
  below,
  further,
  onProgress,
}: LedgerReplay): Promise<LedgerReport> => {
  const tally = openTally(source.description, pinned);
  const accounts = accountsRead();
  const take = (report: BatchReport): void => {
    tally.add(report);
    accounts.add(report.accounts);
    onProgress?.(tally.progress());
  };
  const feedAll = (walk: Walk): Promise<void> =>
    feed(
      lanes,
      batchesOf(walk, {
        lanes: lanes.length,
        placeOf: source.placeOf,
        onUnexpected: (key) => tally.fault(unexpectedObject(key, null)),
      }),
      take,
    );

  const [first] = lanes;
  if (first === undefined) throw new RangeError('a replay needs a lane');
  const operator = await first.replay([{ prefix: OPERATOR_PREFIX, keys: null }]);
  take(operator);
  if (operator.streams === 0) tally.fault(missing(OPERATOR_PREFIX, 0, 0, 'the ledger has no genesis receipt'));
  const fingerprint = operator.accounts[0]?.fingerprint ?? null;
  await tellAll(lanes, accounts.delivery(fingerprint, operator.streams === 0 ? [OPERATOR_ACCOUNT_ID] : []));

  const walk = walkOf(source, below ?? null);
  await feedAll(walk.accounts);
  for (const fault of accounts.conflicts()) tally.fault(fault);
  await tellAll(lanes, accounts.delivery(fingerprint));
  await feedAll(walk.others);
  if (further !== undefined) await feedAll(walkAlong(further()));
  return tally.report(fingerprint);
};

async function* walkAlong(prefixes: Iterable<string>): Walk {
  for (const prefix of prefixes) yield { stream: { prefix, keys: null } };
}

const tellAll = async (lanes: readonly Lane[], delivery: KeyDelivery): Promise<void> => {
  await Promise.all(lanes.map((lane) => lane.learn(delivery)));
};

/** Each lane takes the next batch when it is done with one, and has another waiting meanwhile: nothing piles up. */
const feed = async (
  lanes: readonly Lane[],
  batches: AsyncGenerator<Parameters<Lane['replay']>[0]>,
  take: (report: BatchReport) => void,
): Promise<void> => {
  let failed = false;
  const serve = async (lane: Lane): Promise<void> => {
    try {
      for (let next = await batches.next(); !next.done && !failed; next = await batches.next())
        take(await lane.replay(next.value));
    } catch (error) {
      failed = true;
      throw error;
    }
  };
  await Promise.all(lanes.flatMap((lane) => Array.from({ length: limits.replayBatchesAhead }, () => serve(lane))));
};
