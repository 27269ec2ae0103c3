import { limits } from '../../limits.ts';
import { type AccountId, epochMsOf, instantOf } from '../../receipt/ids.ts';
import { type Result, err, ok } from '../../result.ts';
import type { AccountCommand } from './command.ts';
import type { AccountEvent } from './event.ts';
import type { AccountState } from './evolve.ts';
import type { AccountRefusal } from './refusal.ts';
import { roleFits } from './role.ts';

type InvitationCommand = Extract<AccountCommand, { type: 'invite-member' | 'accept-invitation' | 'withdraw-invitation' }>;
type Decision = Result<AccountEvent, AccountRefusal>;

/**
 * Invitations of an open account. One is good for one member: accepting ends it, and so do withdrawing and time. That whoever accepts knows its
 * secret is seen to before this.
 */
export const decideInvitation = (accountId: AccountId, state: AccountState, command: InvitationCommand): Decision => {
  const { invitationId } = command;
  if (command.type === 'invite-member') {
    const { role, at, by } = command;
    if (!roleFits(accountId, role)) return refuse('role-not-allowed', `there is no role ${role} in this account`);
    if (state.invitations.has(invitationId)) return refuse('invitation-exists', 'the invitation exists already');
    if (state.invitations.size >= limits.invitationsPerAccount)
      return refuse('too-many-invitations', `an account has at most ${limits.invitationsPerAccount} invitations: withdraw one`);
    const expiresAt = instantOf(epochMsOf(at) + limits.invitationMs);
    return ok({ type: 'MEMBER_INVITED', payload: { invitationId, role, expiresAt, by } });
  }
  const invitation = state.invitations.get(invitationId);
  if (invitation === undefined) return over;
  if (command.type === 'withdraw-invitation')
    return ok({ type: 'INVITATION_WITHDRAWN', payload: { invitationId, by: command.by } });
  const { userId, at } = command;
  if (invitation.expiresAt <= at) return over;
  if (state.members.has(userId)) return refuse('member-exists', 'the user is a member already');
  if (state.members.size >= limits.membersPerAccount)
    return refuse('too-many-members', `an account has at most ${limits.membersPerAccount} members`);
  return ok({ type: 'INVITATION_ACCEPTED', payload: { invitationId, userId, role: invitation.role } });
};

const refuse = (code: AccountRefusal['code'], detail: string): Result<never, AccountRefusal> => err({ code, detail });
const over = refuse('invitation-over', 'the invitation was accepted or withdrawn, or its time is over');
