import type { Meter } from '../port/meter.ts';
import { type AccountId, OPERATOR_ACCOUNT_ID, accountIdFor } from '../receipt/ids.ts';
import type { CommandContext, CommandOutcome, LedgerCommands } from './ledger-commands.ts';

/** Whoever is answered this has no part in the account: what strangers try is not on its bill. */
const strangers: ReadonlySet<string> = new Set(['not-found', 'forbidden']);

type Placed = { readonly accountId: AccountId };
const inAccount = (_context: CommandContext, accountId: AccountId): AccountId => accountId;
const inBook = (_context: CommandContext, { accountId }: Placed): AccountId => accountId;
const byPartner = (_context: CommandContext, _offer: unknown, { accountId }: Placed): AccountId => accountId;
const byIssuer = (): AccountId => OPERATOR_ACCOUNT_ID;

/**
 * The commands, counted for the account they act in: written, replayed or refused by a rule; not those that ended in an outage, nor those of
 * strangers. What issuers do, in whichever book, is their own account's, and so is what operators say of an account.
 */
export const meteredCommands = (commands: LedgerCommands, meter: Pick<Meter, 'count'>): LedgerCommands => {
  const counted =
    <Args extends readonly unknown[]>(
      command: (...args: Args) => Promise<CommandOutcome>,
      accountOf: (...args: Args) => AccountId,
    ): ((...args: Args) => Promise<CommandOutcome>) =>
    async (...args) => {
      const outcome = await command(...args);
      if (outcome.ok || !strangers.has(outcome.error.code)) meter.count(accountOf(...args));
      return outcome;
    };
  const { createAccount, issuePack } = commands;
  return {
    createAccount: counted(createAccount, ({ userId, idempotencyKey }) => accountIdFor(userId, idempotencyKey)),
    addMember: counted(commands.addMember, inAccount),
    changeMemberRole: counted(commands.changeMemberRole, inAccount),
    removeMember: counted(commands.removeMember, inAccount),
    closeAccount: counted(commands.closeAccount, inAccount),
    inviteMember: counted(commands.inviteMember, inAccount),
    acceptInvitation: counted(commands.acceptInvitation, inAccount),
    withdrawInvitation: counted(commands.withdrawInvitation, inAccount),
    suspendAccount: counted(commands.suspendAccount, byIssuer),
    resumeAccount: counted(commands.resumeAccount, byIssuer),
    changePlan: counted(commands.changePlan, byIssuer),
    createIdentity: counted(commands.createIdentity, inAccount),
    rotateKey: counted(commands.rotateKey, inAccount),
    revokeIdentity: counted(commands.revokeIdentity, inAccount),
    createPixbook: counted(commands.createPixbook, inBook),
    save: counted(commands.save, inBook),
    closePixbook: counted(commands.closePixbook, inBook),
    publishCollection: counted(commands.publishCollection, byIssuer),
    retireSeries: counted(commands.retireSeries, byIssuer),
    openDrop: counted(commands.openDrop, byIssuer),
    closeDrop: counted(commands.closeDrop, byIssuer),
    createCode: counted(commands.createCode, byIssuer),
    revokeCode: counted(commands.revokeCode, byIssuer),
    addCards: counted(commands.addCards, byIssuer),
    removeCards: counted(commands.removeCards, byIssuer),
    issuePack: counted(issuePack, (_context, { accountId }, { identityId }) =>
      identityId === null ? accountId : OPERATOR_ACCOUNT_ID,
    ),
    openPack: counted(commands.openPack, inBook),
    claimCode: counted(commands.claimCode, inBook),
    offerTrade: counted(commands.offerTrade, inBook),
    acceptTrade: counted(commands.acceptTrade, byPartner),
    declineTrade: counted(commands.declineTrade, byPartner),
    cancelTrade: counted(commands.cancelTrade, inBook),
  };
};
