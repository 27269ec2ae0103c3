import type { Book, CommandContext, CommandOutcome, LedgerCommands } from '../../src/command/ledger-commands.ts';
import { type BookId, type IdentityId, OPERATOR_ACCOUNT_ID, instantOf } from '../../src/receipt/ids.ts';
import { asks } from '../crash/world.ts';
import type { Command } from './command.ts';
import type { Reckoning } from './reckoning.ts';

/** What posting needs to know beyond the command. */
export type Post = {
  readonly commands: LedgerCommands;
  readonly reckoning: Reckoning;
  readonly issuerIdentity: IdentityId;
  /** The event a save is based on: the head of the book's stream, or one that is not. */
  readonly baseOf: (bookId: BookId, isStale: boolean) => Parameters<LedgerCommands['save']>[2]['baseEventId'];
};

/** Posts a command to the ledger. */
export const post = (to: Post, command: Command): Promise<CommandOutcome> => {
  const context = asks(command.key, command.userId);
  switch (command.verb) {
    case 'offer':
    case 'accept':
    case 'decline':
    case 'cancel':
      return postTrade(to, context, command);
    case 'create-book':
    case 'close-book':
    case 'save':
    case 'open-pack':
    case 'claim-code':
    case 'revoke-identity':
      return postOwn(to, context, command);
    default:
      return postIssue(to, context, command);
  }
};

const placeOf = ({ reckoning }: Post, bookId: BookId): Book => {
  const book = reckoning.books.get(bookId);
  return { accountId: book?.accountId ?? OPERATOR_ACCOUNT_ID, bookId };
};

type TradeCommand = Extract<Command, { verb: 'offer' | 'accept' | 'decline' | 'cancel' }>;

const postTrade = (to: Post, context: CommandContext, command: TradeCommand): Promise<CommandOutcome> => {
  const { commands } = to;
  if (command.verb === 'offer') {
    const { give, want, expiresMs } = command;
    const terms = { to: placeOf(to, command.to), give, want, expiresAt: instantOf(expiresMs) };
    return commands.offerTrade(context, placeOf(to, command.bookId), terms);
  }
  const offer = { ...placeOf(to, command.from), tradeId: command.tradeId };
  switch (command.verb) {
    case 'accept':
      return commands.acceptTrade(context, offer, { ...placeOf(to, command.bookId), give: command.give });
    case 'decline':
      return commands.declineTrade(context, offer, placeOf(to, command.bookId));
    case 'cancel':
      return commands.cancelTrade(context, offer);
  }
};

type OwnCommand = Extract<
  Command,
  { verb: 'create-book' | 'close-book' | 'save' | 'open-pack' | 'claim-code' | 'revoke-identity' }
>;

const postOwn = (to: Post, context: CommandContext, command: OwnCommand): Promise<CommandOutcome> => {
  const { commands, reckoning } = to;
  switch (command.verb) {
    case 'create-book': {
      const { identityId, collectionId } = command;
      const accountId = reckoning.identities.get(identityId)?.accountId ?? OPERATOR_ACCOUNT_ID;
      return commands.createPixbook(context, { accountId, identityId, collectionId });
    }
    case 'close-book':
      return commands.closePixbook(context, placeOf(to, command.bookId));
    case 'save': {
      const baseEventId = to.baseOf(command.bookId, command.isStale);
      return commands.save(context, placeOf(to, command.bookId), { state: { key: command.key }, baseEventId });
    }
    case 'open-pack':
      return commands.openPack(context, placeOf(to, command.bookId), command.packId);
    case 'claim-code':
      return commands.claimCode(context, placeOf(to, command.bookId), command.codeId);
    case 'revoke-identity': {
      const accountId = reckoning.identities.get(command.identityId)?.accountId ?? OPERATOR_ACCOUNT_ID;
      return commands.revokeIdentity(context, accountId, command.identityId);
    }
  }
};

const postIssue = (
  to: Post,
  context: CommandContext,
  command: Exclude<Command, TradeCommand | OwnCommand>,
): Promise<CommandOutcome> => {
  const { commands, issuerIdentity: identityId } = to;
  switch (command.verb) {
    case 'issue-pack': {
      const pack = { dropId: command.dropId, identityId: command.byIssuer ? identityId : null };
      return commands.issuePack(context, placeOf(to, command.bookId), pack);
    }
    case 'add-cards': {
      const grant = { identityId, cardIds: command.cardIds, reason: 'a prize' };
      return commands.addCards(context, placeOf(to, command.bookId), grant);
    }
    case 'remove-cards': {
      const removal = { identityId, instanceIds: command.instanceIds, reason: 'a misprint' };
      return commands.removeCards(context, placeOf(to, command.bookId), removal);
    }
    case 'create-code':
      return commands.createCode(context, { ...command, identityId, batchId: null });
    case 'revoke-code':
      return commands.revokeCode(context, { ...command, identityId });
    case 'open-drop':
      return commands.openDrop(context, { ...command, identityId, title: 'A week' });
    case 'close-drop':
      return commands.closeDrop(context, { ...command, identityId });
    case 'retire-series':
      return commands.retireSeries(context, { ...command, identityId });
  }
};
