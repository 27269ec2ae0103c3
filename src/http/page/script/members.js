import { act } from './deed.js';
import { choice, element, moment, row, secret, showRows } from './element.js';
import { readAll, send } from './service.js';

/** The account of the operator has roles of its own. */
const rolesBeside = (role) => (role === 'operator' || role === 'issuer' ? ['operator', 'issuer'] : ['owner', 'member', 'viewer']);

/** What whoever is invited opens: behind the # it is sent to nobody, and the page fills its form with it. */
const linkTo = (accountId, invitationId, text) => `${location.origin}/sign-in#accept=${accountId}/${invitationId}/${text}`;

/** Members of an account, and for those who keep it: their roles, and invitations. `role` is the person's own. */
export const openMembers = ({ accountId, role }, userId, changed) => {
  const path = `/v1/accounts/${accountId}`;
  const roles = rolesBeside(role);
  const isKeeper = role === 'owner' || role === 'operator';
  const problem = element('div', { class: 'problem', role: 'alert' });
  const members = element('div');
  const invitations = element('div');
  const shownOnce = element('div');

  const memberRow = (member) => {
    const isMe = member.userId === userId;
    const name = isMe ? ['you ', element('span', { class: 'mark' }, member.role)] : [element('code', {}, member.userId)];
    const since = [isMe ? '' : `${member.role} `, 'since ', moment(member.since)];
    if (!isKeeper && !isMe) return row(name, since);
    const called = isMe ? 'yourself' : member.userId;
    const remove = async () => {
      const { eventId } = await send(`${path}/members/${member.userId}/commands/remove`);
      await (isMe ? changed(eventId) : show(eventId));
    };
    const gone = act(
      isMe ? 'Leave' : 'Remove',
      isMe ? accountId : called,
      problem,
      remove,
      `Take ${called} out of this account?`,
    );
    if (!isKeeper) return row(name, since, gone);
    const select = choice(`Role of ${called}`, roles, member.role);
    const change = async () => {
      const { eventId } = await send(`${path}/members/${member.userId}/commands/change-role`, { role: select.value });
      await (isMe ? changed(eventId) : show(eventId));
    };
    return row(name, since, select, act('Change role', `of ${called}`, problem, change), gone);
  };
  const invitationRow = ({ invitationId, role: offered, expiresAt }) => {
    const withdraw = async () => {
      const { eventId } = await send(`${path}/invitations/${invitationId}/commands/withdraw`);
      await show(eventId);
    };
    return row(
      [element('code', {}, invitationId)],
      [`${offered}, until `, moment(expiresAt)],
      act('Withdraw', invitationId, problem, withdraw),
    );
  };
  const invite = async (offered) => {
    const { invitationId, secret: text, eventId } = await send(`${path}/invitations`, { role: offered });
    const whole = linkTo(accountId, invitationId, text);
    const words = `Hand this to whoever is to come, over a channel of your own. It is shown this once, and works once, within 7 days.`;
    shownOnce.replaceChildren(secret(words, whole));
    await show(eventId);
  };
  const show = async (minEventId) => {
    const rows = await readAll(`${path}/members`, minEventId);
    showRows(members, rows.map(memberRow), 'There is none.');
    if (isKeeper) showRows(invitations, (await readAll(`${path}/invitations`, minEventId)).map(invitationRow), 'None is open.');
  };

  const offered = choice('Role to invite somebody to', roles, roles.at(-1));
  const inviting = element(
    'div',
    {},
    element('h3', {}, 'Invitations'),
    invitations,
    element(
      'div',
      { class: 'acts' },
      offered,
      act('Invite', 'somebody in this role', problem, () => invite(offered.value)),
    ),
    shownOnce,
  );
  const body = element(
    'div',
    { class: 'inside' },
    element('h3', {}, 'Members'),
    members,
    ...(isKeeper ? [inviting] : []),
    problem,
  );
  return { body, show, problem };
};
