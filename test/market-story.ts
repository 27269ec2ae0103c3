import {
  type CodeId,
  type CollectionId,
  type DropId,
  type IdempotencyKey,
  type TradeId,
  dropIdFor,
  epochMsOf,
  tradeIdOf,
} from '../src/receipt/ids.ts';
import type { StreamOf } from '../src/receipt/stream.ts';
import { addCards, packCommand } from './ledger-cards.ts';
import {
  cardId,
  claimCommand,
  openDrop,
  openDropCommand,
  publishCollection,
  smallCatalogue,
  unsealedSeed,
} from './ledger-collection.ts';
import { type FixtureLedger, codeId, userId } from './ledger-fixture.ts';
import { codeIn, collectionIn, liveBookIn } from './ledger-state.ts';
import { offerCommand, tradeIn, tradeStep } from './ledger-trade.ts';

type Book = StreamOf<'pixbook'>;

/** A collection, and books that collect it, for stories to choose from. */
export type Market = {
  readonly ledger: FixtureLedger;
  readonly collectionId: CollectionId;
  readonly books: readonly Book[];
  readonly drops: DropId[];
  readonly codes: CodeId[];
  readonly trades: TradeId[];
};

/** Two books with a few copies each, and an open drop. */
export const openMarket = async (ledger: FixtureLedger): Promise<Market> => {
  const collectionId = await publishCollection(ledger);
  const books: Book[] = [];
  for (const name of ['market-1', 'market-2']) {
    const { accountId } = await ledger.createAccount(userId(name));
    const identityId = await ledger.createIdentity(accountId, userId(name));
    books.push(await ledger.createPixbook(accountId, identityId, collectionId));
  }
  for (const book of books) await addCards(ledger, book, ['pond-1', 'pond-1', 'sky-2'].map(cardId));
  return { ledger, collectionId, books, drops: [await openDrop(ledger, collectionId)], codes: [], trades: [] };
};

/** What may happen in it. The numbers of a step choose among what there is; what cannot be leaves no receipt. */
type Happening = (market: Market, step: MarketStep, choices: { readonly key: IdempotencyKey }) => Promise<unknown>;
export type MarketStep = { readonly who: number; readonly where: number; readonly what: number };

const chosen = <T>(from: readonly T[], n: number): T | undefined => from[n % Math.max(1, from.length)];

/** Of the copies a book holds, one in escrow too. */
const copyIn = ({ ledger }: Market, book: Book, n: number) => chosen([...liveBookIn(ledger, book).cards.keys()].sort(), n);

const bookAt = ({ books }: Market, n: number): Book => {
  const book = chosen(books, n);
  if (book === undefined) throw new RangeError('a market without books');
  return book;
};

