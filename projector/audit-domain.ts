import { prefixOf } from '../src/receipt/key-path.ts';
import type { StoredReceipt } from '../src/receipt/receipt.ts';
import { type Stream, collectionStream } from '../src/receipt/stream.ts';
import type { Witness } from '../src/stream/citation.ts';
import { type CollectionHistory, emptyCollectionHistory, learnCollection } from '../src/stream/collection/history.ts';
import { eventOf } from '../src/stream/event.ts';
import { type StreamState, isCollectionEvent } from '../src/stream/fold.ts';
import { type Judged, judge } from './judge.ts';
import type { Sight } from './judgement.ts';

/** A stream as it was read: its receipts that are true in it, and the state after each. */
export type ReadStream = {
  readonly stream: Stream;
  readonly receipts: readonly StoredReceipt[];
  readonly states: readonly StreamState[];
};

/**
 * What is wrong between streams: packs, grants, codes and trades that do not say what the receipts they cite say. `nowMs`: null looks at no
 * trade that may still be settled.
 */
export const domainFindings = async (
  streams: ReadonlyMap<string, ReadStream>,
  nowMs: number | null,
): Promise<readonly string[]> => {
  const sight = sightOver(streams);
  const findings: string[] = [];
  for (const [prefix, { stream, receipts, states }] of streams) {
    for (const [position, stored] of receipts.entries()) {
      const judged = judgedOf(stream, stored, states[position]);
      const judgement = judged === null ? null : await judge(sight, nowMs ?? 0, judged);
      if (judgement !== null && judgement !== 'unverifiable')
        findings.push(`${prefix}: ${stored.receipt.eventId}: ${judgement.code}: ${judgement.detail}`);
    }
  }
  return findings;
};

const judgedOf = (stream: Stream, { receipt }: StoredReceipt, after: StreamState | undefined): Judged | null => {
  const event = eventOf(receipt);
  return event.ok && after !== undefined ? { stream, event: event.value, place: placeOf(receipt), after } : null;
};

const placeOf = ({ eventId, hash, createdAt: at }: StoredReceipt['receipt']): Judged['place'] => ({ eventId, hash, at });

const sightOver = (streams: ReadonlyMap<string, ReadStream>): Sight => {
  const histories = new Map<string, CollectionHistory>();
  return {
    receipt: (stream, position) => Promise.resolve(witnessOf(streams.get(prefixOf(stream))?.receipts[position]) ?? 'missing'),
    collection: (collectionId) => {
      const prefix = prefixOf(collectionStream(collectionId));
      const history = histories.get(prefix) ?? historyOf(streams.get(prefix));
      histories.set(prefix, history);
      return Promise.resolve({ history, whole: true });
    },
  };
};

const witnessOf = (stored: StoredReceipt | undefined): Witness | null => {
  const event = stored === undefined ? null : eventOf(stored.receipt);
  if (stored === undefined || !event?.ok) return null;
  const { receipt, position } = stored;
  return { stream: receipt.stream, position, place: placeOf(receipt), prevHash: receipt.prevHash, event: event.value };
};

const historyOf = (read: ReadStream | undefined): CollectionHistory => {
  const history = emptyCollectionHistory();
  for (const [position, { receipt }] of (read?.receipts ?? []).entries()) {
    const event = eventOf(receipt);
    const after = read?.states[position];
    if (event.ok && isCollectionEvent(event.value) && after?.type === 'collection')
      learnCollection(history, placeOf(receipt), event.value, after.state);
  }
  return history;
};
