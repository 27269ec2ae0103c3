import type { LedgerScope } from '../ledger-scope.ts';
import type { Unmended } from '../repair.ts';
import type { RepairReport } from '../repair-database.ts';
import { SCOPE_ARGUMENTS, scopeOf } from './scope-arguments.ts';
import { TRUST_ARGUMENT, isSet, openConfigured, trustOf } from './shared-arguments.ts';
import { aligned, count, ledgerText, segmentFaultsText, visible } from './text.ts';
import { type ExitCode, type Verb, WrongUse, exitCodeOf } from './verb.ts';

export const repairVerb: Verb = {
  name: 'repair',
  description: 'apply to the live projection the receipts it lacks',
  args: {
    ...SCOPE_ARGUMENTS,
    rows: { type: 'boolean', description: 'of these streams, also mend rows that differ from what the receipts give' },
    ...TRUST_ARGUMENT,
  },
  run: async (context) => {
    const { withDatabase } = await import('./database.ts');
    const { repairDatabase } = await import('../repair-database.ts');
    const scope = scopeOf(context.args);
    const rows = isSet(context.args, 'rows');
    if (rows && scope === null) throw new WrongUse('--rows goes with --stream or --account; for the whole ledger run `rebuild`');
    const trust = trustOf(context.args, context.config().trust);
    const source = await openConfigured(context, true);
    try {
      const { onProgress } = context;
      const options = { source, trust, scope, rows, onProgress };
      const repaired = await withDatabase(context, (databaseUrl) => repairDatabase({ ...options, databaseUrl }));
      if (!repaired.ok) return { exitCode: 2, text: repaired.error.detail, json: { error: repaired.error } };
      return { exitCode: exitCode(repaired.value), text: repairedText(repaired.value, scope), json: repaired.value };
    } finally {
      await source.close();
    }
  },
};

const exitCode = ({ ledger, unmended }: RepairReport): ExitCode => (unmended.length > 0 ? 1 : exitCodeOf[ledger.verdict]);

const UNMENDED: { readonly [C in Unmended['code']]: string } = {
  ahead: 'receipts applied that the store does not have',
  different: 'another receipt applied',
  rows: 'rows that are not what the next receipt changes',
};

const repairedText = (report: RepairReport, scope: LedgerScope | null): string => {
  const { ledger, applied, appliedStreams, unmended, rows } = report;
  const parts = ledger.verdict === 'valid' ? [...segmentFaultsText(ledger.segments)] : [ledgerText(ledger)];
  if (rows !== null && rows.mended.length > 0)
    parts.push(aligned(rows.mended.map((one) => [visible(one.stream), `${one.removed} removed`, `${one.written} written`])));
  if (unmended.length > 0)
    parts.push(
      aligned(unmended.map(({ code, stream, position }) => [UNMENDED[code], visible(stream), `position ${position}`])),
      adviceOn(report, scope),
    );
  const what =
    applied === 0 ? 'nothing was missing' : `${count(applied, 'receipt')} applied in ${count(appliedStreams, 'stream')}`;
  const mended = rows === null ? '' : `, rows of ${count(rows.mended.length, 'stream')} mended`;
  return [...parts, `repaired: ${what}${mended}, ${count(ledger.receipts, 'receipt')} read`].join('\n\n');
};

const adviceOn = ({ unmended, rows }: RepairReport, scope: LedgerScope | null): string => {
  if (unmended.some(({ code }) => code === 'ahead'))
    return 'If the store has lost receipts, bring them back with `import` from a copy before anything else.';
  if (rows !== null) return 'These rows are left as they are: run `rebuild`.';
  return `What is applied wrongly cannot be mended by applying more: run \`repair --rows\` on ${scope === null ? 'each' : 'the same'}, or \`rebuild\`.`;
};
