import type { CommandContext, LedgerCommands } from '../../src/command/ledger-commands.ts';
import {
  type AccountId,
  type BookId,
  type CollectionId,
  type IdempotencyKey,
  type IdentityId,
  type InstanceId,
  type UserId,
  accountIdFor,
  bookIdFor,
  grantInstanceIdFor,
  identityIdFor,
} from '../../src/receipt/ids.ts';
import { asks } from '../crash/world.ts';
import { type Publication, catalogueOf, done, issuerAsks } from './publication.ts';

/** A user with an account, an identity in it, and that identity's pixbook. */
export type Collector = {
  readonly userId: UserId;
  readonly accountId: AccountId;
  readonly identityId: IdentityId;
  readonly bookId: BookId;
};

/** What a collector asks for. */
export const by = ({ userId }: Pick<Collector, 'userId'>, key: string): CommandContext => asks(key, userId);

/** A collector of this name with an account of their own. */
export const newCollector = async (commands: LedgerCommands, name: string, collectionId: CollectionId): Promise<Collector> => {
  const userId = `usr_${name}` as UserId;
  const accountId = accountIdFor(userId, 'account' as IdempotencyKey);
  await done(commands.createAccount(asks('account', userId)));
  return newIdentity(commands, { userId, accountId }, 'identity', collectionId);
};

/** Another identity of a user in an account that they own, with a pixbook. */
export const newIdentity = async (
  commands: LedgerCommands,
  { userId, accountId }: Pick<Collector, 'userId' | 'accountId'>,
  key: string,
  collectionId: CollectionId,
): Promise<Collector> => {
  await done(commands.createIdentity(asks(key, userId), accountId, userId));
  const identityId = identityIdFor(accountId, key as IdempotencyKey);
  await done(commands.createPixbook(asks(`book-of-${key}`, userId), { accountId, identityId, collectionId }));
  return { userId, accountId, identityId, bookId: bookIdFor(identityId, collectionId, 1) };
};

/** Copies of these cards, given to a collector by the issuer. */
export const giveCards = async (
  commands: LedgerCommands,
  { identityId }: Publication,
  book: Collector,
  ...cards: readonly string[]
): Promise<readonly InstanceId[]> => {
  const cardIds = catalogueOf(1, ...cards).cards.map(({ cardId }) => cardId);
  const key = `cards-${cards.join('-')}`;
  const { eventId } = await done(commands.addCards(issuerAsks(key), book, { identityId, cardIds, reason: 'a gift' }));
  return cardIds.map((_, index) => grantInstanceIdFor(eventId, index));
};
