import type { AccountId, CollectionId } from '../src/receipt/ids.ts';
import { keyAt, prefixOf } from '../src/receipt/key-path.ts';
import { type ReadReceipt, readReceipt } from '../src/receipt/read.ts';
import { type Stream, collectionStream } from '../src/receipt/stream.ts';
import { verifyAlone } from '../src/receipt/verify.ts';
import type { Witness } from '../src/stream/citation.ts';
import { type CollectionHistory, emptyCollectionHistory, learnCollection } from '../src/stream/collection/history.ts';
import { eventOf } from '../src/stream/event.ts';
import { isCollectionEvent } from '../src/stream/fold.ts';
import type { Sight } from './judgement.ts';
import { type Known, newsOf } from './known.ts';
import { keysUpTo } from './read-on.ts';
import { replayStream } from './replay-stream.ts';
import { type CheckFault, type StreamCheck, isAboutKeys, openCheck } from './stream-check.ts';

/**
 * Sees receipts of other streams where the ledger is read. Single ones by their keys, each checked by itself: what their streams say of them
 * is told where those are verified. Collections whole, once, and kept. Throws `Outage`.
 */
export const sightOf = (known: Known): Sight => {
  const collections = new Map<CollectionId, Promise<CollectionReading>>();
  return {
    receipt: (stream, position, near) => witnessAt(known, stream, position, near),
    collection: (collectionId, again) => {
      const before = collections.get(collectionId);
      if (before !== undefined && !again) return before;
      const reading = before?.then((one) => readOn(known, one)) ?? readOn(known, nothingOf(known, collectionId));
      collections.set(collectionId, reading);
      return reading;
    },
  };
};

type CollectionReading = { readonly check: StreamCheck; readonly history: CollectionHistory; whole: boolean };

const nothingOf = (known: Known, collectionId: CollectionId): CollectionReading => {
  const stream = collectionStream(collectionId);
  return { check: openCheck(stream, known.history, known.trust), history: emptyCollectionHistory(), whole: true };
};

/** Once something is wrong with it, a collection is not looked at again: it has been told. */
const readOn = async (known: Known, reading: CollectionReading): Promise<CollectionReading> => {
  const { check, history } = reading;
  if (!reading.whole) return reading;
  const isNew = check.next === 0;
  const source = isNew ? known.source : { ...known.source, pages: () => keysUpTo(known.source, check, Number.POSITIVE_INFINITY) };
  const report = await replayStream(source, { prefix: check.prefix, keys: null }, check, {
    onReceipt: ({ read, event }) => {
      const { eventId, hash, createdAt: at } = read.receipt;
      if (check.state?.type === 'collection' && isCollectionEvent(event))
        learnCollection(history, { eventId, hash, at }, event, check.state.state);
    },
    askForKeys: ({ keys }, accountIds) => newsOf(known, accountIds, keys),
  });
  known.found.push(...report.faults);
  known.signatures += check.signatures;
  check.signatures = 0;
  reading.whole = report.whole;
  return reading;
};

const witnessAt = async (
  known: Known,
  stream: Stream,
  position: number,
  near: AccountId,
): Promise<Witness | 'missing' | 'untrue'> => {
  const key = keyAt(stream, position);
  const [bytes] = await known.source.readMany([key]);
  if (!bytes) return 'missing';
  const untrue = ({ code, detail }: CheckFault): 'untrue' => {
    const at = { key, stream: prefixOf(stream), position, lastPosition: position };
    known.found.push({ ...at, code, detail, unverifiable: 0 });
    return 'untrue';
  };
  const read = readReceipt(bytes, key);
  if (!read.ok) return untrue(read.error);
  const signed = await signedOrNot(known, read.value, stream.type === 'pixbook' ? [near, stream.accountId] : [near]);
  if (signed === 'untrue') return 'untrue';
  if (signed !== null) return untrue(signed);
  const { receipt } = read.value;
  const event = eventOf(receipt);
  if (!event.ok) return untrue(event.error);
  const { eventId, hash, createdAt: at, prevHash } = receipt;
  return { stream, position, place: { eventId, hash, at }, prevHash, event: event.value };
};

/** Null when it is its issuer's word; `untrue` when nobody can say because an account's stream is at fault. */
const signedOrNot = async (
  known: Known,
  read: ReadReceipt,
  accountIds: readonly AccountId[],
): Promise<CheckFault | 'untrue' | null> => {
  known.signatures += 1;
  const first = verifyAlone(read, known.history);
  if (first.ok) return null;
  if (!isAboutKeys(first.error.code)) return first.error;
  const news = await newsOf(known, accountIds, known.history);
  if (news !== 'again') return 'untrue';
  const second = verifyAlone(read, known.history);
  return second.ok ? null : second.error;
};
