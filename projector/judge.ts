import { limits } from '../src/limits.ts';
import { type AccountId, type CollectionId, epochMsOf } from '../src/receipt/ids.ts';
import { keyAt } from '../src/receipt/key-path.ts';
import type { Stream } from '../src/receipt/stream.ts';
import {
  type BookThen,
  type Cited,
  type CitingStep,
  type Witness,
  citationFault,
  citedByPack,
  citedByStep,
  isCitingStep,
  positionOfCited,
  tradeFault,
} from '../src/stream/citation.ts';
import type { CollectionHistory } from '../src/stream/collection/history.ts';
import { type DomainFault, domainFault } from '../src/stream/domain-fault.ts';
import type { LedgerEvent } from '../src/stream/event.ts';
import type { StreamState } from '../src/stream/fold.ts';
import type { Place } from '../src/stream/here.ts';
import { claimFault, codeFault, grantFault, packFault } from '../src/stream/pack-citation.ts';
import type { PixbookEventOf } from '../src/stream/pixbook/event.ts';
import type { Judgement, Sight } from './judgement.ts';

/** A receipt that is true in its stream, and the state it led to. */
export type Judged = {
  readonly stream: Stream;
  readonly event: LedgerEvent;
  readonly place: Place;
  readonly after: StreamState;
};

/**
 * What is to be said of a receipt together with what it cites in other streams (the rules are in `src/stream/citation.ts`). Null at once
 * for the many that cite nothing. `nowMs` decides which acceptances should have been settled by now. Throws `Outage`.
 */
export const judge = (sight: Sight, nowMs: number, { stream, event, place, after }: Judged): Promise<Judgement> | null => {
  if (event.type === 'CODE_CREATED') {
    const { collectionId, dropId } = event.payload;
    return ofCollection(sight, collectionId, (history) => codeFault(history, dropId));
  }
  if (stream.type !== 'pixbook' || after.type !== 'pixbook' || after.state.status === 'absent') return null;
  const book = { stream, state: after.state, place };
  switch (event.type) {
    case 'CARD_ADDED':
      return ofCollection(sight, book.state.collectionId, (history) => grantFault(history, event.payload.cards));
    case 'PACK_ISSUED':
      return ofPack(sight, book, event);
    case 'CARD_TRADE_RESERVED':
    case 'CARD_TRADE_ACCEPTED':
    case 'CARD_TRADE_SETTLED':
    case 'CARD_TRADE_RELEASED':
      return isCitingStep(event) ? ofStep(sight, nowMs, book, event) : null;
    default:
      return null;
  }
};

/** What seems wrong may only be newer than what is known of the collection, or rest on a part of it that is at fault. */
const ofCollection = async (
  sight: Sight,
  collectionId: CollectionId,
  faultIn: (history: CollectionHistory) => DomainFault | null,
): Promise<Judgement> => {
  const known = await sight.collection(collectionId, false);
  if (faultIn(known.history) === null) return null;
  const { history, whole } = await sight.collection(collectionId, true);
  const fault = faultIn(history);
  if (fault === null || whole) return fault;
  return MAY_COME_LATER.has(fault.code) ? 'unverifiable' : fault;
};

/** Faults that a receipt of the collection behind what can be read of it might do away with. */
const MAY_COME_LATER: ReadonlySet<DomainFault['code']> = new Set(['cited-missing', 'drop-unknown', 'card-unknown']);

const ofPack = async (
  sight: Sight,
  { stream, state, place }: BookThen,
  event: PixbookEventOf<'PACK_ISSUED'>,
): Promise<Judgement> => {
  const pack = event.payload;
  const cited = citedByPack(event);
  const claimed = cited === null ? null : await witnessOf(sight, cited, stream.accountId);
  if (claimed !== null && !('witness' in claimed)) return claimed.judgement;
  if (claimed !== null) {
    const created = await sight.receipt(claimed.witness.stream, 0, stream.accountId);
    if (created === 'untrue') return 'unverifiable';
    if (created === 'missing') return notThere(claimed.witness.stream, 0);
    const fault = claimFault(stream, state.collectionId, pack, { claimed: claimed.witness, created });
    if (fault !== null) return fault;
  }
  const claimedAt = claimed?.witness.place.at ?? null;
  return ofCollection(sight, state.collectionId, (history) =>
    packFault(history, { bookId: stream.bookId, at: place.at, pack, claimedAt }),
  );
};

const ofStep = async (sight: Sight, nowMs: number, book: BookThen, event: CitingStep): Promise<Judgement> => {
  const found = await witnessOf(sight, citedByStep(book, event), book.stream.accountId);
  if (!('witness' in found)) return found.judgement;
  const fault = tradeFault(book, event, found.witness);
  if (fault !== null || event.type !== 'CARD_TRADE_ACCEPTED') return fault;
  return nowMs - epochMsOf(book.place.at) <= limits.redoOverdueMs ? null : unsettled(sight, book, event, found.witness);
};

type Found = { readonly witness: Witness } | { readonly judgement: Judgement };

const witnessOf = async (sight: Sight, cited: Cited, near: AccountId): Promise<Found> => {
  const position = positionOfCited(cited);
  if (position === null) return { judgement: citationFault(cited, null) };
  const witness = await sight.receipt(cited.stream, position, near);
  if (witness === 'untrue') return { judgement: 'unverifiable' };
  if (witness === 'missing') return { judgement: notThere(cited.stream, position) };
  const fault = citationFault(cited, witness);
  return fault === null ? { witness } : { judgement: fault };
};

const notThere = (stream: Stream, position: number): DomainFault =>
  domainFault('cited-missing', `it cites ${keyAt(stream, position)}, which is not there`);

/** Reads the partner's stream on from the reservation until the trade's end in it. */
const unsettled = async (
  sight: Sight,
  { stream: { accountId } }: BookThen,
  { payload: { tradeId } }: PixbookEventOf<'CARD_TRADE_ACCEPTED'>,
  reservation: Witness,
): Promise<Judgement> => {
  for (let position = reservation.position + 1; ; position++) {
    const next = await sight.receipt(reservation.stream, position, accountId);
    if (next === 'untrue') return 'unverifiable';
    if (next === 'missing')
      return domainFault(
        'trade-unsettled',
        `${keyAt(reservation.stream, position - 1)} is the partner's last receipt, and none settles it`,
      );
    // A release would be wrong, and is told where it is.
    const { event } = next;
    if ((event.type === 'CARD_TRADE_SETTLED' || event.type === 'CARD_TRADE_RELEASED') && event.payload.tradeId === tradeId)
      return null;
  }
};
