import { type AccountId, type BookId, type EventId, OPERATOR_IDENTITY_ID, type TradeId, offerEventIdOf } from '../receipt/ids.ts';
import type { JsonObject } from '../receipt/json.ts';
import { isGenesis } from '../receipt/key-history.ts';
import { eventIdAt, positionOf } from '../receipt/key-path.ts';
import { type Stream, codeStream, collectionStream, pixbookStream } from '../receipt/stream.ts';
import { PACK_FORMAT, TRADE_FORMAT } from './certificate.ts';
import { keyReceipts } from './key-receipts.ts';
import { type FoundReceipt, type ReceiptReader, receiptAt, receiptsFrom } from './receipt-reader.ts';

/** An offer, where it was made. */
export type OfferPlace = { readonly accountId: AccountId; readonly bookId: BookId; readonly tradeId: TradeId };
/** A PACK_ISSUED, where it is. */
export type PackPlace = { readonly accountId: AccountId; readonly bookId: BookId; readonly eventId: EventId };

/**
 * What proves a trade: both books' creations, the offer, the reservation, the acceptance, the settlement when there is one, and the receipts of
 * the keys that signed them. Null while it is not accepted, or when there is no such offer. Throws `Outage`.
 */
export const tradeCertificate = async (store: ReceiptReader, place: OfferPlace): Promise<JsonObject | null> => {
  const { tradeId } = place;
  const book = pixbookStream(place.accountId, place.bookId);
  const offer = await receiptOf(store, book, offerEventIdOf(tradeId));
  if (offer?.event.type !== 'CARD_TRADE_OFFERED') return null;
  const acceptance = await nextOfTrade(store, book, offer.read.position + 1, tradeId);
  if (acceptance?.event.type !== 'CARD_TRADE_ACCEPTED') return null;
  const { to } = offer.event.payload;
  const partner = pixbookStream(to.accountId, to.bookId);
  const reservation = await receiptOf(store, partner, acceptance.event.payload.reservation.eventId);
  if (reservation === null) return null;
  const settlement = await nextOfTrade(store, partner, reservation.read.position + 1, tradeId);
  const creations = [await receiptAt(store, book, 0), await receiptAt(store, partner, 0)];
  const told = [...creations, offer, reservation, acceptance, settlement].flatMap((found) => found ?? []);
  return certified(store, { format: TRADE_FORMAT, tradeId }, [book.accountId, partner.accountId], told);
};

/**
 * What proves a pack: the book's creation, the pack, its collection's stream up to the pool it cites and the closing of its drop when there is
 * one, the code's creation and claim when it was got by code, and the receipts of the keys that signed. Null when there is no such pack.
 * Throws `Outage`.
 */
export const packCertificate = async (store: ReceiptReader, place: PackPlace): Promise<JsonObject | null> => {
  const book = pixbookStream(place.accountId, place.bookId);
  const [creation, pack] = await Promise.all([receiptAt(store, book, 0), receiptOf(store, book, place.eventId)]);
  if (creation?.event.type !== 'PIXBOOK_CREATED' || pack?.event.type !== 'PACK_ISSUED') return null;
  const { packId, dropId, pool, claim } = pack.event.payload;
  const code = claim === null ? null : codeStream(claim.codeId);
  const claiming = code === null ? [] : [await receiptAt(store, code, 0), await receiptAt(store, code, 1)];
  const told = [creation, pack, ...claiming.flatMap((found) => found ?? [])];
  const poolAt = positionOf(pool.eventId);
  for await (const found of receiptsFrom(store, collectionStream(creation.event.payload.collectionId), 0)) {
    const closes = found.event.type === 'DROP_CLOSED' && found.event.payload.dropId === dropId;
    if (found.read.position <= poolAt || closes) told.push(found);
  }
  return certified(store, { format: PACK_FORMAT, packId }, [place.accountId], told);
};

const receiptOf = async (store: ReceiptReader, stream: Stream, eventId: EventId): Promise<FoundReceipt | null> => {
  const position = positionOf(eventId);
  return position >= 0 && eventIdAt(stream, position) === eventId ? receiptAt(store, stream, position) : null;
};

/** What came next of a trade in one of its books. */
const nextOfTrade = async (
  store: ReceiptReader,
  stream: Stream,
  from: number,
  tradeId: TradeId,
): Promise<FoundReceipt | null> => {
  for await (const found of receiptsFrom(store, stream, from))
    if (found.event.type.startsWith('CARD_TRADE_') && found.read.receipt.payload.tradeId === tradeId) return found;
  return null;
};

/** The receipts that tell it, and before them those of the keys that signed. */
const certified = async (
  store: ReceiptReader,
  about: JsonObject,
  accountIds: readonly AccountId[],
  told: readonly FoundReceipt[],
): Promise<JsonObject | null> => {
  const signers = new Set(told.map(({ read }) => read.receipt.issuer.identityId)).add(OPERATOR_IDENTITY_ID);
  const keys = await keyReceipts(store, accountIds, signers);
  const genesis = keys.find(({ read }) => isGenesis(read.receipt, read.position));
  if (genesis === undefined) return null;
  const receipts = [...keys, ...told].map(({ key, read }) => ({ key, text: Buffer.from(read.bytes).toString('utf8') }));
  return { ...about, fingerprint: genesis.read.receipt.issuer.publicKeyId, receipts };
};
