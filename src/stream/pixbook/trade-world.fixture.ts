import fc from 'fast-check';
import { type InstanceId, type Instant, type TradeId, tradeIdOf } from '../../receipt/ids.ts';
import type { Here } from '../here.ts';
import {
  type Book,
  adds,
  attempt,
  bookOf,
  cardIds,
  closes,
  collectionIdOf,
  creates,
  done,
  headOf,
  hereIn,
  issuesByCode,
  issuesOf,
  later,
  live,
  offersTo,
  openDrop,
  otherDrop,
  removes,
} from './book.fixture.ts';
import type { PixbookCommand } from './command.ts';
import type { PixbookEvent } from './event.ts';
import { type BookTrade, type PixbookState, offerIn, reservationIn } from './state.ts';
import { accepts, cancels, declines, expires, releases, reserves, settles } from './trade.fixture.ts';

/** One thing somebody tries. Numbers choose among what there is at that moment, so that anything can follow anything. */
export type Action = {
  readonly kind: (typeof kinds)[number];
  readonly book: number;
  readonly other: number;
  /** 0 is the trade offered last. */
  readonly trade: number;
  readonly give: readonly number[];
  readonly want: readonly number[];
  /** Whether the choices are made by someone who tries to be refused. */
  readonly hostile: boolean;
  readonly passesMs: number;
};

const kinds = [
  'issue-pack',
  'issue-by-code',
  'open-pack',
  'add-cards',
  'remove-cards',
  'save',
  'close',
  'offer-trade',
  'reserve-trade',
  'accept-trade',
  'settle-trade',
  'release-trade',
  'decline-trade',
  'cancel-trade',
  'expire-trade',
] as const;
const often = { 'offer-trade': 6, 'reserve-trade': 8, 'accept-trade': 8, 'settle-trade': 5, 'release-trade': 4 };
const weightOf = (kind: Action['kind']): number =>
  (({ ...often, 'add-cards': 2, 'expire-trade': 2 }) as Partial<Record<string, number>>)[kind] ?? 1;

export const actions = (length: number): fc.Arbitrary<Action[]> =>
  fc.array(
    fc.record({
      kind: fc.oneof(...kinds.map((kind) => ({ weight: weightOf(kind), arbitrary: fc.constant(kind) }))),
      book: fc.nat(99),
      other: fc.nat(99),
      trade: fc.oneof({ weight: 4, arbitrary: fc.nat(1) }, { weight: 1, arbitrary: fc.nat(9) }),
      give: fc.array(fc.nat(99), { minLength: 1, maxLength: 3 }),
      want: fc.array(fc.nat(99), { maxLength: 2 }),
      hostile: fc.integer({ min: 0, max: 5 }).map((die) => die === 0),
      passesMs: fc.oneof({ weight: 9, arbitrary: fc.constant(1_000) }, { weight: 1, arbitrary: fc.constant(90_000) }),
    }),
    { minLength: length, maxLength: length },
  );

/** Several books, in one of two collections, whose trades are driven by a shell that keeps nothing in mind. */
export type World = {
  readonly books: readonly Book[];
  readonly now: Instant;
  /** Every trade offered so far, with the book it was offered from. */
  readonly trades: readonly { readonly tradeId: TradeId; readonly offerer: number }[];
  /** Codes, and the book that claimed each first. */
  readonly claims: ReadonlyMap<string, number>;
};

/** What was tried in a world, and what came of it. */
export type Step = {
  readonly book: number;
  readonly command: PixbookCommand;
  readonly here: Here;
  readonly before: PixbookState;
  /** The event, or the code of the refusal. */
  readonly outcome: PixbookEvent | string;
};

export const newWorld = (start: Instant): World => ({
  books: ['anna', 'ben', 'cleo', 'dan'].map((name, n) => {
    const book = bookOf(name, n === 3 ? collectionIdOf('fish') : undefined);
    const created = done(book, creates(book), start);
    return done(created, adds(...cardIds.slice(n, n + 3)), start);
  }),
  now: start,
  trades: [],
  claims: new Map(),
});

export const bookIn = ({ books }: World, n: number): Book => {
  const book = books[n];
  if (book === undefined) throw new Error('there is no such book');
  return book;
};

/** The book a trade was offered to. */
export const accepterOf = (world: World, trade: World['trades'][number]): number => {
  const offer = offerIn(live(bookIn(world, trade.offerer)), trade.tradeId);
  return world.books.findIndex(({ owner }) => owner.bookId === offer?.to.bookId);
};

/** One action: nothing when the shell finds nothing to ask for, else the world after it and what was tried. */
export const act = (before: World, action: Action): { readonly world: World; readonly step: Step | null } => {
  const world = { ...before, now: later(action.passesMs, before.now) };
  const asked = commandOf(world, action);
  return asked === null ? { world, step: null } : ask(world, asked.book, asked.command, asked.claims);
};

export const ask = (world: World, n: number, command: PixbookCommand, claims = world.claims) => {
  const book = bookIn(world, n);
  const next = attempt(book, command, world.now);
  const step = { book: n, command, here: hereIn(book, world.now), before: book.state };
  if (!next.ok) return { world: { ...world, claims }, step: { ...step, outcome: next.error.code } };
  const event = next.value.log.at(-1)?.event;
  if (event === undefined) throw new Error('unreachable');
  const offered = event.type === 'CARD_TRADE_OFFERED' ? [{ tradeId: tradeIdOf(headOf(next.value).eventId), offerer: n }] : [];
  const books = world.books.with(n, next.value);
  return { world: { ...world, books, claims, trades: [...world.trades, ...offered] }, step: { ...step, outcome: event } };
};

