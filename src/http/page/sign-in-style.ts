/** What /sign-in has beyond the style of every page: forms, lists and notices. Edges of fields stand out 3:1, text 4.5:1 (WCAG 2.2). */
export const SIGN_IN_STYLE = `
:root { --edge: #858b99; --on-accent: #ffffff; --bad: #b3261e; --bad-paper: #fdeceb; --good-paper: #ece6fb }
@media (prefers-color-scheme: dark) {
  :root { --edge: #737a8c; --on-accent: #1b1030; --bad: #ff9d94; --bad-paper: #3a2023; --good-paper: #2b2440 }
}
[hidden] { display: none !important }
main { padding-top: 2.5rem }
h1 { margin-bottom: 1.1rem }
h1:focus, h2:focus { outline: none }
h2 { margin: 0 0 0.35rem }
h3 { font-size: 0.95rem; margin: 1.25rem 0 0.5rem }
.panel { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 1.4rem 1.5rem; margin: 0 0 1rem }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 17rem), 1fr)); gap: 1rem; align-items: start }
.pair .panel { margin: 0 }
.hint { color: var(--soft); font-size: 0.92rem; line-height: 1.5; margin: 0 0 1rem }
.who { display: flex; flex-wrap: wrap; gap: 0.5rem 1rem; align-items: center; justify-content: space-between; margin: 0 0 1.5rem }
.who p { flex: 1 1 16rem; margin: 0; overflow-wrap: anywhere }
label, legend { display: block; font-weight: 600; font-size: 0.9rem; margin: 0 0 0.25rem; padding: 0 }
.field { margin: 0 0 0.9rem }
.field .hint { margin: 0.25rem 0 0; font-size: 0.85rem }
input, select { width: 100%; min-height: 2.75rem; padding: 0.5rem 0.7rem; font: inherit; color: inherit; background: var(--paper);
  border: 1px solid var(--edge); border-radius: 8px }
input[type="checkbox"] { width: 1.15rem; min-height: 1.15rem; height: 1.15rem; margin: 0; flex: none; accent-color: var(--accent) }
fieldset { border: 0; margin: 0 0 0.9rem; padding: 0; min-width: 0 }
.scopes { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 11rem), 1fr)); gap: 0.1rem 1rem }
.scopes label { display: flex; gap: 0.55rem; align-items: center; font-weight: 400; min-height: 2rem; margin: 0 }
button { min-height: 2.75rem; padding: 0.5rem 1.1rem; font: inherit; font-weight: 600; border-radius: 8px; cursor: pointer;
  color: var(--on-accent); background: var(--accent); border: 1px solid var(--accent) }
button.plain { color: var(--accent); background: transparent; border-color: var(--edge) }
button.small { min-height: 2.25rem; padding: 0.25rem 0.8rem; font-size: 0.9rem }
button:disabled { opacity: 0.55; cursor: default }
button[aria-busy="true"] { cursor: progress }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px }
.wide { width: 100% }
.inside .acts { margin-top: 0.5rem }
.inside li .acts { margin: 0 }
.line { display: flex; flex-wrap: wrap; gap: 0.6rem; align-items: end }
.line .field { flex: 1 1 10rem; margin: 0 }
.list { list-style: none; margin: 0; padding: 0 }
[data-list] + button, [data-list] + form { margin-top: 0.9rem }
.list > li { display: flex; flex-wrap: wrap; gap: 0.4rem 1rem; align-items: center; justify-content: space-between;
  padding: 0.7rem 0; border-top: 1px solid var(--line) }
.list > li:first-child { border-top: 0 }
.list .what { flex: 1 1 14rem; min-width: 0; overflow-wrap: anywhere }
.list .what small { display: block; color: var(--soft); font-size: 0.87rem; line-height: 1.45 }
.acts { display: flex; flex-wrap: wrap; gap: 0.5rem; align-items: center }
.acts select { width: auto; min-height: 2.25rem; padding: 0.2rem 0.5rem; font-size: 0.9rem }
.mark { display: inline-block; font-size: 0.8rem; font-weight: 600; line-height: 1.5; padding: 0 0.55rem; border-radius: 99px;
  background: var(--good-paper); color: var(--accent) }
.empty { color: var(--soft); margin: 0 }
.problem, .notice, .secret { border-radius: 8px; padding: 0.65rem 0.9rem; margin: 0.9rem 0 0; overflow-wrap: anywhere; font-size: 0.95rem }
.problem { background: var(--bad-paper); border-left: 4px solid var(--bad) }
.problem strong { display: block; color: var(--bad) }
.problem ul { margin: 0.25rem 0 0; padding-left: 1.2rem }
.notice { background: var(--good-paper); border-left: 4px solid var(--accent); margin: 0 0 1rem }
.problem:empty, .notice:empty { display: none }
.secret { background: var(--good-paper); border: 1px solid var(--accent) }
.secret p { margin: 0 0 0.5rem }
.secret code { display: block; user-select: all; margin: 0 0 0.6rem }
details { border-top: 1px solid var(--line); padding: 0.35rem 0 }
details:first-child { border-top: 0 }
summary { cursor: pointer; padding: 0.45rem 0; overflow-wrap: anywhere }
.inside { padding: 0 0 0.75rem 1.1rem }
.or { display: flex; align-items: center; gap: 0.8rem; color: var(--soft); font-size: 0.9rem; margin: 1.1rem 0 }
.or::before, .or::after { content: ""; flex: 1; border-top: 1px solid var(--line) }
@media (max-width: 30rem) {
  main { padding: 1.5rem 1rem 4rem }
  .panel { padding: 1.1rem }
  .inside { padding-left: 0 }
}
`;
