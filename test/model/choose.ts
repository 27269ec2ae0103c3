import fc from 'fast-check';
import {
  type BookId,
  type CardId,
  type CodeId,
  type InstanceId,
  type PackId,
  type TradeId,
  type UserId,
  derivedUlid,
} from '../../src/receipt/ids.ts';
import { issuer } from '../domain/publication.ts';
import type { Command, Interruption } from './command.ts';
import { type Book, type Reckoning, shows } from './reckoning.ts';
import { users } from './scene.ts';

/** How often each thing is tried, of all of these together. */
const WEIGHTS = {
  offer: 8,
  accept: 10,
  decline: 2,
  cancel: 3,
  'create-code': 3,
  'claim-code': 5,
  'revoke-code': 1,
  'issue-pack': 4,
  'open-pack': 2,
  'add-cards': 3,
  'remove-cards': 2,
  'create-book': 2,
  'close-book': 1,
  save: 2,
  'open-drop': 1,
  'close-drop': 1,
  'retire-series': 1,
  'revoke-identity': 1,
  /** The service expires an offer, works its redo outbox; an hour passes; the projection is wiped; a process starts anew; a request comes again. */
  expire: 3,
  redo: 3,
  hour: 2,
  wipe: 1,
  restart: 1,
  again: 4,
} as const;
type Verb = keyof typeof WEIGHTS;

/** One step of a run. The numbers choose among what there is by then, so that every sequence can be tried and shrinks well. */
export type Step = {
  readonly verb: Verb;
  readonly who: number;
  readonly a: number;
  readonly b: number;
  readonly c: number;
  readonly d: number;
};

const LAST = 11;
const number = fc.nat({ max: LAST });
const verb = fc.oneof(
  ...(Object.keys(WEIGHTS) as Verb[]).map((name) => ({ arbitrary: fc.constant(name), weight: WEIGHTS[name] })),
);

export const steps = (length: { readonly minLength: number; readonly maxLength: number }): fc.Arbitrary<readonly Step[]> =>
  fc.array(fc.record({ verb, who: number, a: number, b: number, c: number, d: number }), { ...length, size: 'max' });

export const chosen = <T>(from: Iterable<T>, n: number): T | undefined => {
  const all = [...from];
  return all[n % Math.max(1, all.length)];
};

/** Mostly whoever may; now and then anybody. */
const somebody = ({ identities }: Reckoning, book: Pick<Book, 'identityId'> | undefined, who: number): UserId => {
  const rightful = book === undefined ? undefined : identities.get(book.identityId)?.controller;
  return (who < LAST - 1 ? rightful : chosen(users, who)) ?? issuer;
};
const someIssuer = (who: number): UserId => (who === LAST ? (chosen(users, who) ?? issuer) : issuer);

const shelfOf = (reckoning: Reckoning, bookId: BookId): readonly InstanceId[] =>
  [...reckoning.copies.keys()].filter((instanceId) => shows(reckoning, bookId, instanceId));

/** Some copies of a book, or (when the die says so, or it has none) of anybody. */
const someCopies = (reckoning: Reckoning, bookId: BookId, n: number, count: number): readonly InstanceId[] => {
  const shelf = n === LAST ? [] : shelfOf(reckoning, bookId);
  const from = shelf.length === 0 ? [...reckoning.copies.keys()] : shelf;
  return Array.from({ length: Math.min(count, from.length) }, (_, i) => chosen(from, n + i)).filter((id) => id !== undefined);
};

const NOBODYS_TRADE = `trd_${derivedUlid('test/event', 'nobody')}` as TradeId;
const NOBODYS_PACK = `pck_${derivedUlid('test/pack', 'nobody')}` as PackId;
const NOBODYS_CODE = `cod_${derivedUlid('test/code', 'nobody')}` as CodeId;

/** The command that a step means now; null when there is nothing it could mean. */
export const commandOf = (reckoning: Reckoning, step: Step, n: number, nowMs: number): Command | null => {
  const { books } = reckoning;
  const book = chosen(books.values(), step.a);
  if (book === undefined) return null;
  const asked = { userId: somebody(reckoning, book, step.who), key: `step-${n}`, interruption: null };
  const byIssuer = { ...asked, userId: someIssuer(step.who) };
  const { bookId } = book;
  switch (step.verb) {
    case 'offer':
      return offerOf(reckoning, step, { ...asked, bookId }, nowMs);
    case 'accept':
    case 'decline':
    case 'cancel':
      return tradeCommandOf(reckoning, step, `step-${n}`);
    case 'create-code':
    case 'claim-code':
    case 'revoke-code':
      return codeCommandOf(reckoning, step, n);
    case 'issue-pack': {
      const dropId = chosen(
        [...reckoning.collections.values()].flatMap(({ drops }) => [...drops.keys()]),
        step.b,
      );
      const isIssuer = step.c % 3 === 0;
      return dropId === undefined
        ? null
        : { ...(isIssuer ? byIssuer : asked), verb: 'issue-pack', bookId, dropId, byIssuer: isIssuer };
    }
    case 'open-pack':
      return { ...asked, verb: 'open-pack', bookId, packId: chosen(book.packs.keys(), step.b) ?? NOBODYS_PACK };
    case 'add-cards': {
      const catalogue = reckoning.collections.get(book.collectionId)?.cards.map(({ cardId }) => cardId) ?? [];
      const cardIds = [step.b, step.c].slice(0, 1 + (step.d % 2)).map((at) => chosen(catalogue, at) ?? ('none' as CardId));
      return { ...byIssuer, verb: 'add-cards', bookId, cardIds: step.d === LAST ? ['no-such-card' as CardId] : cardIds };
    }
    case 'remove-cards':
      return { ...byIssuer, verb: 'remove-cards', bookId, instanceIds: someCopies(reckoning, bookId, step.b, 1 + (step.c % 2)) };
    case 'close-book':
      return { ...asked, verb: 'close-book', bookId };
    case 'save':
      return { ...asked, verb: 'save', bookId, isStale: step.b % 3 === 0 };
    default:
      return otherCommandOf(reckoning, step, byIssuer);
  }
};

