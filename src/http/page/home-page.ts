import type { HttpConfig, LedgerIdentity } from '../parts.ts';
import { escaped, page } from './page.ts';

const card = (href: string, name: string, what: string): string => `<li><a href="${href}">${name}</a><span>${what}</span></li>`;

/** What this is, where to look, and a first command that works as printed. */
export const homePage = ({ publicUrl }: HttpConfig, { fingerprint }: LedgerIdentity) =>
  page(
    'PixPax receipt ledger',
    `<h1>PixPax receipt ledger</h1>
<p class="lead">Who owns which card is written down here as receipts: signed, chained to one another, and kept where nothing is ever
overwritten. Everything else can be made anew from them.</p>

<ul class="cards">
${card('/sign-in', 'Your account', 'Sign in, passkeys, API keys, members')}
${card('/docs', 'API reference', 'Every route, to read and to try')}
${card('/openapi.json', 'OpenAPI 3.1', 'The same for programs, also as <code>.yaml</code>')}
${card('/health/ready', 'Health', 'Postgres, store and signer, each named')}
${card('/.well-known/pixpax-ledger.json', 'Trust anchor', 'What an auditor pins')}
${card('/problems', 'Problems', 'Every error code, and what to do')}
</ul>

<h2>A first command</h2>
<p>Sign up, sign in, and open an account. Each command carries an <code>Idempotency-Key</code>: send it twice and it still happened once.</p>
<pre><code>${escaped(firstCommands(publicUrl))}</code></pre>

<h2>Trust without us</h2>
<p>Copy the receipts, pin this fingerprint, and verify every one of them without this service:</p>
<pre class="fingerprint"><code>${escaped(fingerprint)}</code></pre>
`,
  );

const firstCommands = (url: string): string => `URL=${url}
AUTH="$URL/v1/auth"
JSON='Content-Type: application/json'

curl -s "$AUTH/sign-up/email" -H "$JSON" \\
  -d '{"name":"Ada","email":"ada@example.com","password":"a long passphrase"}'

TOKEN=$(curl -s "$AUTH/sign-in/email" -H "$JSON" \\
  -d '{"email":"ada@example.com","password":"a long passphrase"}' |
  sed 's/.*"token":"\\([^"]*\\)".*/\\1/')

curl -si -X POST "$URL/v1/accounts" \\
  -H "Authorization: Bearer $TOKEN" -H "Idempotency-Key: $(date +%s)-1"`;
