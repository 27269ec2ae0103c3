import { systemClock } from '../src/port/clock.ts';
import type { ReceiptStore } from '../src/port/receipt-store.ts';
import { type Head, headOf } from '../src/receipt/chain.ts';
import type { PublicKeyId } from '../src/receipt/ids.ts';
import { prefixOf } from '../src/receipt/key-path.ts';
import type { Stream } from '../src/receipt/stream.ts';
import { type ReplayWork, laneHere } from './lane.ts';
import { missing } from './ledger-fault.ts';
import { replayLedger } from './replay.ts';
import { storeSource } from './store-source.ts';

/** The verdict on one stream: how many receipts are true in it, the last of them, and the first fault, of what they cite elsewhere too. */
export type StreamVerdict = {
  readonly valid: boolean;
  readonly receipts: number;
  readonly head: Head | null;
  readonly fault?: { readonly key: string; readonly code: string; readonly detail: string };
};

/**
 * Verifies one stream, the streams of accounts that its signatures rest on, and what its receipts cite, from the store alone and in this
 * thread. Reads all of the stream: bound how many of these run at once. Throws `Outage`.
 */
export const verifyStream = async (
  { store, trust }: { readonly store: ReceiptStore; readonly trust: PublicKeyId },
  stream: Stream,
): Promise<StreamVerdict> => {
  const prefix = prefixOf(stream);
  let receipts = 0;
  let head: Head | null = null;
  const work: ReplayWork = {
    begin: (each) => {
      if (prefixOf(each) !== prefix) return null;
      receipts = 0;
      return {
        receipt: ({ read }) => {
          receipts++;
          head = headOf(read);
        },
        end: () => undefined,
      };
    },
    finish: () => Promise.resolve(),
    abandon: () => Promise.resolve(),
  };
  const source = storeSource(store);
  const lane = laneHere(source, trust, work, { nowMs: systemClock.now() });
  const report = await replayLedger({ source, lanes: [lane], pinned: true, below: prefix });
  // Whoever asks knows of the stream: that nothing is left of it is a fault here, though no listing can tell.
  const [fault = receipts === 0 && report.verdict === 'valid' ? missing(prefix, 0, 0) : undefined] = report.faults;
  return {
    valid: fault === undefined && report.verdict === 'valid',
    receipts,
    head,
    ...(fault === undefined ? {} : { fault: { key: fault.key, code: fault.code, detail: fault.detail } }),
  };
};
