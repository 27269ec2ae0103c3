import {
  type AccountId,
  type BookId,
  type EventId,
  type IdempotencyKey,
  type IdentityId,
  accountIdFor,
  bookIdFor,
  identityIdFor,
} from '../../src/receipt/ids.ts';
import { publishBare } from '../domain/publication.ts';
import {
  type Ground,
  type Weakening,
  type World,
  asks,
  collectionId,
  newGround,
  otherCollectionId,
  sound,
  user,
  worldOn,
} from './world.ts';

/** A ledger with an account, an identity and a pixbook in it. */
export type Collector = {
  readonly accountId: AccountId;
  readonly identityId: IdentityId;
  readonly bookId: BookId;
  readonly head: EventId;
};
export type CollectorWorld = World & Collector;

/** Made by the real code without faults: once, then copied. */
const makeGround = async (): Promise<{ readonly ground: Ground; readonly collector: Collector }> => {
  const accountId = accountIdFor(user, 'account' as IdempotencyKey);
  const identityId = identityIdFor(accountId, 'identity' as IdempotencyKey);
  const bookId = bookIdFor(identityId, collectionId, 1);

  const world = worldOn(await newGround());
  const { start, tell, ground } = world;
  const process = start();
  const { commands } = process;
  await publishBare(world, process, collectionId, otherCollectionId);
  await tell(asks('account'), commands.createAccount(asks('account')));
  await tell(asks('identity'), commands.createIdentity(asks('identity'), accountId, user));
  const book = await tell(asks('book'), commands.createPixbook(asks('book'), { accountId, identityId, collectionId }));
  if (!book.ok) throw new Error(book.error.detail);
  return { ground: ground(), collector: { accountId, identityId, bookId, head: book.value.eventId } };
};

let made: ReturnType<typeof makeGround> | undefined;

/** A world of its own for one case. */
export const makeWorld = async (weakening: Weakening = sound): Promise<CollectorWorld> => {
  made ??= makeGround();
  const { ground, collector } = await made;
  return { ...worldOn(ground, weakening), ...collector };
};
