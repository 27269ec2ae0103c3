import { canonicalBytes } from '../../receipt/canonical.ts';
import { receiptHashOf } from '../../receipt/hash.ts';
import {
  type AccountId,
  type CardId,
  type CodeId,
  type CollectionId,
  type DropId,
  type EventId,
  type IdentityId,
  type InstanceId,
  type Instant,
  type ReceiptHash,
  type SeriesId,
  type Sha256,
  type TradeId,
  bookIdFor,
  codePackIdFor,
  derivedUlid,
  dropPackIdFor,
  epochMsOf,
  instantOf,
  tradeIdOf,
} from '../../receipt/ids.ts';
import { eventIdAt } from '../../receipt/key-path.ts';
import { type StreamOf, pixbookStream } from '../../receipt/stream.ts';
import { type Result, err, ok } from '../../result.ts';
import type { CollectionState } from '../collection/state.ts';
import { eventOf } from '../event.ts';
import type { Here, Place } from '../here.ts';
import type { PixbookCommand } from './command.ts';
import { type PixbookRefusal, decidePixbook } from './decide.ts';
import type { Citation, Instance, PixbookEvent, TradePartner, Want } from './event.ts';
import { evolvePixbook } from './evolve.ts';
import { type LivePixbook, type PixbookState, noPixbook } from './state.ts';

/** A pixbook in memory: what its rules made of the commands it was given, each event at the place its receipt would have. */
export type Book = {
  readonly stream: StreamOf<'pixbook'>;
  readonly owner: TradePartner;
  readonly collectionId: CollectionId;
  readonly state: PixbookState;
  readonly log: readonly { readonly event: PixbookEvent; readonly place: Place }[];
};

export const collectionIdOf = (name: string) => `col_${derivedUlid('test/collection', name)}` as CollectionId;
export const dropIdOf = (name: string) => `drp_${derivedUlid('test/drop', name)}` as DropId;
export const codeIdOf = (name: string) => `cod_${derivedUlid('test/code', name)}` as CodeId;
export const hashOf = (name: string): ReceiptHash => receiptHashOf(Buffer.from(name));
/** A receipt of another stream. */
export const cited = (name: string): Citation => ({ eventId: derivedUlid('test/event', name) as EventId, hash: hashOf(name) });
export const foreignTrade: TradeId = tradeIdOf(cited('of nobody').eventId);

export const birds = collectionIdOf('birds');
export const cardIds = ['crane', 'dove', 'eagle', 'finch', 'goose', 'heron', 'ibis', 'jay'] as CardId[];
export const [crane, dove, eagle, finch] = cardIds as [CardId, CardId, CardId, CardId];

export const openDrop = dropIdOf('open');
export const otherDrop = dropIdOf('other');
export const closedDrop = dropIdOf('closed');

const drop = { packSize: 3, seedHash: hashOf('seed') as string as Sha256, sealedSeed: 'sealed', seed: null };
export const catalogue: Extract<CollectionState, { status: 'published' }> = {
  status: 'published',
  version: 1,
  title: 'Birds',
  series: [{ seriesId: 'birds' as SeriesId, title: 'Birds' }],
  cards: cardIds.map((cardId) => ({
    cardId,
    seriesId: 'birds' as SeriesId,
    title: cardId,
    artHash: hashOf(cardId) as string as Sha256,
  })),
  retired: new Set(),
  drops: new Map([
    [openDrop, { ...drop, status: 'open' }],
    [otherDrop, { ...drop, status: 'open' }],
    [closedDrop, { ...drop, status: 'closed' }],
  ]),
  publications: [],
};

/** When everything happens that says nothing else. */
export const noon = instantOf(Date.UTC(2026, 0, 1, 12));
export const later = (ms: number, from: Instant = noon): Instant => instantOf(epochMsOf(from) + ms);
export const hour = 3_600_000;

/** A book that is not there yet. */
export const bookOf = (name: string, collectionId: CollectionId = birds, generation = 1): Book => {
  const accountId = `acc_${derivedUlid('test/account', name)}` as AccountId;
  const identityId = `idn_${derivedUlid('test/identity', name)}` as IdentityId;
  const bookId = bookIdFor(identityId, collectionId, generation);
  const owner = { accountId, identityId, bookId, generation };
  return { stream: pixbookStream(accountId, bookId), owner, collectionId, state: noPixbook, log: [] };
};

/** Where the next event of a book comes about. */
export const hereIn = (book: Book, at: Instant = noon): Here => ({ eventId: eventIdAt(book.stream, book.log.length), at });
export const placeOf = (event: PixbookEvent, here: Here): Place => ({
  ...here,
  hash: receiptHashOf(canonicalBytes({ ...event, ...here })),
});

