import { scopes } from '../../access/permission.ts';
import { limits } from '../../limits.ts';
import { page } from './page.ts';
import { pageScriptPath, pageScripts } from './page-script.ts';
import { SIGN_IN_STYLE } from './sign-in-style.ts';

type Field = { readonly id: string; readonly label: string; readonly input: string; readonly hint?: string };

const field = ({ id, label, input, hint }: Field): string => {
  const described = hint === undefined ? '' : ` aria-describedby="${id}-hint"`;
  const below = hint === undefined ? '' : `<p class="hint" id="${id}-hint">${hint}</p>`;
  return `<div class="field"><label for="${id}">${label}</label><input id="${id}" ${input}${described}>${below}</div>`;
};

/** Where a refusal is told: beside what was refused. */
const problem = '<div class="problem" role="alert"></div>';

const email = 'name="email" type="email" required spellcheck="false" autocapitalize="none"';
const newPassword = (name: string): string =>
  `name="${name}" type="password" autocomplete="new-password" required minlength="${limits.passwordMinChars}" maxlength="${limits.passwordMaxChars}"`;

/** No form has an `action`: the module sends them, and without it the policy stops them, so that no password ends in an address. */
const strangers = `
<div id="strangers" hidden>
<div class="pair">
<section class="panel" aria-labelledby="sign-in-title">
<h2 id="sign-in-title">Sign in</h2>
<form id="sign-in" method="post">
${field({ id: 'email', label: 'E-mail', input: `${email} autocomplete="username"` })}
${field({ id: 'password', label: 'Password', input: 'name="password" type="password" autocomplete="current-password" required' })}
<button class="wide">Sign in</button>
${problem}
</form>
<p class="or">or</p>
<div id="passkey-sign-in">
<button type="button" class="plain wide">Sign in with a passkey</button>
<p class="hint" data-unable hidden></p>
${problem}
</div>
</section>
<section class="panel" aria-labelledby="sign-up-title">
<h2 id="sign-up-title">Sign up</h2>
<form id="sign-up" method="post">
${field({ id: 'new-name', label: 'Name', input: `name="name" autocomplete="name" required maxlength="${limits.userNameChars}"` })}
${field({ id: 'new-email', label: 'E-mail', input: `${email} autocomplete="username"` })}
${field({ id: 'new-password', label: 'Password', input: newPassword('password'), hint: `At least ${limits.passwordMinChars} characters. A sentence is easier to keep than a word.` })}
<button class="wide">Sign up</button>
${problem}
</form>
</section>
</div>
</div>`;

const accounts = `
<section class="panel" id="accounts" aria-labelledby="accounts-title">
<h2 id="accounts-title" tabindex="-1">Accounts</h2>
<p class="hint">An account holds pixbooks. Its owners decide who else may look, or act.</p>
<div data-list></div>
<button type="button" class="plain" data-open-account>Open an account</button>
${problem}
<h3 id="accept-title">Accept an invitation</h3>
<form id="accept" method="post" aria-labelledby="accept-title">
${field({ id: 'account-id', label: 'Account', input: 'name="accountId" required autocomplete="off" spellcheck="false" placeholder="acc_…"' })}
${field({ id: 'invitation-id', label: 'Invitation', input: 'name="invitationId" required autocomplete="off" spellcheck="false" placeholder="inv_…"' })}
${field({ id: 'invitation-secret', label: 'Secret', input: 'name="secret" required autocomplete="off" spellcheck="false"' })}
<button>Accept</button>
${problem}
</form>
</section>`;

const passkeys = `
<section class="panel" id="passkeys" aria-labelledby="passkeys-title">
<h2 id="passkeys-title" tabindex="-1">Passkeys</h2>
<p class="hint">Sign in with a fingerprint, a face or a PIN: nothing to remember, and nothing a false page could ask you for.</p>
<div data-list></div>
<form class="line" id="add-passkey" method="post">
${field({ id: 'passkey-name', label: 'Name of a new passkey', input: `name="name" maxlength="${limits.userNameChars}" autocomplete="off" placeholder="This laptop"` })}
<button>Add a passkey</button>
</form>
<p class="hint" data-unable hidden></p>
${problem}
</section>`;

const sessions = `
<section class="panel" id="sessions" aria-labelledby="sessions-title">
<h2 id="sessions-title" tabindex="-1">Sessions</h2>
<p class="hint">Where you are signed in. One that you do not know: end it, and change your password.</p>
<div data-list></div>
${problem}
<h3 id="change-password-title">Change the password</h3>
<form id="change-password" method="post" aria-labelledby="change-password-title">
${field({ id: 'current-password', label: 'Password so far', input: 'name="currentPassword" type="password" autocomplete="current-password" required' })}
${field({ id: 'next-password', label: 'New password', input: newPassword('newPassword'), hint: 'All your other sessions end with the old one.' })}
<button>Change it</button>
${problem}
</form>
</section>`;

const scopeBox = (scope: string): string => `<label><input type="checkbox" name="scopes" value="${scope}">${scope}</label>`;

const apiKeys = `
<section class="panel" id="api-keys" aria-labelledby="api-keys-title">
<h2 id="api-keys-title" tabindex="-1">API keys</h2>
<p class="hint">For programs that act for you: <code>Authorization: Bearer pixpax_…</code>. A key may do what is ticked here, and never more than you.</p>
<div data-list></div>
<h3 id="make-key-title">Make a key</h3>
<form id="make-key" method="post" aria-labelledby="make-key-title">
${field({ id: 'key-name', label: 'Name', input: `name="name" required maxlength="${limits.apiKeyNameChars}" autocomplete="off" placeholder="Nightly export"` })}
<fieldset><legend>Scopes</legend><div class="scopes">${scopes.map(scopeBox).join('')}</div></fieldset>
<div class="field"><label for="key-days">Ends</label><select id="key-days" name="days">
<option value="30">in 30 days</option><option value="90" selected>in 90 days</option><option value="365">in a year</option><option value="">when it is revoked</option>
</select></div>
<button>Make the key</button>
${problem}
</form>
<div data-secret></div>
</section>`;

/** Everything a person can see to about themselves. What the page shows it asks the API for, with the session's cookie. */
export const signInPage = () =>
  page(
    'Your account · PixPax receipt ledger',
    `<p class="soft"><a href="/">PixPax receipt ledger</a></p>
<h1 tabindex="-1">Your account</h1>
<noscript><p class="notice">This page works with JavaScript alone. Everything on it can also be done over the <a href="/docs">API</a>.</p></noscript>
<p class="notice" id="notice" role="status"></p>
${strangers}
<div id="person" hidden>
<div class="who"><p>Signed in as <strong data-name></strong> <span class="soft" data-email></span></p>
<button type="button" class="plain small" id="sign-out">Sign out</button></div>
<div class="problem" role="alert" id="person-problem"></div>
${accounts}
${passkeys}
${sessions}
${apiKeys}
</div>`,
    { style: SIGN_IN_STYLE, modules: pageScripts.map(pageScriptPath) },
  );
