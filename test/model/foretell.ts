import { OPERATOR_ACCOUNT_ID, bookIdFor } from '../../src/receipt/ids.ts';
import type { LedgerEvent } from '../../src/stream/event.ts';
import { issuer } from '../domain/publication.ts';
import type { Command, CommandOf } from './command.ts';
import { foretellCode } from './foretell-code.ts';
import { foretellTrade } from './foretell-trade.ts';
import { type Foretold, done, refused } from './foretold.ts';
import { learnPack } from './learn-pack.ts';
import { type Book, type Collection, type Reckoning, notAllowed, notFree, openTradesOf, poolOf } from './reckoning.ts';

/** Says what will come of a command at this time, and takes it in. */
export const foretell = (reckoning: Reckoning, command: Command, nowMs: number): Foretold => {
  const denied = denialOf(reckoning, command);
  if (denied !== null) return refused(denied);
  switch (command.verb) {
    case 'offer':
    case 'accept':
    case 'decline':
    case 'cancel':
      return foretellTrade(reckoning, command, nowMs);
    case 'create-code':
    case 'revoke-code':
    case 'claim-code':
      return foretellCode(reckoning, command);
    case 'open-drop':
    case 'close-drop':
    case 'retire-series':
      return foretellCollection(reckoning, command);
    case 'revoke-identity': {
      const identity = reckoning.identities.get(command.identityId);
      if (identity?.isRevoked !== false) return refused('identity-revoked');
      identity.isRevoked = true;
      return done;
    }
    case 'create-book':
      return createBook(reckoning, command);
    default:
      return foretellBook(reckoning, command);
  }
};

/** Who may not do this, whatever else is true. A replayed key is answered only after this. */
export const denialOf = (reckoning: Reckoning, command: Command): string | null => {
  const { userId, verb } = command;
  const ofBook = (book: Book | undefined): string | null =>
    book === undefined ? 'not-found' : notAllowed(reckoning, userId, book.identityId);
  const intoBook = (book: Book | undefined): string | null => {
    if (userId !== issuer) return 'forbidden';
    if (book === undefined) return 'not-found';
    return reckoning.identities.get(book.identityId)?.isRevoked ? 'identity-revoked' : null;
  };
  switch (verb) {
    case 'issue-pack':
      return (command.byIssuer ? intoBook : ofBook)(reckoning.books.get(command.bookId));
    case 'add-cards':
    case 'remove-cards':
      return intoBook(reckoning.books.get(command.bookId));
    case 'create-code':
    case 'revoke-code':
    case 'open-drop':
    case 'close-drop':
    case 'retire-series':
      return reckoning.roles.get(OPERATOR_ACCOUNT_ID)?.has(userId) ? null : 'forbidden';
    case 'cancel':
      return ofBook(reckoning.books.get(command.from));
    case 'create-book':
      return notAllowed(reckoning, userId, command.identityId);
    case 'revoke-identity': {
      const denial = notAllowed(reckoning, userId, command.identityId);
      return denial === 'identity-revoked' ? null : denial;
    }
    default:
      return ofBook(reckoning.books.get(command.bookId));
  }
};

const createBook = (reckoning: Reckoning, { identityId, collectionId }: CommandOf<'create-book'>): Foretold => {
  const earlier = [...reckoning.books.values()].filter(
    (book) => book.identityId === identityId && book.collectionId === collectionId,
  );
  if (earlier.some(({ isClosed }) => !isClosed)) return refused('pixbook-exists');
  const accountId = reckoning.identities.get(identityId)?.accountId ?? OPERATOR_ACCOUNT_ID;
  const bookId = bookIdFor(identityId, collectionId, earlier.length + 1);
  reckoning.books.set(bookId, { accountId, bookId, identityId, collectionId, isClosed: false, packs: new Map() });
  return done;
};

type BookCommand = CommandOf<'close-book' | 'save' | 'issue-pack' | 'open-pack' | 'add-cards' | 'remove-cards'>;

const foretellBook = (reckoning: Reckoning, command: BookCommand): Foretold => {
  const book = reckoning.books.get(command.bookId);
  if (book === undefined) return refused('not-found');
  if (book.isClosed) return refused('pixbook-closed');
  const collection = reckoning.collections.get(book.collectionId);
  switch (command.verb) {
    case 'close-book':
      if (openTradesOf(reckoning, book.bookId) > 0) return refused('trade-pending');
      book.isClosed = true;
      return done;
    case 'save':
      return command.isStale ? refused('stale-base') : done;
    case 'issue-pack':
      return issuePack(reckoning, book, collection, command);
    case 'open-pack': {
      const pack = book.packs.get(command.packId);
      if (pack === undefined) return refused('pack-missing');
      if (pack.isOpened) return refused('pack-opened');
      pack.isOpened = true;
      return done;
    }
    case 'add-cards':
      return addCards(reckoning, book, collection, command);
    case 'remove-cards': {
      const fault = notFree(reckoning, book.bookId, command.instanceIds);
      if (fault !== null) return refused(fault);
      for (const instanceId of command.instanceIds) reckoning.copies.delete(instanceId);
      return done;
    }
  }
};

const addCards = (
  { copies }: Reckoning,
  { bookId }: Book,
  collection: Collection | undefined,
  { cardIds }: CommandOf<'add-cards'>,
): Foretold => {
  if (cardIds.some((cardId) => !collection?.cards.some((card) => card.cardId === cardId))) return refused('card-missing');
  const learn = (event: LedgerEvent): void => {
    if (event.type !== 'CARD_ADDED') throw new Error(`${event.type} is no grant`);
    for (const { instanceId, cardId } of event.payload.cards) copies.set(instanceId, { cardId, owner: bookId, keptBy: null });
  };
  return { code: 'ok', learn };
};

const issuePack = (
  reckoning: Reckoning,
  book: Book,
  collection: Collection | undefined,
  { dropId }: CommandOf<'issue-pack'>,
): Foretold => {
  if ([...book.packs.values()].some((pack) => pack.dropId === dropId)) return refused('pack-issued');
  const drop = collection?.drops.get(dropId);
  if (collection === undefined || drop === undefined) return refused('drop-missing');
  if (!drop.isOpen) return refused('drop-closed');
  if (poolOf(collection).length < drop.packSize) return refused('pool-too-small');
  return { code: 'ok', learn: learnPack(reckoning, book, collection, dropId) };
};

const foretellCollection = (
  { collections }: Reckoning,
  command: CommandOf<'open-drop' | 'close-drop' | 'retire-series'>,
): Foretold => {
  const collection = collections.get(command.collectionId);
  if (collection === undefined) return refused('collection-missing');
  switch (command.verb) {
    case 'open-drop': {
      const { packSize } = command;
      if (packSize > poolOf(collection).length) return refused('pool-too-small');
      const learn = (event: LedgerEvent): void => {
        if (event.type === 'DROP_OPENED') collection.drops.set(event.payload.dropId, { isOpen: true, packSize });
      };
      return { code: 'ok', learn };
    }
    case 'close-drop': {
      const drop = collection.drops.get(command.dropId);
      if (drop === undefined) return refused('drop-missing');
      if (!drop.isOpen) return refused('drop-closed');
      drop.isOpen = false;
      return done;
    }
    case 'retire-series':
      if (!collection.cards.some(({ seriesId }) => seriesId === command.seriesId)) return refused('series-missing');
      if (collection.retired.has(command.seriesId)) return refused('series-retired');
      collection.retired.add(command.seriesId);
      return done;
  }
};
