import { act, say, whenSubmitted } from './deed.js';
import { find, moment, row, showRows } from './element.js';
import { Refused, read, send } from './service.js';

/** Why this browser cannot have passkeys here, or null. */
export const passkeyObstacle = () => {
  if (!window.isSecureContext) return 'Passkeys need a secure connection: open this page over https.';
  const known = window.PublicKeyCredential;
  if (known === undefined) return 'This browser has no passkeys.';
  const takesJson = known.parseCreationOptionsFromJSON && known.parseRequestOptionsFromJSON && known.prototype.toJSON;
  return takesJson ? null : 'This browser is too old for passkeys here: a newer version has them.';
};

/** What the browser says when a ceremony ends without a passkey (WebAuthn 3, §5.1.3 and §5.1.4), in words. */
const ceremonyFaults = {
  NotAllowedError: [
    'No passkey was used',
    'You closed the question, it took too long, or there is no passkey for this site here.',
  ],
  InvalidStateError: ['There is a passkey already', 'This device or security key has a passkey of yours.'],
  SecurityError: ['Not at this address', 'Passkeys of this service work at its own address alone.'],
  NotSupportedError: ['This device cannot do it', 'It has no way to keep a passkey, or to ask who you are.'],
  ConstraintError: ['This device cannot do it', 'It has no way to keep a passkey, or to ask who you are.'],
};

const ceremony = async (begin) => {
  try {
    return (await begin()).toJSON();
  } catch (fault) {
    const [title, detail] = ceremonyFaults[fault.name] ?? ['No passkey was used', fault.message];
    throw new Refused({ title, detail });
  }
};

/** Asks the person for a passkey, any they have for this site: what it says to this service's challenge. */
export const passkeyAnswer = async () => {
  const options = await read('/v1/auth/passkey/generate-authenticate-options');
  return ceremony(() => navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) }));
};

const newPasskey = async () => {
  const options = await read('/v1/auth/passkey/generate-register-options');
  return ceremony(() => navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) }));
};

/** The section of passkeys; answers what shows it. */
export const openPasskeys = () => {
  const section = find('#passkeys');
  const list = find('[data-list]', section);
  const problem = find(':scope > .problem', section);
  const form = find('#add-passkey');
  const obstacle = passkeyObstacle();
  if (obstacle !== null) {
    const hint = find('[data-unable]', section);
    form.hidden = true;
    hint.hidden = false;
    hint.textContent = obstacle;
  }

  const remove = async (id) => {
    await send('/v1/auth/passkey/delete-passkey', { id });
    await show();
    say('The passkey is removed: it signs nobody in any more.');
    find('#passkeys-title').focus();
  };
  const rowOf = ({ id, name, createdAt, backedUp }) => {
    const called = name || 'A passkey';
    const kept = backedUp ? ', kept by your passkey manager' : ', on one device';
    const question = `Remove the passkey “${called}”? It will not sign you in any more.`;
    return row(
      [called],
      ['added ', moment(createdAt), kept],
      act('Remove', called, problem, () => remove(id), question),
    );
  };
  const show = async () => showRows(list, (await read('/v1/auth/passkey/list-user-passkeys')).map(rowOf), 'You have none yet.');

  whenSubmitted(
    form,
    async (data) => {
      const name = data.get('name').trim();
      await send('/v1/auth/passkey/verify-registration', { response: await newPasskey(), ...(name === '' ? {} : { name }) });
      form.reset();
      await show();
      say('The passkey is added: you can sign in with it.');
    },
    problem,
  );
  return { show };
};
