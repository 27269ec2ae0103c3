import { act, say, startOver, whenSubmitted } from './deed.js';
import { element, find, moment, row, showRows } from './element.js';
import { readAll, send } from './service.js';

const browsers = [
  ['Edg/', 'Edge'],
  ['OPR/', 'Opera'],
  ['Firefox/', 'Firefox'],
  ['Chrome/', 'Chrome'],
  ['Safari/', 'Safari'],
];
const systems = [
  ['Android', 'Android'],
  ['iPhone', 'iPhone'],
  ['iPad', 'iPad'],
  ['Windows', 'Windows'],
  ['Mac OS X', 'macOS'],
  ['Linux', 'Linux'],
];

/** What a browser calls itself, in two words if we know them. Anyone can call themselves anything. */
const deviceOf = (userAgent) => {
  if (userAgent === null) return 'An unnamed program';
  const named = (table) => table.find(([mark]) => userAgent.includes(mark))?.[1];
  const browser = named(browsers);
  const system = named(systems);
  return browser && system ? `${browser} on ${system}` : userAgent.slice(0, 60);
};

/** The section of sessions; answers what shows it. */
export const openSessions = () => {
  const section = find('#sessions');
  const list = find('[data-list]', section);
  const problem = find(':scope > .problem', section);

  const end = async ({ sessionId, current }) => {
    await send(`/v1/sessions/${sessionId}/commands/revoke`);
    if (current) return startOver('You are signed out.');
    await show();
    say('The session is over.');
    find('#sessions-title').focus();
  };
  const rowOf = (session) => {
    const device = deviceOf(session.userAgent);
    const name = session.current ? [device, ' ', element('span', { class: 'mark' }, 'this one')] : [device];
    const from = session.clientAddress === null ? '' : ` from ${session.clientAddress}`;
    return row(
      name,
      ['since ', moment(session.createdAt), from],
      act('End', `the session ${device}`, problem, () => end(session)),
    );
  };
  const show = async () => showRows(list, (await readAll('/v1/sessions')).map(rowOf), 'There is none.');

  const form = find('#change-password');
  whenSubmitted(form, async (data) => {
    await send('/v1/auth/change-password', {
      currentPassword: data.get('currentPassword'),
      newPassword: data.get('newPassword'),
    });
    form.reset();
    await show();
    say('The password is changed, and all other sessions are over.');
  });
  return { show };
};
