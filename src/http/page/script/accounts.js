import { perform, say, showProblem, whenSubmitted } from './deed.js';
import { element, find } from './element.js';
import { openMembers } from './members.js';
import { Refused, readAll, send } from './service.js';

/** The service does not say which of the three is wrong, nor may it. */
const noInvitation = { title: 'No such invitation', detail: 'Account, invitation and secret belong together: check all three.' };

/** An invitation that came as a link fills the form, and leaves the address bar: it is for one pair of eyes. */
const takeInvitation = (form) => {
  const [, accountId, invitationId, secret] = /^#accept=([^/]+)\/([^/]+)\/([^/]+)$/.exec(location.hash) ?? [];
  if (secret === undefined) return false;
  history.replaceState(null, '', location.pathname);
  for (const [name, value] of Object.entries({ accountId, invitationId, secret })) form.elements[name].value = value;
  return true;
};

/** The section of accounts; answers what shows it, and whether an invitation came along. */
export const openAccounts = () => {
  const section = find('#accounts');
  const list = find('[data-list]', section);
  const problem = find(':scope > .problem', section);
  const form = find('#accept');
  const invited = takeInvitation(form);
  let userId = null;

  const accountOf = (membership) => {
    const { accountId, role } = membership;
    const { body, show, problem: told } = openMembers(membership, userId, showAll);
    const summary = element('summary', {}, element('code', {}, accountId), ' ', element('span', { class: 'mark' }, role));
    const details = element('details', { 'data-account': accountId }, summary, body);
    details.addEventListener('toggle', () => {
      if (details.open) show().catch((fault) => showProblem(told, fault));
    });
    return details;
  };
  const showAll = async (minEventId) => {
    const open = new Set([...list.querySelectorAll('details[open]')].map(({ dataset }) => dataset.account));
    const rows = (await readAll('/v1/accounts', minEventId)).map(accountOf);
    for (const details of rows) details.open = open.has(details.dataset.account);
    list.replaceChildren(...(rows.length === 0 ? [element('p', { class: 'empty' }, 'You belong to none yet.')] : rows));
  };

  const opening = find('[data-open-account]', section);
  opening.addEventListener('click', () => {
    void perform(opening, problem, async () => {
      const { eventId } = await send('/v1/accounts');
      await showAll(eventId);
      say('The account is open, and you are its owner.');
    });
  });
  whenSubmitted(form, async (data) => {
    const path = `/v1/accounts/${encodeURIComponent(data.get('accountId').trim())}`;
    const invitation = `/invitations/${encodeURIComponent(data.get('invitationId').trim())}`;
    const accepting = send(`${path}${invitation}/commands/accept`, { secret: data.get('secret').trim() });
    const { eventId } = await accepting.catch((fault) => {
      throw fault.problem?.status === 404 ? new Refused(noInvitation) : fault;
    });
    form.reset();
    await showAll(eventId);
    say('You are a member of the account.');
    find('#accounts-title').focus();
  });
  return {
    invited,
    show: async (user) => {
      userId = user.id;
      await showAll();
    },
  };
};