type Asked = { readonly book: number; readonly command: PixbookCommand; readonly claims?: World['claims'] };

const commandOf = (world: World, action: Action): Asked | null => {
  // The fourth book is of another collection and only there to be offered to.
  const book = action.book % (action.hostile ? 4 : 3);
  const of = (command: PixbookCommand): Asked => ({ book, command });
  const drop = action.other % 2 === 0 ? openDrop : otherDrop;
  switch (action.kind) {
    case 'issue-pack':
      return of(issuesOf(bookIn(world, book), drop));
    case 'issue-by-code': {
      const code = String(action.other % 5);
      const claims = new Map(world.claims).set(code, world.claims.get(code) ?? book);
      return { book: claims.get(code) ?? book, command: issuesByCode(code, drop), claims };
    }
    case 'open-pack':
      return of({ type: 'open-pack', packId: issuesOf(bookIn(world, book), drop).packId });
    case 'add-cards':
      return of(adds(...action.give.map((n) => pick(cardIds, n))));
    case 'remove-cards':
      return of(removes(...copiesFor(world, book, action).slice(0, 1)));
    case 'save':
      return of({
        type: 'save',
        state: {},
        baseEventId: headOf(bookIn(world, action.hostile ? action.other % 4 : book)).eventId,
      });
    case 'close':
      return action.hostile && action.other % 4 === 0 ? of(closes) : null;
    case 'offer-trade':
      return of(offerBy(world, book, action));
    default:
      return commandOfTrade(world, action, action.kind);
  }
};

const offerBy = (world: World, book: number, action: Action): PixbookCommand => {
  const to = bookIn(world, action.hostile ? action.other % 4 : (book + 1 + (action.other % 2)) % 3);
  const theirs = [...live(to).cards];
  const chosen = theirs.length === 0 ? [] : action.want.map((n) => pick(theirs, n));
  const byCopy = action.other % 3 === 0;
  const want = {
    instanceIds: byCopy ? chosen.map(([instanceId]) => instanceId) : [],
    cardIds: byCopy ? [] : chosen.map(([, { cardId }]) => cardId),
  };
  return offersTo(to, copiesFor(world, book, action).slice(0, 2), want, later(120_000, world.now));
};

/** Copies to give: those the book can part with or, by someone hostile, any that any book ever got. */
const copiesFor = (world: World, book: number, action: Action): readonly InstanceId[] => {
  const everywhere = world.books.flatMap(({ log }) =>
    log.flatMap(({ event }) => (event.type === 'CARD_ADDED' || event.type === 'PACK_ISSUED' ? event.payload.cards : [])),
  );
  if (action.hostile) return action.give.map((n) => pick(everywhere, n).instanceId);
  const free = [...live(bookIn(world, book)).cards].filter(([, { escrow }]) => escrow === null).map(([instanceId]) => instanceId);
  return free.length === 0
    ? action.give.map((n) => pick(everywhere, n).instanceId)
    : [...new Set(action.give.map((n) => pick(free, n)))];
};

type TradeStep =
  | 'reserve-trade'
  | 'accept-trade'
  | 'settle-trade'
  | 'release-trade'
  | 'decline-trade'
  | 'cancel-trade'
  | 'expire-trade';

/** As the shell does it: what another book says is read there, and what it does not say yet is not asked for. */
const commandOfTrade = (world: World, action: Action, kind: TradeStep): Asked | null => {
  const trade = world.trades.at(-1 - (action.trade % Math.max(1, world.trades.length)));
  if (trade === undefined) return null;
  const { tradeId, offerer } = trade;
  const accepter = accepterOf(world, trade);
  const [theirs, ours] = [bookIn(world, offerer), bookIn(world, accepter)];
  const offer = offerIn(live(theirs), tradeId);
  const reservation = reservationIn(live(ours), tradeId);
  switch (kind) {
    case 'reserve-trade': {
      const book = action.hostile ? action.book % 4 : accepter;
      const give = action.hostile ? copiesFor(world, book, action) : copiesWanted(bookIn(world, book), offer);
      return { book, command: reserves(theirs, tradeId, ...give) };
    }
    case 'accept-trade':
      return reservation === null ? null : { book: offerer, command: accepts(ours, tradeId) };
    case 'settle-trade':
      return offer?.status === 'accepted' ? { book: accepter, command: settles(theirs, tradeId) } : null;
    case 'release-trade':
      return offer?.end && offer.status !== 'accepted' ? { book: accepter, command: releases(theirs, tradeId) } : null;
    case 'decline-trade':
      return { book: offerer, command: declines(tradeId) };
    case 'cancel-trade':
      return { book: offerer, command: cancels(tradeId) };
    case 'expire-trade':
      return { book: offerer, command: expires(tradeId) };
  }
};

/** Free copies of the cards that an offer wants, as far as the book has them. */
const copiesWanted = (book: Book, offer: Extract<BookTrade, { side: 'offerer' }> | null): readonly InstanceId[] => {
  const free = [...live(book).cards].filter(([, { escrow }]) => escrow === null);
  return (offer?.want.cardIds ?? []).flatMap((cardId) => {
    const at = free.findIndex(([, held]) => held.cardId === cardId);
    return at === -1 ? [] : free.splice(at, 1).map(([instanceId]) => instanceId);
  });
};

const pick = <T>(from: readonly T[], n: number): T => {
  const picked = from[n % from.length];
  if (picked === undefined) throw new Error('nothing to pick from');
  return picked;
};
