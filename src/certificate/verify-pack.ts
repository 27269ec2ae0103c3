import type { AccountId, BookId, CodeId, CollectionId, DropId, IdentityId, Instant, PackId } from '../receipt/ids.ts';
import { positionOf } from '../receipt/key-path.ts';
import { type StreamOf, codeStream, collectionStream } from '../receipt/stream.ts';
import { citationFault, citedByPack } from '../stream/citation.ts';
import { type CollectionHistory, emptyCollectionHistory, learnClosing, learnCollection } from '../stream/collection/history.ts';
import { type StreamState, emptyStream, isCollectionEvent } from '../stream/fold.ts';
import { claimFault, packFault } from '../stream/pack-citation.ts';
import type { Instance } from '../stream/pixbook/event.ts';
import type { PackCertificate } from './certificate.ts';
import type { Evidence, Proof } from './evidence.ts';
import {
  type ProofOf,
  type Telling,
  Untold,
  bookHolding,
  demandFit,
  liveIn,
  openTelling,
  placeOf,
  witnessOf,
} from './telling.ts';

/** What a pack certificate proves. */
export type ProvenPack = {
  readonly what: 'pack';
  readonly packId: PackId;
  readonly accountId: AccountId;
  readonly identityId: IdentityId;
  readonly bookId: BookId;
  readonly collectionId: CollectionId;
  readonly dropId: DropId;
  readonly cards: readonly Instance[];
  readonly issuedAt: Instant;
  /** The code it was got by; null for the book's pack of the drop. */
  readonly code: { readonly codeId: CodeId; readonly claimedAt: Instant } | null;
  /** `recomputed`: the drop's seed is known, and draws just these cards. `drop-open`: the certificate does not hold the seed. */
  readonly draw: 'recomputed' | 'drop-open';
};

/** What the receipts prove of the pack. Throws `Untold`. */
export const provenPack = (evidence: Evidence, { packId }: PackCertificate): ProvenPack => {
  const telling = openTelling(evidence);
  const pack = telling.any('PACK_ISSUED', ({ event }) => event.payload.packId === packId);
  const book = pack?.read.receipt.stream;
  if (pack === null || book?.type !== 'pixbook')
    throw new Untold('receipt-missing', 'the PACK_ISSUED of this pack is not in it', null);
  const issued = liveIn(telling.step(bookHolding(telling, telling.at(book, 0, 'PIXBOOK_CREATED'), []), pack));
  const { collectionId, identityId } = issued;
  const claimed = claimOf(telling, book, collectionId, pack);
  const history = collectionIn(telling, collectionId, pack);
  telling.end();
  const { createdAt } = pack.read.receipt;
  const { dropId, cards } = pack.event.payload;
  const claimedAt = claimed?.read.receipt.createdAt ?? null;
  demandFit(packFault(history, { bookId: book.bookId, at: createdAt, pack: pack.event.payload, claimedAt }), pack);
  return {
    what: 'pack',
    packId,
    ...{ accountId: book.accountId, identityId, bookId: book.bookId, collectionId, dropId, cards },
    issuedAt: createdAt,
    code: claimedAt === null || pack.event.payload.claim === null ? null : { codeId: pack.event.payload.claim.codeId, claimedAt },
    draw: (history.drops.get(dropId)?.closed ?? null) === null ? 'drop-open' : 'recomputed',
  };
};

/** The code's whole stream: its creation and its claim. */
const claimOf = (
  telling: Telling,
  book: StreamOf<'pixbook'>,
  collectionId: CollectionId,
  pack: ProofOf<'PACK_ISSUED'>,
): ProofOf<'CODE_CLAIMED'> | null => {
  const { claim } = pack.event.payload;
  const cited = citedByPack(pack.event);
  if (claim === null || cited === null) return null;
  const code = codeStream(claim.codeId);
  const created = telling.at(code, 0, 'CODE_CREATED');
  const claimed = telling.at(code, 1, 'CODE_CLAIMED');
  telling.next(telling.next(emptyStream(code), created, null), claimed, created);
  const witness = witnessOf(claimed);
  const both = { claimed: witness, created: witnessOf(created) };
  demandFit(citationFault(cited, witness) ?? claimFault(book, collectionId, pack.event.payload, both), pack);
  return claimed;
};

/** The collection's stream, whole and chained up to the pool, and the closing of the drop wherever it came. */
const collectionIn = (telling: Telling, collectionId: CollectionId, pack: ProofOf<'PACK_ISSUED'>): CollectionHistory => {
  const stream = collectionStream(collectionId);
  const { pool, dropId } = pack.event.payload;
  const history = emptyCollectionHistory();
  let state: StreamState = emptyStream(stream);
  let previous: Proof | null = null;
  for (let position = 0; position <= positionOf(pool.eventId); position++) {
    const proof: Proof = telling.there(stream, position);
    state = telling.next(state, proof, previous);
    previous = proof;
    if (state.type === 'collection' && isCollectionEvent(proof.event))
      learnCollection(history, placeOf(proof), proof.event, state.state);
  }
  const closing = telling.any(
    'DROP_CLOSED',
    ({ event, read }) => event.payload.dropId === dropId && isOf(read.receipt.stream, stream),
  );
  if (closing !== null) {
    telling.step(state, closing);
    learnClosing(history, closing.read.position, placeOf(closing), closing.event.payload);
  }
  return history;
};

const isOf = (stream: Proof['read']['receipt']['stream'], { collectionId }: StreamOf<'collection'>): boolean =>
  stream.type === 'collection' && stream.collectionId === collectionId;
