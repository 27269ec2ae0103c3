import { type ProblemCode, problemCodes, problemKinds } from '../problem-code.ts';
import { escaped, page } from './page.ts';

const row = (code: ProblemCode): string => {
  const { status, title, advice } = problemKinds[code];
  return `<tr><td><a href="/problems/${code}"><code>${code}</code></a></td><td>${status}</td><td>${escaped(title)}.<br><span class="soft">${escaped(advice)}</span></td></tr>`;
};

/** The whole table. */
export const problemsPage = () =>
  page(
    'Problems · PixPax receipt ledger',
    `<h1>Problems</h1>
<p class="lead">Every error is <a href="https://www.rfc-editor.org/rfc/rfc9457">RFC 9457</a> problem details. Programs switch on
<code>code</code>, which is stable; <code>errors</code> points at the members of the input that are at fault.</p>
<table><thead><tr><th>code</th><th>status</th><th>what it means</th></tr></thead><tbody>
${problemCodes.map(row).join('\n')}
</tbody></table>`,
  );

/** One code: what `type` of a problem leads to. */
export const problemPage = (code: ProblemCode) => {
  const { status, title, advice, retryAfterSeconds } = problemKinds[code];
  const later = retryAfterSeconds === undefined ? '' : '<p>The answer’s <code>Retry-After</code> says when to try again.</p>';
  return page(
    `${title} · PixPax receipt ledger`,
    `<p class="soft"><a href="/problems">Problems</a></p>
<h1>${escaped(title)}</h1>
<p><code>${code}</code> · HTTP ${status}</p>
<p class="lead">${escaped(advice)}</p>
${later}`,
  );
};
