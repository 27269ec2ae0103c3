import { limits } from '../src/limits.ts';
import {
  type CardId,
  type CodeId,
  type DropId,
  type InstanceId,
  type PackId,
  codePackIdFor,
  dropPackIdFor,
  grantInstanceIdFor,
  instantOf,
  packInstanceIdFor,
  tradeIdOf,
} from '../src/receipt/ids.ts';
import type { JsonObject } from '../src/receipt/json.ts';
import { eventIdAt } from '../src/receipt/key-path.ts';
import type { Receipt, StoredReceipt } from '../src/receipt/receipt.ts';
import { type Stream, codeStream, collectionStream } from '../src/receipt/stream.ts';
import { drawPack } from '../src/stream/collection/draw.ts';
import type { DomainLedger, Family } from '../test/domain-ledger.ts';
import { unsealedSeed } from '../test/ledger-collection.ts';
import { liveBookIn } from '../test/ledger-state.ts';

/** What a forger with the right keys could write about packs, cards and trades, each as the next receipt of its stream. */

/** How others cite a receipt. */
export const citationOf = ({ receipt: { eventId, hash } }: { readonly receipt: Pick<Receipt, 'eventId' | 'hash'> }) => ({
  eventId,
  hash,
});

/** A receipt of a stream that is there; throws otherwise. */
export const receiptAt = ({ ledger }: DomainLedger, stream: Stream, position: number): StoredReceipt => {
  const stored = ledger.receiptsOf(stream).at(position);
  if (stored === undefined) throw new RangeError('there is no such receipt');
  return stored;
};

/** The first receipt of a type in a stream, of a trade where one is named. */
export const receiptOf = ({ ledger }: DomainLedger, stream: Stream, type: string, tradeId?: string): StoredReceipt => {
  const stored = ledger
    .receiptsOf(stream)
    .find(({ receipt }) => receipt.type === type && (tradeId === undefined || receipt.payload.tradeId === tradeId));
  if (stored === undefined) throw new RangeError(`there is no ${type}`);
  return stored;
};

/** The next receipt that a stream will have, as somebody might cite it who knows no better. */
export const nothingAt = ({ ledger }: DomainLedger, stream: Stream) => ({
  eventId: eventIdAt(stream, ledger.receiptsOf(stream).length),
  hash: `sha256:${'0'.repeat(64)}`,
});

export type PackForgery = {
  readonly dropId: DropId;
  readonly code?: CodeId;
  /** Position in the collection's stream; -1 is its last. */
  readonly poolAt: number;
  readonly pool?: { readonly eventId: string; readonly hash: string };
  readonly claim?: { readonly eventId: string; readonly hash: string };
  readonly packId?: PackId;
  readonly cards?: (drawn: readonly CardId[]) => readonly CardId[];
  readonly instanceId?: InstanceId;
  readonly packSize?: number;
  readonly atMs?: number;
};

/** A pack, drawn as it must be from the whole pool of the first version but for what the forgery says. */
export const forgedPack = async (d: DomainLedger, { book }: Family, forgery: PackForgery): Promise<StoredReceipt> => {
  const { ledger, collectionId } = d;
  const { dropId, code, poolAt, packSize = 5, atMs } = forgery;
  const packId = forgery.packId ?? (code === undefined ? dropPackIdFor(dropId, book.bookId) : codePackIdFor(code));
  const seed = await unsealedSeed(ledger, collectionId, dropId);
  const drawn = drawPack(poolThen(d, poolAt), { seed, bookId: book.bookId, packId, packSize });
  const cards = (forgery.cards?.(drawn) ?? drawn).map((cardId, slot) => ({
    instanceId: (slot === 0 ? forgery.instanceId : undefined) ?? packInstanceIdFor(packId, slot, cardId),
    cardId,
  }));
  const claim = code === undefined ? null : { codeId: code, ...(forgery.claim ?? citationOf(receiptAt(d, codeStream(code), 1))) };
  const pool = forgery.pool ?? citationOf(receiptAt(d, collectionStream(collectionId), poolAt));
  const payload: JsonObject = { packId, dropId, pool, claim, cards };
  return ledger.forge(book, { type: 'PACK_ISSUED', payload }, atMs === undefined ? {} : { atMs });
};