export const happenings = {
  publish: async ({ ledger, collectionId }, { what }, choices) => {
    const state = collectionIn(ledger, collectionId);
    const version = (state.status === 'absent' ? 0 : state.version) + (what < 4 ? 1 : 0);
    await ledger.collection(collectionId, smallCatalogue(version), choices);
  },
  'retire-series': async ({ ledger, collectionId }, { where }, choices) => {
    const seriesId = chosen(smallCatalogue().series, where)?.seriesId;
    if (seriesId) await ledger.collection(collectionId, { type: 'retire-series', seriesId }, choices);
  },
  'open-drop': async ({ ledger, collectionId, drops }, { what }, choices) => {
    const dropId = dropIdFor(collectionId, choices.key);
    const command = await openDropCommand(ledger, collectionId, dropId, { packSize: 1 + what });
    if ((await ledger.collection(collectionId, command, choices)).ok) drops.push(dropId);
  },
  'close-drop': async ({ ledger, collectionId, drops }, { where }, choices) => {
    const dropId = chosen(drops, where);
    if (dropId === undefined) return;
    const seed = await unsealedSeed(ledger, collectionId, dropId);
    await ledger.collection(collectionId, { type: 'close-drop', dropId, seed }, choices);
  },
  'create-code': async ({ ledger, collectionId, drops, codes }, { where }, choices) => {
    const dropId = chosen(drops, where);
    const id = codeId(choices.key);
    if (dropId === undefined) return;
    const made = await ledger.code(id, { type: 'create-code', collectionId, dropId, batchId: null }, choices);
    if (made.ok) codes.push(id);
  },
  'claim-code': async (market, { who, where }, choices) => {
    const code = chosen(market.codes, where);
    if (code !== undefined) await market.ledger.code(code, claimCommand(market.ledger, bookAt(market, who)), choices);
  },
  'issue-code-pack': async ({ ledger, books, codes }, { where }, choices) => {
    const code = chosen(codes, where);
    const state = code === undefined ? undefined : codeIn(ledger, code);
    const book = books.find(({ bookId }) => state?.status === 'claimed' && state.claim.bookId === bookId);
    if (code !== undefined && book !== undefined) await ledger.pixbook(book, await packCommand(ledger, book, { code }), choices);
  },
  'revoke-code': async ({ ledger, codes }, { where }, choices) => {
    const code = chosen(codes, where);
    if (code !== undefined) await ledger.code(code, { type: 'revoke-code' }, choices);
  },
  'issue-pack': async (market, { who, where }, choices) => {
    const book = bookAt(market, who);
    const dropId = chosen(market.drops, where);
    if (dropId !== undefined) await market.ledger.pixbook(book, await packCommand(market.ledger, book, { dropId }), choices);
  },
  'open-pack': async (market, { who, what }, choices) => {
    const book = bookAt(market, who);
    const packId = chosen([...liveBookIn(market.ledger, book).packs.keys()].sort(), what);
    if (packId !== undefined) await market.ledger.pixbook(book, { type: 'open-pack', packId }, choices);
  },
  'add-cards': async (market, { who, what }, choices) => {
    const collection = collectionIn(market.ledger, market.collectionId);
    const cardIds = ['reed-1', what === 5 ? 'no-such-card' : `sky-${what + 1}`].map(cardId);
    await market.ledger.pixbook(bookAt(market, who), { type: 'add-cards', cardIds, reason: 'luck', collection }, choices);
  },
  'remove-cards': async (market, { who, what }, choices) => {
    const book = bookAt(market, who);
    const copy = copyIn(market, book, what);
    if (copy !== undefined)
      await market.ledger.pixbook(book, { type: 'remove-cards', instanceIds: [copy], reason: 'loss' }, choices);
  },
  'offer-trade': async (market, { who, where, what }, choices) => {
    const [from, to] = [bookAt(market, who), bookAt(market, who + 1)];
    const [given, wanted] = [copyIn(market, from, where), copyIn(market, to, what)];
    const cardOf = wanted && liveBookIn(market.ledger, to).cards.get(wanted)?.cardId;
    const wants = [{}, { instanceIds: wanted ? [wanted] : [] }, { cardIds: cardOf ? [cardOf] : [] }] as const;
    const terms = { give: given ? [given] : [], want: chosen(wants, what) ?? {} };
    if (terms.give.length === 0) return;
    const offer = await market.ledger.pixbook(from, offerCommand(market.ledger, to, terms), choices);
    if (offer.ok) market.trades.push(tradeIdOf(offer.value.receipt.eventId));
  },
  /** Whatever comes next to it, if anything does. */
  'go-on-with-trade': async (market, { where, what }, choices) => {
    const tradeId = chosen(market.trades, where);
    if (tradeId === undefined) return;
    const { to, offer, reservation } = tradeIn(market.ledger, tradeId);
    const cards = liveBookIn(market.ledger, to).cards;
    const give = offer.want.cardIds.flatMap((id) => [...cards].find(([, held]) => held.cardId === id)?.[0] ?? []);
    if (offer.status === 'accepted') await tradeStep(market.ledger, tradeId, 'settle-trade', choices);
    else if (offer.status !== 'offered') await tradeStep(market.ledger, tradeId, 'release-trade', choices);
    else if (reservation === null) await tradeStep(market.ledger, tradeId, 'reserve-trade', { ...choices, give });
    else await tradeStep(market.ledger, tradeId, what === 5 ? 'settle-trade' : 'accept-trade', choices);
  },
  'end-trade': async ({ ledger, trades }, { where, what }, choices) => {
    const tradeId = chosen(trades, where);
    const verb = chosen(['decline-trade', 'cancel-trade', 'expire-trade'] as const, what);
    if (tradeId === undefined || verb === undefined) return;
    if (verb === 'expire-trade') ledger.waitUntil(epochMsOf(tradeIn(ledger, tradeId).offer.expiresAt));
    await tradeStep(ledger, tradeId, verb, choices);
  },
} as const satisfies { readonly [verb: string]: Happening };

export type MarketVerb = keyof typeof happenings;
