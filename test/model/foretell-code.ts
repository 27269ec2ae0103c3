import type { CommandOf, Interruption } from './command.ts';
import { type Foretold, done, refused } from './foretold.ts';
import { learnPack } from './learn-pack.ts';
import { type Book, type Code, type Reckoning, poolOf } from './reckoning.ts';

/** What must come of a command about a code. */
export const foretellCode = (
  reckoning: Reckoning,
  command: CommandOf<'create-code' | 'revoke-code' | 'claim-code'>,
): Foretold => {
  const code = reckoning.codes.get(command.codeId);
  switch (command.verb) {
    case 'create-code': {
      const { codeId, collectionId, dropId } = command;
      const drop = reckoning.collections.get(collectionId)?.drops.get(dropId);
      if (drop === undefined) return refused('drop-missing');
      if (!drop.isOpen) return refused('drop-closed');
      if (code !== undefined) return refused('code-exists');
      reckoning.codes.set(codeId, { collectionId, dropId, status: 'open', claimant: null, hasPack: false });
      return done;
    }
    case 'revoke-code':
      if (code === undefined) return refused('code-missing');
      if (code.status !== 'open') return refused(`code-${code.status}`);
      code.status = 'revoked';
      return done;
    case 'claim-code': {
      const book = reckoning.books.get(command.bookId);
      if (book === undefined || book.isClosed) return refused('pixbook-closed');
      return claim(reckoning, book, code, command.interruption);
    }
  }
};

const claim = (reckoning: Reckoning, book: Book, code: Code | undefined, interruption: Interruption | null): Foretold => {
  if (code === undefined) return refused('code-missing');
  const collection = reckoning.collections.get(code.collectionId);
  const drop = collection?.drops.get(code.dropId);
  if (collection === undefined || drop === undefined) throw new Error('a code is worth a pack of a drop');
  if (code.status === 'revoked') return refused('code-revoked');
  if (code.status === 'claimed' && code.claimant !== book.bookId) return refused('code-claimed');
  if (code.status === 'open') {
    if (!drop.isOpen) return refused('drop-closed');
    if (poolOf(collection).length < drop.packSize) return refused('pool-too-small');
    if (book.collectionId !== code.collectionId) return refused('code-of-other-collection');
    code.status = 'claimed';
    code.claimant = book.bookId;
    // The claim is durable, and whoever made it is told that the pack will follow.
    if (interruption === 'PACK_ISSUED') return done;
  }
  return packOf(reckoning, book, code, interruption);
};

/** The pack of a claimed code, if it has not been issued. */
export const packOf = (reckoning: Reckoning, book: Book, code: Code, interruption: Interruption | null): Foretold => {
  if (code.hasPack) return done;
  const collection = reckoning.collections.get(code.collectionId);
  if (collection === undefined) throw new Error('a code is worth a pack of a collection');
  if (book.isClosed) return refused('pixbook-closed');
  if (poolOf(collection).length < (collection.drops.get(code.dropId)?.packSize ?? 0)) return refused('pool-too-small');
  if (interruption === 'PACK_ISSUED') return refused('outage');
  code.hasPack = true;
  return { code: 'ok', learn: learnPack(reckoning, book, collection, code.dropId) };
};
