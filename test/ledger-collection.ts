import { createHash } from 'node:crypto';
import {
  type CardId,
  type CodeId,
  type CollectionId,
  type DropId,
  OPERATOR_IDENTITY_ID,
  type Seed,
  type SeriesId,
  type Sha256,
  collectionIdFor,
  dropIdFor,
  parseCardId,
  parseSeed,
  parseSeriesId,
  parseSha256,
} from '../src/receipt/ids.ts';
import type { StoredReceipt } from '../src/receipt/receipt.ts';
import type { StreamOf } from '../src/receipt/stream.ts';
import type { CodeCommand } from '../src/stream/code/command.ts';
import type { CollectionCommand } from '../src/stream/collection/command.ts';
import { newSeed, seedBytesOf, seedHashOf } from '../src/stream/collection/seed.ts';
import { type FixtureLedger, codeId, granted } from './ledger-fixture.ts';
import { codeIn, collectionIn, liveBookIn } from './ledger-state.ts';
import type { ReceiptChoices } from './signed-ledger.ts';

/** What tests do with collections, their drops and codes. All throw when refused. */

/** Ids by hand. Throw when malformed. */
export const cardId = (text: string): CardId => granted(parseCardId(text));
export const seriesId = (text: string): SeriesId => granted(parseSeriesId(text));

/** A picture that a test might have of a card, and its hash. */
export const artOf = (id: CardId): Buffer => Buffer.from(`art of ${id}`);
export const artHashOf = (id: CardId): Sha256 =>
  granted(parseSha256(`sha256:${createHash('sha256').update(artOf(id)).digest('hex')}`));

export type Publication = Extract<CollectionCommand, { type: 'publish' }>;

/** 12 cards in 3 series, `pond-1` to `sky-4`; each later version has one more in `sky`. */
export const smallCatalogue = (version = 1): Publication => {
  const names = ['pond', 'reed', 'sky'] as const;
  const cardsIn = (name: string, count: number) =>
    Array.from({ length: count }, (_, n) => {
      const id = cardId(`${name}-${n + 1}`);
      return { cardId: id, seriesId: seriesId(name), title: `Card “${n + 1}” of ${name}`, artHash: artHashOf(id) };
    });
  return {
    type: 'publish',
    version,
    title: `Small animals ${version}`,
    series: names.map((name) => ({ seriesId: seriesId(name), title: `In the ${name}` })),
    cards: names.flatMap((name) => cardsIn(name, name === 'sky' ? 3 + version : 4)),
  };
};

/** The next version of the small catalogue, in a new collection where none is named: its id follows from issuer and key. */
export const publishCollection = async (
  ledger: FixtureLedger,
  { collectionId, ...choices }: ReceiptChoices & { readonly collectionId?: CollectionId } = {},
): Promise<CollectionId> => {
  const key = choices.key ?? ledger.nextKey();
  const id = collectionId ?? collectionIdFor(choices.issuer ?? OPERATOR_IDENTITY_ID, key);
  const before = collectionIn(ledger, id);
  const catalogue = smallCatalogue(before.status === 'absent' ? 1 : before.version + 1);
  granted(await ledger.collection(id, catalogue, { ...choices, key }));
  return id;
};

export const retireSeries = async (
  ledger: FixtureLedger,
  collectionId: CollectionId,
  id: SeriesId,
  choices?: ReceiptChoices,
): Promise<StoredReceipt> => granted(await ledger.collection(collectionId, { type: 'retire-series', seriesId: id }, choices));

/** A seed made of a name: the same in every run. */
export const seedOf = (name: string): Seed => newSeed(createHash('sha256').update(`test/seed ${name}`).digest());

type DropTerms = { readonly seed?: Seed; readonly packSize?: number };