/** What a command makes of a book. Throws when the rules disagree with themselves: an event that has no schema, or cannot follow. */
export const attempt = (book: Book, command: PixbookCommand, at: Instant = noon): Result<Book, PixbookRefusal> => {
  const here = hereIn(book, at);
  const decided = decidePixbook(book.state, command, here);
  if (!decided.ok) return err(decided.error);
  const written = eventOf({ stream: book.stream, ...decided.value });
  if (!written.ok) throw new Error(written.error.detail);
  const place = placeOf(decided.value, here);
  const next = evolvePixbook(book.state, decided.value, place);
  if (!next.ok) throw new Error(next.error.detail);
  return ok({ ...book, state: next.value, log: [...book.log, { event: decided.value, place }] });
};

/** The book after these commands. Throws when one is refused. */
export const after = (book: Book, ...commands: readonly PixbookCommand[]): Book =>
  commands.reduce((before, command) => done(before, command), book);

/** As `after`, of one command at some time. */
export const done = (book: Book, command: PixbookCommand, at: Instant = noon): Book => {
  const next = attempt(book, command, at);
  if (!next.ok) throw new Error(`${command.type}: ${next.error.code}`);
  return next.value;
};

/** The event a command leads to, or the code of its refusal. */
export const outcome = (book: Book, command: PixbookCommand, at: Instant = noon) => {
  const next = attempt(book, command, at);
  return next.ok ? next.value.log.at(-1)?.event : next.error.code;
};

/** What `evolve` says of an event that follows a book: `legal`, or why not. */
export const judged = (book: Book, event: PixbookEvent, at: Instant = noon): string => {
  const next = evolvePixbook(book.state, event, placeOf(event, hereIn(book, at)));
  return next.ok ? 'legal' : next.error.detail;
};

export const live = (book: Book): LivePixbook => {
  if (book.state.status === 'absent') throw new Error('there is no such book');
  return book.state;
};

/** The last receipt of a book, as another stream cites it. */
export const headOf = (book: Book): Citation => {
  const last = book.log.at(-1);
  if (last === undefined) throw new Error('the book is empty');
  return { eventId: last.place.eventId, hash: last.place.hash };
};

/** The copies a book holds, by id: of which card, and kept by which trade. */
export const shelf = (book: Book) => Object.fromEntries(live(book).cards);

/** The shelf that holds these copies and no others, free or in escrow of a trade. */
export const shelfOf = (copies: readonly Instance[], escrow: TradeId | null = null) =>
  Object.fromEntries(copies.map(({ instanceId, cardId }) => [instanceId, { cardId, escrow }]));

/** One of the copies that packs and grants brought a book, by the order in which they came. */
export const copyOf = (book: Book, n: number): Instance => {
  const added = book.log.flatMap(({ event }) =>
    event.type === 'PACK_ISSUED' || event.type === 'CARD_ADDED' ? event.payload.cards : [],
  )[n];
  if (added === undefined) throw new Error(`the book never got ${n + 1} copies`);
  return added;
};
export const idOf = (book: Book, n: number): InstanceId => copyOf(book, n).instanceId;

/** Commands. */
export const creates = ({ owner: { identityId, generation }, collectionId }: Book): PixbookCommand => ({
  type: 'create-pixbook',
  identityId,
  collectionId,
  generation,
});
export const adds = (...cards: readonly CardId[]): PixbookCommand => ({
  type: 'add-cards',
  cardIds: cards,
  reason: 'a gift',
  collection: catalogue,
});
export const removes = (...instanceIds: readonly InstanceId[]): PixbookCommand => ({
  type: 'remove-cards',
  instanceIds,
  reason: 'misprint',
});
export const closes: PixbookCommand = { type: 'close' };

type IssuePack = Extract<PixbookCommand, { type: 'issue-pack' }>;
export const issuesOf = (
  { owner }: Book,
  dropId: DropId = openDrop,
  cards: readonly CardId[] = [crane, dove, eagle],
): IssuePack => ({
  type: 'issue-pack',
  packId: dropPackIdFor(dropId, owner.bookId),
  dropId,
  claim: null,
  collection: catalogue,
  pool: cited('pool'),
  cards,
});
export const issuesByCode = (code: string, dropId: DropId = openDrop): IssuePack => ({
  type: 'issue-pack',
  packId: codePackIdFor(codeIdOf(code)),
  dropId,
  claim: { codeId: codeIdOf(code), ...cited(`claim of ${code}`) },
  collection: catalogue,
  pool: cited('pool'),
  cards: [finch, dove, crane],
});

export const gift: Want = { instanceIds: [], cardIds: [] };
type OfferTrade = Extract<PixbookCommand, { type: 'offer-trade' }>;
export const offersTo = (
  to: Book,
  give: readonly InstanceId[],
  want: Partial<Want> = {},
  expiresAt = later(hour),
): OfferTrade => ({
  type: 'offer-trade',
  to: to.owner,
  collectionId: to.collectionId,
  give,
  want: { ...gift, ...want },
  expiresAt,
});

/** A book of this name, created, with one copy of each of these cards. */
export const bookWith = (name: string, ...cards: readonly CardId[]): Book => {
  const book = bookOf(name);
  return cards.length === 0 ? after(book, creates(book)) : after(book, creates(book), adds(...cards));
};
