import type { DriftReport } from '../drift.ts';
import type { LedgerScope } from '../ledger-scope.ts';
import { refusedResult } from './rebuild.ts';
import { SCOPE_ARGUMENTS, scopeOf } from './scope-arguments.ts';
import { TRUST_ARGUMENT, openConfigured, trustOf } from './shared-arguments.ts';
import { aligned, count, ledgerText, visible } from './text.ts';
import { type Verb, exitCodeOf } from './verb.ts';

export const driftVerb: Verb = {
  name: 'drift',
  description: 'report every difference between the live projection and what the receipts give; changes nothing',
  args: { ...SCOPE_ARGUMENTS, ...TRUST_ARGUMENT },
  run: async (context) => {
    const { withDatabase } = await import('./database.ts');
    const { drift } = await import('../drift.ts');
    const scope = scopeOf(context.args);
    const trust = trustOf(context.args, context.config().trust);
    const source = await openConfigured(context, true);
    try {
      const { onProgress } = context;
      const found = await withDatabase(context, (databaseUrl) => drift({ source, databaseUrl, trust, scope, onProgress }));
      if (!found.ok)
        return found.error.code === 'unknown-stream'
          ? { exitCode: 2, text: found.error.detail, json: { error: found.error } }
          : refusedResult(found.error);
      const { drifted, ledger } = found.value;
      return { exitCode: drifted ? 1 : exitCodeOf[ledger.verdict], text: driftText(found.value, scope), json: found.value };
    } finally {
      await source.close();
    }
  },
};

const driftText = (report: DriftReport, scope: LedgerScope | null): string => {
  const { live, heads, rows, rowCount, ledger } = report;
  const compared = `${count(ledger.receipts, 'receipt')} in ${count(ledger.streams, 'stream')}`;
  if (live === 'missing') return `DRIFT: there is no projection of ${compared}; run \`rebuild\``;
  if (live === 'other') return `DRIFT: the projection is of another version or damaged; run \`rebuild\``;
  const parts: string[] = [];
  // Streams at fault were not compared.
  if (ledger.verdict !== 'valid') parts.push(ledgerText(ledger));
  if (heads.length + rowCount === 0) return [...parts, `no drift: the projection is what ${compared} give`].join('\n\n');
  if (heads.length > 0) parts.push(aligned(heads.map(headColumns)));
  if (rows.length > 0) parts.push(aligned(rows.map(rowColumns)));
  if (rowCount > rows.length) parts.push(`and ${count(rowCount - rows.length, 'row')} more`);
  const what = `${count(heads.length, 'head')} and ${count(rowCount, 'row')} of ${compared}`;
  return [...parts, `DRIFT: ${what}; ${adviceOn(report, scope)}`].join('\n\n');
};

const headColumns = ({ kind, stream, live, fresh }: DriftReport['heads'][number]): readonly string[] => [
  `head ${kind}`,
  visible(stream),
  `live at ${live?.position ?? 'none'}, receipts to ${fresh?.position ?? 'none'}`,
];

const rowColumns = ({ kind, table, key, columns, stream }: DriftReport['rows'][number]): readonly string[] => [
  `row ${kind}`,
  table,
  visible(Object.values(key).join(' ')),
  ...(columns.length === 0 ? [] : [`in ${columns.join(', ')}`]),
  `of ${visible(stream)}`,
];

const adviceOn = ({ heads, rows, rowCount }: DriftReport, scope: LedgerScope | null): string => {
  if (heads.some(({ kind }) => kind === 'ahead'))
    return 'more is applied than the store holds: if receipts were lost, bring them back with `import` from a copy before anything else';
  const behind = new Set(heads.filter(({ kind }) => kind === 'behind').map(({ stream }) => stream));
  const isBehindOnly = behind.size === heads.length && rows.length === rowCount && rows.every(({ stream }) => behind.has(stream));
  if (isBehindOnly && (scope === null || rowCount === 0)) return 'run `repair`';
  if (scope !== null) return 'run `repair --rows` on the same';
  const streams = [...new Set([...heads, ...rows].map(({ stream }) => stream))];
  const [only] = streams;
  return only === undefined || streams.length > 1 || rows.length < rowCount
    ? 'run `rebuild`, or `repair --rows --stream …` on each'
    : `run \`repair --rows --stream ${visible(only)}\`, or \`rebuild\``;
};
