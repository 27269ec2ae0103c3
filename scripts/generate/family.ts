import { identityIdFor } from '../../src/receipt/ids.ts';
import type { Offered } from './market.ts';
import { type Family, type Neighbourhood, type OpenBook, does, newcomer } from './neighbourhood.ts';

/** A new account, with the user who asked as its owner: one receipt. */
export const newFamily = async (here: Neighbourhood): Promise<Family> => {
  const owner = newcomer(here);
  const { stream } = await does(here, owner, (context) => here.commands.createAccount(context));
  if (stream.type !== 'account') throw new Error('an account has a stream of its own');
  return { accountId: stream.accountId, owner, plan: 'free' };
};

/** A new identity of a family, controlled by its owner, and a book of each of these collections: one receipt each. */
export const newCollector = async (
  here: Neighbourhood,
  { accountId, owner }: Family,
  collections: readonly Offered[],
): Promise<readonly OpenBook[]> => {
  const { key } = await does(here, owner, (context) => here.commands.createIdentity(context, accountId, owner));
  const identityId = identityIdFor(accountId, key);
  const books: OpenBook[] = [];
  for (const collection of collections)
    books.push(await newBook(here, { accountId, identityId, signer: owner, collection, standing: false }));
  return books;
};

/** A book of the collection, the identity's next generation of it: one receipt. It has had no pack. */
export const newBook = async (here: Neighbourhood, owned: Omit<OpenBook, 'bookId' | 'drops'>): Promise<OpenBook> => {
  const { accountId, identityId, signer, collection } = owned;
  const wanted = { accountId, identityId, collectionId: collection.collectionId };
  const { stream } = await does(here, signer, (context) => here.commands.createPixbook(context, wanted));
  if (stream.type !== 'pixbook') throw new Error('a pixbook has a stream of its own');
  return { ...owned, bookId: stream.bookId, drops: [...collection.drops] };
};