type Asked = Pick<Command, 'userId' | 'key' | 'interruption'>;

const otherCommandOf = (reckoning: Reckoning, { verb: name, who, a, b, c }: Step, byIssuer: Asked): Command | null => {
  const [collectionId, collection] = chosen(reckoning.collections, b) ?? [];
  const [identityId] = chosen(reckoning.identities, a) ?? [];
  if (collectionId === undefined || collection === undefined || identityId === undefined) return null;
  const byOwner = { ...byIssuer, userId: somebody(reckoning, { identityId }, who) };
  switch (name) {
    case 'create-book':
      return { ...byOwner, verb: name, identityId, collectionId };
    case 'revoke-identity':
      // Seldom: nobody comes back from it.
      return c < 3 ? { ...byOwner, verb: name, identityId } : null;
    case 'open-drop':
      return { ...byIssuer, verb: name, collectionId, packSize: 1 + (c % 4) };
    case 'close-drop': {
      const dropId = chosen(collection.drops.keys(), c);
      return dropId === undefined ? null : { ...byIssuer, verb: name, collectionId, dropId };
    }
    case 'retire-series': {
      const seriesId = chosen(collection.cards, c)?.seriesId;
      return seriesId === undefined ? null : { ...byIssuer, verb: name, collectionId, seriesId };
    }
    default:
      return null;
  }
};

const offerOf = (
  reckoning: Reckoning,
  { b, c, d }: Step,
  asked: Asked & { readonly bookId: BookId },
  nowMs: number,
): Command | null => {
  const others = [...reckoning.books.keys()].filter((bookId) => bookId !== asked.bookId);
  const to = d === LAST - 1 ? asked.bookId : chosen(others, b);
  if (to === undefined) return null;
  const give = someCopies(reckoning, asked.bookId, c, 1 + (c % 2));
  const wanted = chosen(shelfOf(reckoning, to), c);
  const cardId = wanted === undefined ? undefined : reckoning.copies.get(wanted)?.cardId;
  const want = {
    instanceIds: d % 4 === 2 && wanted !== undefined ? [wanted] : [],
    cardIds: d % 4 === 3 && cardId !== undefined ? [cardId] : [],
  };
  const expiresMs = nowMs + (d === LAST ? 1_000 : (1 + (d % 3)) * 3_600_000);
  return give.length === 0 ? null : { ...asked, verb: 'offer', to, give, want, expiresMs };
};

const STOPS: readonly (Interruption | null)[] = [
  'CARD_TRADE_ACCEPTED',
  'CARD_TRADE_SETTLED',
  'CARD_TRADE_RELEASED',
  null,
  null,
  null,
];

const tradeCommandOf = (reckoning: Reckoning, { verb: name, who, a, b, c, d }: Step, key: string): Command | null => {
  const { trades, books, copies } = reckoning;
  const standing = [...trades.values()].filter(({ status }) => status === 'offered');
  const trade = chosen(a % 4 === 0 || standing.length === 0 ? trades.values() : standing, a);
  const from = trade?.from ?? chosen(books.keys(), a);
  const bookId = d === LAST || trade === undefined ? chosen(books.keys(), b) : trade.to;
  // Of a trade that never was, once in a while.
  if (from === undefined || bookId === undefined || (trade === undefined && d % 4 > 0)) return null;
  const tradeId = trade?.tradeId ?? NOBODYS_TRADE;
  const interruption = chosen(STOPS, b) ?? null;
  if (name === 'cancel')
    return { userId: somebody(reckoning, books.get(from), who), key, interruption, verb: name, from, tradeId };
  const asked = { userId: somebody(reckoning, books.get(bookId), who), key, interruption, from, bookId, tradeId };
  if (name === 'decline') return { ...asked, verb: name };
  const free = shelfOf(reckoning, bookId);
  const fitting = (trade?.want.cardIds ?? []).flatMap(
    (cardId) =>
      chosen(
        free.filter((instanceId) => copies.get(instanceId)?.cardId === cardId),
        c,
      ) ?? [],
  );
  return { ...asked, verb: 'accept', give: c === LAST ? free.slice(0, 1) : fitting };
};

const codeCommandOf = (reckoning: Reckoning, { verb: name, who, a, b, c, d }: Step, n: number): Command | null => {
  const { codes, books, collections } = reckoning;
  const key = `step-${n}`;
  const asked = { userId: someIssuer(who), key, interruption: null };
  const codeId = (d === LAST ? undefined : chosen(codes.keys(), b)) ?? NOBODYS_CODE;
  if (name === 'revoke-code') return { ...asked, verb: name, codeId };
  if (name === 'create-code') {
    const [collectionId, collection] = chosen(collections, a) ?? [];
    const dropId = chosen(collection?.drops.keys() ?? [], c);
    if (collectionId === undefined || dropId === undefined) return null;
    const isNew = d !== LAST || codes.size === 0;
    return {
      ...asked,
      verb: name,
      codeId: isNew ? (`cod_${derivedUlid('test/code', key)}` as CodeId) : codeId,
      collectionId,
      dropId,
    };
  }
  const book = chosen(books.values(), a);
  if (book === undefined || (codes.size === 0 && d % 4 > 0)) return null;
  const interruption = c % 4 === 0 ? 'PACK_ISSUED' : null;
  return { userId: somebody(reckoning, book, who), key, interruption, verb: 'claim-code', bookId: book.bookId, codeId };
};