/** What opening a drop comes to. Packs have 5 cards, and the seed is made of the drop's id, unless the test says otherwise. */
export const openDropCommand = async (
  { sealer }: FixtureLedger,
  collectionId: CollectionId,
  dropId: DropId,
  { seed = seedOf(dropId), packSize = 5 }: DropTerms = {},
): Promise<Extract<CollectionCommand, { type: 'open-drop' }>> => {
  const sealedSeed = await sealer.seal(`${collectionId}/${dropId}`, seedBytesOf(seed));
  return { type: 'open-drop', dropId, title: 'A week in spring', packSize, seedHash: seedHashOf(seed), sealedSeed };
};

export const openDrop = async (
  ledger: FixtureLedger,
  collectionId: CollectionId,
  { seed, packSize, ...choices }: ReceiptChoices & DropTerms = {},
): Promise<DropId> => {
  const key = choices.key ?? ledger.nextKey();
  const dropId = dropIdFor(collectionId, key);
  const terms = { ...(seed !== undefined && { seed }), ...(packSize !== undefined && { packSize }) };
  const command = await openDropCommand(ledger, collectionId, dropId, terms);
  granted(await ledger.collection(collectionId, command, { ...choices, key }));
  return dropId;
};

/** The seed of a drop, open or closed: what its packs are drawn with. */
export const unsealedSeed = async (ledger: FixtureLedger, collectionId: CollectionId, dropId: DropId): Promise<Seed> => {
  const collection = collectionIn(ledger, collectionId);
  const drop = collection.status === 'absent' ? undefined : collection.drops.get(dropId);
  if (drop === undefined) throw new RangeError('the collection has no such drop');
  const bytes = await ledger.sealer.unseal(`${collectionId}/${dropId}`, drop.sealedSeed);
  return granted(parseSeed(Buffer.from(bytes).toString('hex')));
};

export const closeDrop = async (
  ledger: FixtureLedger,
  collectionId: CollectionId,
  dropId: DropId,
  choices?: ReceiptChoices,
): Promise<StoredReceipt> => {
  const seed = await unsealedSeed(ledger, collectionId, dropId);
  return granted(await ledger.collection(collectionId, { type: 'close-drop', dropId, seed }, choices));
};

/** A code by a name that no secret is behind. */
export const createCode = async (
  ledger: FixtureLedger,
  name: string,
  worth: { readonly collectionId: CollectionId; readonly dropId: DropId; readonly batchId?: string },
  choices?: ReceiptChoices,
): Promise<CodeId> => {
  const { collectionId, dropId, batchId = null } = worth;
  granted(await ledger.code(codeId(name), { type: 'create-code', collectionId, dropId, batchId }, choices));
  return codeId(name);
};

/** What claiming a code for a book comes to. */
export const claimCommand = (ledger: FixtureLedger, book: StreamOf<'pixbook'>): Extract<CodeCommand, { type: 'claim-code' }> => {
  const { identityId, generation, collectionId } = liveBookIn(ledger, book);
  const { accountId, bookId } = book;
  return { type: 'claim-code', accountId, bookId, identityId, generation, collectionId };
};

/** Claims a code for a book; its pack is `issueCodePack`’s to issue. */
export const claimCode = async (
  ledger: FixtureLedger,
  code: CodeId,
  book: StreamOf<'pixbook'>,
  choices?: ReceiptChoices,
): Promise<StoredReceipt> => granted(await ledger.code(code, claimCommand(ledger, book), choices));

export const revokeCode = async (ledger: FixtureLedger, code: CodeId, choices?: ReceiptChoices): Promise<StoredReceipt> =>
  granted(await ledger.code(code, { type: 'revoke-code' }, choices));

/** The claim a code's pack rests on, as the pack cites it. */
export const claimOf = (ledger: FixtureLedger, code: CodeId) => {
  const state = codeIn(ledger, code);
  if (state.status !== 'claimed') throw new RangeError('the code is not claimed');
  const { eventId, hash } = state.claim;
  return { dropId: state.dropId, claim: { codeId: code, eventId, hash } };
};
