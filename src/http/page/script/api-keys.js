import { act, say, whenSubmitted } from './deed.js';
import { element, find, moment, row, secret, showRows } from './element.js';
import { readAll, send } from './service.js';

const dayMs = 86_400_000;

/** The section of API keys; answers what shows it. */
export const openApiKeys = () => {
  const section = find('#api-keys');
  const list = find('[data-list]', section);
  const form = find('#make-key');
  const place = find('[data-secret]', section);
  const problem = element('div', { class: 'problem', role: 'alert' });
  list.after(problem);

  const revoke = async (apiKeyId) => {
    await send(`/v1/api-keys/${apiKeyId}/commands/revoke`);
    place.replaceChildren();
    await show();
    say('The key is revoked: it opens nothing any more.');
    find('#api-keys-title').focus();
  };
  const rowOf = ({ apiKeyId, name, start, scopes, expiresAt, lastUsedAt }) => {
    const about = [
      element('code', {}, `${start}…`),
      ' · ',
      ...(lastUsedAt === null ? ['never used'] : ['last used ', moment(lastUsedAt)]),
      ' · ',
      ...(expiresAt === null ? ['ends when it is revoked'] : ['ends ', moment(expiresAt)]),
      element('br'),
      scopes.join(', '),
    ];
    const question = `Revoke the key “${name}”? Programs that use it stop at once.`;
    return row(
      [name],
      about,
      act('Revoke', name, problem, () => revoke(apiKeyId), question),
    );
  };
  const show = async () => showRows(list, (await readAll('/v1/api-keys')).map(rowOf), 'You have none yet.');

  whenSubmitted(form, async (data) => {
    const days = Number(data.get('days'));
    const expiresAt = days === 0 ? null : new Date(Date.now() + days * dayMs).toISOString();
    const made = await send('/v1/api-keys', { name: data.get('name'), scopes: data.getAll('scopes'), expiresAt });
    form.reset();
    place.replaceChildren(secret('Take the key along now: it is shown this once.', made.key));
    await show();
  });
  return { show };
};
