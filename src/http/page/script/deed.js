import { element, find } from './element.js';
import { Refused, read } from './service.js';

const NOTICE = 'pixpax-notice';

/** Says something that went well, to eyes and to screen readers. */
export const say = (text) => {
  find('#notice').textContent = text;
};

/** Begins the page anew, so that nothing of the person who was signed in stays on it, and says why. */
export const startOver = (text) => {
  sessionStorage.setItem(NOTICE, text);
  location.reload();
};

/** What `startOver` left to be said. */
export const sayWhatIsLeft = () => {
  say(sessionStorage.getItem(NOTICE) ?? '');
  sessionStorage.removeItem(NOTICE);
};

/** Refusals whose own words are for programs. */
const words = {
  SESSION_NOT_FRESH: {
    title: 'Sign in once more',
    detail: 'It is a while since you signed in. Sign out and in again: passkeys are added and removed only shortly after.',
  },
  PASSKEY_NOT_FOUND: { title: 'This passkey is not known here', detail: 'It was removed, or it is of another service.' },
};

const problemOf = (fault) => {
  if (!(fault instanceof Refused)) return { title: 'This page failed', detail: String(fault.message ?? fault) };
  return { ...fault.problem, ...words[fault.problem.reason] };
};

/** Shows why something was not done: title, detail, the members at fault, and when to try again. */
export const showProblem = (place, fault) => {
  const { title, detail, errors = [], retryAfter, requestId, status } = problemOf(fault);
  const faults = errors.map((each) => element('li', {}, `${each.pointer.slice(1) || each.in}: ${each.detail}`));
  place.replaceChildren(element('strong', {}, title ?? 'This was refused'), detail ?? '');
  if (faults.length > 0) place.append(element('ul', {}, ...faults));
  if (retryAfter) place.append(` Try again in ${retryAfter} s.`);
  if (status >= 500 && requestId) place.append(` Request ${requestId}.`);
};

/** A session that somebody ended elsewhere: the page has nothing more to show. */
const isOver = async (fault) => {
  if (!(fault instanceof Refused) || fault.problem.status !== 401) return false;
  return (await read('/v1/auth/get-session').catch(() => true)) === null;
};

/** Whether the person is signed in, as far as the page knows. */
const isPersonShown = () => !find('#person').hidden;

/** Does `work` with its button disabled. A refusal is told in `place`; a session that is over begins the page anew. */
export const perform = async (button, place, work) => {
  if (button.disabled) return;
  const hadFocus = document.activeElement === button;
  place.replaceChildren();
  say('');
  button.disabled = true;
  button.setAttribute('aria-busy', 'true');
  try {
    await work();
  } catch (fault) {
    if (isPersonShown() && (await isOver(fault))) return startOver('Your session is over. Sign in again.');
    showProblem(place, fault);
  } finally {
    button.disabled = false;
    button.removeAttribute('aria-busy');
    // A disabled button has lost the focus in some browsers; whoever uses the keyboard goes on from where they were.
    if (hadFocus && button.isConnected && document.activeElement === document.body) button.focus();
  }
};

/** Sends a form's fields to `work` instead of anywhere else. The problem is told in the form, or where the page says. */
export const whenSubmitted = (form, work, place = find('.problem', form)) =>
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const data = new FormData(form);
    void perform(find('button:not([type])', form), place, () => work(data));
  });

/** A button that does something. With `question` it asks first: what it does cannot be undone. */
export const act = (label, name, place, work, question) => {
  const button = element('button', { type: 'button', class: 'plain small', 'aria-label': `${label} ${name}` }, label);
  button.addEventListener('click', () => {
    if (question === undefined || confirm(question)) void perform(button, place, work);
  });
  return button;
};
