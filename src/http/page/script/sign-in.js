import { perform, whenSubmitted } from './deed.js';
import { find } from './element.js';
import { passkeyAnswer, passkeyObstacle } from './passkeys.js';
import { send } from './service.js';

const credentials = (data) => ({ email: data.get('email'), password: data.get('password') });

/** The three ways in. `enter` is called once there is a session. */
export const openSignIn = (enter) => {
  whenSubmitted(find('#sign-in'), async (data) => {
    await send('/v1/auth/sign-in/email', credentials(data));
    await enter();
  });
  // Signing up begins no session, so that a known address answers like a new one: the password then decides.
  whenSubmitted(find('#sign-up'), async (data) => {
    await send('/v1/auth/sign-up/email', { name: data.get('name'), ...credentials(data) });
    await send('/v1/auth/sign-in/email', credentials(data));
    await enter();
  });
  openPasskeySignIn(find('#passkey-sign-in'), enter);
};

const openPasskeySignIn = (section, enter) => {
  const button = find('button', section);
  const obstacle = passkeyObstacle();
  if (obstacle !== null) {
    const hint = find('[data-unable]', section);
    button.disabled = true;
    hint.hidden = false;
    hint.textContent = obstacle;
    return;
  }
  button.addEventListener('click', () => {
    void perform(button, find('.problem', section), async () => {
      await send('/v1/auth/passkey/verify-authentication', { response: await passkeyAnswer() });
      await enter();
    });
  });
};