/** The pool as of a position of the collection's stream, written anew: the latest publication without what was retired. */
const poolThen = ({ ledger, collectionId }: DomainLedger, position: number): readonly CardId[] => {
  let cards: readonly { cardId: CardId; seriesId: string }[] = [];
  const retired = new Set<unknown>();
  const receipts = ledger.receiptsOf(collectionStream(collectionId));
  for (const { receipt } of position < 0 ? receipts : receipts.slice(0, position + 1)) {
    if (receipt.type === 'COLLECTION_PUBLISHED') cards = receipt.payload.cards as unknown as typeof cards;
    if (receipt.type === 'SERIES_RETIRED') retired.add(receipt.payload.seriesId);
  }
  return cards
    .filter(({ seriesId }) => !retired.has(seriesId))
    .map(({ cardId }) => cardId)
    .sort();
};

/** Position in the collection's stream of the first receipt of a type, about a drop where one is named. */
export const positionIn = ({ ledger, collectionId }: DomainLedger, type: string, dropId?: DropId): number => {
  const found = ledger
    .receiptsOf(collectionStream(collectionId))
    .find(({ receipt }) => receipt.type === type && (dropId === undefined || receipt.payload.dropId === dropId));
  if (found === undefined) throw new RangeError(`there is no ${type}`);
  return found.position;
};

/** Cards granted to a book; their ids follow as they must unless they are given. */
export const forgedGrant = (
  { ledger }: DomainLedger,
  { book }: Family,
  cards: readonly { readonly cardId: string; readonly instanceId?: InstanceId }[],
): Promise<StoredReceipt> => {
  const eventId = eventIdAt(book, ledger.receiptsOf(book).length);
  const copies = cards.map(({ cardId, instanceId }, k) => ({ cardId, instanceId: instanceId ?? grantInstanceIdFor(eventId, k) }));
  return ledger.forge(book, { type: 'CARD_ADDED', payload: { cards: copies, reason: 'forged' } });
};

/** Copies that a book holds free, with their cards. */
export const copiesOf = ({ ledger }: DomainLedger, { book }: Family) =>
  [...liveBookIn(ledger, book).cards].flatMap(([instanceId, { cardId, escrow }]) =>
    escrow === null ? [{ instanceId, cardId }] : [],
  );

export const partnerOf = ({ identityId, book }: Family) => ({
  accountId: book.accountId,
  bookId: book.bookId,
  identityId,
  generation: 1,
});

/** An offer that stands for a day, and the trade it names. */
export const forgedOffer = async (d: DomainLedger, from: Family, to: Family, members: JsonObject = {}) => {
  const payload = {
    to: partnerOf(to),
    give: copiesOf(d, from).slice(0, 1),
    want: { instanceIds: [], cardIds: [] },
    expiresAt: instantOf(d.ledger.nowMs() + 24 * 3_600_000),
    ...members,
  };
  const stored = await d.ledger.forge(from.book, { type: 'CARD_TRADE_OFFERED', payload });
  return { stored, payload, tradeId: tradeIdOf(stored.receipt.eventId) };
};

export type ForgedOffer = Awaited<ReturnType<typeof forgedOffer>>;

/** A reservation for an offer, taking what it gives and giving nothing, but for the members given. */
export const forgedReservation = (
  { ledger }: DomainLedger,
  by: Family,
  { stored, payload, tradeId }: ForgedOffer,
  members: JsonObject = {},
): Promise<StoredReceipt> => {
  const { stream } = stored.receipt;
  const place = stream.type === 'pixbook' ? { accountId: stream.accountId, bookId: stream.bookId } : {};
  const offer = { ...place, ...citationOf(stored) };
  return ledger.forge(by.book, {
    type: 'CARD_TRADE_RESERVED',
    payload: { tradeId, offer, give: [], take: payload.give, ...members },
  });
};

/** After the grace for appends in flight, since a receipt. */
export const longAfter = ({ receipt }: StoredReceipt): number => Date.parse(receipt.createdAt) + 2 * limits.keyGraceMs;
