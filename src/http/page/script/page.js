import { openAccounts } from './accounts.js';
import { openApiKeys } from './api-keys.js';
import { perform, say, sayWhatIsLeft, showProblem, startOver } from './deed.js';
import { find } from './element.js';
import { openPasskeys } from './passkeys.js';
import { read, send } from './service.js';
import { openSessions } from './sessions.js';
import { openSignIn } from './sign-in.js';

const accounts = openAccounts();
const sections = [accounts, openPasskeys(), openSessions(), openApiKeys()];
const personProblem = find('#person-problem');

/** Shows whoever is signed in what is theirs, or strangers the ways in. Answers whether somebody is. */
const show = async () => {
  const session = await read('/v1/auth/get-session');
  find('#person').hidden = session === null;
  find('#strangers').hidden = session !== null;
  if (session === null) return false;
  find('[data-name]').textContent = session.user.name;
  find('[data-email]').textContent = session.user.email;
  const shown = await Promise.allSettled(sections.map((section) => section.show(session.user)));
  const failed = shown.find(({ status }) => status === 'rejected');
  if (failed !== undefined) showProblem(personProblem, failed.reason);
  return true;
};

/** After signing in: what was typed is forgotten, and whoever does not see the page hears where they are. */
const enter = async () => {
  if (!(await show())) return;
  for (const id of ['#sign-in', '#sign-up']) find(id).reset();
  say('You are signed in.');
  find(accounts.invited ? '#accept button' : 'h1').focus();
};

const signOut = find('#sign-out');
signOut.addEventListener('click', () => {
  void perform(signOut, personProblem, async () => {
    await send('/v1/auth/sign-out');
    startOver('You are signed out.');
  });
});

openSignIn(enter);
sayWhatIsLeft();
try {
  const isSignedIn = await show();
  if (!isSignedIn && accounts.invited) say('Sign in, or sign up, to accept the invitation.');
} catch (fault) {
  find('#strangers').hidden = false;
  showProblem(find('#sign-in .problem'), fault);
}
