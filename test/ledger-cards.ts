import {
  type CardId,
  type CodeId,
  type CollectionId,
  type DropId,
  type InstanceId,
  type PackId,
  codePackIdFor,
  dropPackIdFor,
} from '../src/receipt/ids.ts';
import type { StoredReceipt } from '../src/receipt/receipt.ts';
import { type StreamOf, collectionStream } from '../src/receipt/stream.ts';
import { drawPack, poolOf } from '../src/stream/collection/draw.ts';
import type { CollectionState } from '../src/stream/collection/state.ts';
import type { PackCommand } from '../src/stream/pixbook/command.ts';
import { claimOf, unsealedSeed } from './ledger-collection.ts';
import { type FixtureLedger, granted } from './ledger-fixture.ts';
import { collectionIn, liveBookIn } from './ledger-state.ts';
import type { ReceiptChoices } from './signed-ledger.ts';

/** What tests do with the packs and cards of books. All throw when refused. */

type Book = StreamOf<'pixbook'>;

/** The copies of a book that no trade keeps, in the order of their ids. */
export const freeCopiesIn = (ledger: FixtureLedger, book: Book): readonly InstanceId[] =>
  [...liveBookIn(ledger, book).cards]
    .filter(([, { escrow }]) => escrow === null)
    .map(([instanceId]) => instanceId)
    .sort();

/** The book's pack of a drop. */
export const issuePack = async (
  ledger: FixtureLedger,
  book: Book,
  dropId: DropId,
  choices?: ReceiptChoices,
): Promise<StoredReceipt> => granted(await ledger.pixbook(book, await packCommand(ledger, book, { dropId }), choices));

/** The pack of a code that the book has claimed. */
export const issueCodePack = async (
  ledger: FixtureLedger,
  book: Book,
  code: CodeId,
  choices?: ReceiptChoices,
): Promise<StoredReceipt> => granted(await ledger.pixbook(book, await packCommand(ledger, book, { code }), choices));

/** What issuing the pack of a drop, or of a claimed code, comes to: its cards drawn from the pool as it is. */
export const packCommand = async (
  ledger: FixtureLedger,
  book: Book,
  worth: { readonly dropId: DropId } | { readonly code: CodeId },
): Promise<Extract<PackCommand, { type: 'issue-pack' }>> => {
  const { collectionId } = liveBookIn(ledger, book);
  const collection = collectionIn(ledger, collectionId);
  const { dropId, claim } = 'code' in worth ? claimOf(ledger, worth.code) : { ...worth, claim: null };
  const packId = 'code' in worth ? codePackIdFor(worth.code) : dropPackIdFor(dropId, book.bookId);
  const drawn = await drawnFrom(ledger, collection, { collectionId, dropId, packId, bookId: book.bookId });
  return { type: 'issue-pack', packId, dropId, claim, collection, ...drawn };
};

const drawnFrom = async (
  ledger: FixtureLedger,
  collection: CollectionState,
  of: { collectionId: CollectionId; dropId: DropId; packId: PackId; bookId: Book['bookId'] },
): Promise<Pick<Extract<PackCommand, { type: 'issue-pack' }>, 'pool' | 'cards'>> => {
  const head = ledger.headOf(collectionStream(of.collectionId));
  const drop = collection.status === 'absent' ? undefined : collection.drops.get(of.dropId);
  if (head === null || drop === undefined || poolOf(collection).length < drop.packSize) return { pool: null, cards: null };
  const seed = await unsealedSeed(ledger, of.collectionId, of.dropId);
  const cards = drawPack(poolOf(collection), { seed, bookId: of.bookId, packId: of.packId, packSize: drop.packSize });
  return { pool: { eventId: head.eventId, hash: head.hash }, cards };
};

export const openPack = async (
  ledger: FixtureLedger,
  book: Book,
  packId: PackId,
  choices?: ReceiptChoices,
): Promise<StoredReceipt> => granted(await ledger.pixbook(book, { type: 'open-pack', packId }, choices));

/** Grants copies of these cards; answers their ids. The collection must be published. */
export const addCards = async (
  ledger: FixtureLedger,
  book: Book,
  cardIds: readonly CardId[],
  choices?: ReceiptChoices,
): Promise<readonly InstanceId[]> => {
  const before = liveBookIn(ledger, book);
  const collection = collectionIn(ledger, before.collectionId);
  granted(await ledger.pixbook(book, { type: 'add-cards', cardIds, collection, reason: 'a gift' }, choices));
  return [...liveBookIn(ledger, book).cards.keys()].filter((instanceId) => !before.cards.has(instanceId)).sort();
};

export const removeCards = async (
  ledger: FixtureLedger,
  book: Book,
  instanceIds: readonly InstanceId[],
  choices?: ReceiptChoices,
): Promise<StoredReceipt> =>
  granted(await ledger.pixbook(book, { type: 'remove-cards', instanceIds, reason: 'a correction' }, choices));
