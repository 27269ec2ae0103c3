import type { CommandRefusal, LedgerCommands } from '../command/ledger-commands.ts';
import { err } from '../result.ts';

/** Commands that all end the same way. */
export const commandsThat = (outcome: () => ReturnType<LedgerCommands['save']>): LedgerCommands => ({
  createAccount: outcome,
  addMember: outcome,
  changeMemberRole: outcome,
  removeMember: outcome,
  closeAccount: outcome,
  inviteMember: outcome,
  acceptInvitation: outcome,
  withdrawInvitation: outcome,
  suspendAccount: outcome,
  resumeAccount: outcome,
  changePlan: outcome,
  createIdentity: outcome,
  rotateKey: outcome,
  revokeIdentity: outcome,
  createPixbook: outcome,
  save: outcome,
  closePixbook: outcome,
  publishCollection: outcome,
  retireSeries: outcome,
  openDrop: outcome,
  closeDrop: outcome,
  createCode: outcome,
  revokeCode: outcome,
  addCards: outcome,
  removeCards: outcome,
  issuePack: outcome,
  openPack: outcome,
  claimCode: outcome,
  offerTrade: outcome,
  acceptTrade: outcome,
  declineTrade: outcome,
  cancelTrade: outcome,
});

export const refusing = (code: CommandRefusal['code']) => err({ code, detail: 'a sentence' } as CommandRefusal);
