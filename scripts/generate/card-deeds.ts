import { codePackIdFor, dropPackIdFor } from '../../src/receipt/ids.ts';
import { freeCopies } from './copy.ts';
import type { Deed } from './deed.ts';
import { type Neighbourhood, type OpenBook, does } from './neighbourhood.ts';
import { savePage } from './page.ts';

/** What books go through without another one: pages, packs, codes, corrections. */

const OPENED = 0.95;
const SAVES = { least: 3, most: 8 };

const opens = async (here: Neighbourhood, book: OpenBook, packId: ReturnType<typeof codePackIdFor>): Promise<void> => {
  if (!here.chance.happens(OPENED)) return;
  await does(here, book.signer, (context) => here.commands.openPack(context, book, packId));
};

/** Pages arranged in one sitting: what fills the year, down to a single receipt. */
export const pages: Deed = {
  name: 'pages are arranged',
  ...{ weight: 62, atMost: 1 },
  play: async (here, { receipts }) => {
    const book = here.chance.oneOf(here.books);
    const saves = Math.min(receipts, here.chance.between(SAVES.least, SAVES.most));
    for (let i = 0; i < saves; i++) await savePage(here, book);
    return true;
  },
};

export const cardDeeds: readonly Deed[] = [
  {
    name: 'the pack of a drop',
    ...{ weight: 40, atMost: 2 },
    play: async (here) => {
      const book = here.chance.oneOf(here.books);
      const dropId = book.drops.shift();
      if (dropId === undefined) return false;
      await does(here, book.signer, (context) => here.commands.issuePack(context, book, { dropId, identityId: null }));
      await opens(here, book, dropPackIdFor(dropId, book.bookId));
      return true;
    },
  },
  {
    name: 'the pack of a code',
    ...{ weight: 13, atMost: 3 },
    play: async (here) => {
      const { codeId, collectionId } = here.codes.pop() ?? {};
      const books = here.books.filter(({ collection }) => collection.collectionId === collectionId);
      if (codeId === undefined || books.length === 0) return false;
      const book = here.chance.oneOf(books);
      await does(here, book.signer, (context) => here.commands.claimCode(context, book, codeId));
      await here.finishes();
      await opens(here, book, codePackIdFor(codeId));
      return true;
    },
  },
  {
    name: 'a code is revoked',
    ...{ weight: 0.7, atMost: 1 },
    play: async (here) => {
      const code = here.codes.pop();
      if (code === undefined) return false;
      const { userId, identityId } = here.market.issuer;
      await does(here, userId, (context) => here.commands.revokeCode(context, { identityId, codeId: code.codeId }));
      return true;
    },
  },
  {
    name: 'cards are granted',
    ...{ weight: 1, atMost: 1 },
    play: async (here) => {
      const book = here.chance.oneOf(here.books);
      const { userId, identityId } = here.market.issuer;
      const cardIds = [here.chance.oneOf(book.collection.cardIds), here.chance.oneOf(book.collection.cardIds)];
      const grant = { identityId, cardIds, reason: 'lost in the post' };
      await does(here, userId, (context) => here.commands.addCards(context, book, grant));
      return true;
    },
  },
  {
    name: 'a card is taken back',
    ...{ weight: 0.5, atMost: 1 },
    play: async (here) => {
      const book = here.chance.oneOf(here.books);
      const [copy] = freeCopies(here, book);
      if (copy === undefined) return false;
      const { userId, identityId } = here.market.issuer;
      const removal = { identityId, instanceIds: [copy.instanceId], reason: 'granted twice' };
      await does(here, userId, (context) => here.commands.removeCards(context, book, removal));
      return true;
    },
  },
];
