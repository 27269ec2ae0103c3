import type { DriftReport } from '../drift.ts';
import { refusedResult } from './rebuild.ts';
import { TRUST_ARGUMENT, openConfigured, trustOf } from './shared-arguments.ts';
import { aligned, count, visible } from './text.ts';
import type { Verb } from './verb.ts';

export const driftVerb: Verb = {
  name: 'drift',
  description: 'report every difference between the live projection and what the receipts give; changes nothing',
  args: { ...TRUST_ARGUMENT },
  run: async (context) => {
    const { withDatabase } = await import('./database.ts');
    const { drift } = await import('../drift.ts');
    const trust = trustOf(context.args, context.config().trust);
    const source = await openConfigured(context, true);
    try {
      const { onProgress } = context;
      const found = await withDatabase(context, (databaseUrl) => drift({ source, databaseUrl, trust, onProgress }));
      if (!found.ok) return refusedResult(found.error);
      return { exitCode: found.value.drifted ? 1 : 0, text: driftText(found.value), json: found.value };
    } finally {
      await source.close();
    }
  },
};

const driftText = ({ live, heads, rows, rowCount, ledger }: DriftReport): string => {
  const compared = `${count(ledger.receipts, 'receipt')} in ${count(ledger.streams, 'stream')}`;
  if (live === 'missing') return `DRIFT: there is no projection of ${compared}; run \`rebuild\``;
  if (live === 'other') return `DRIFT: the projection is of another version or damaged; run \`rebuild\``;
  if (heads.length + rowCount === 0) return `no drift: the projection is what ${compared} give`;
  const parts: string[] = [];
  if (heads.length > 0)
    parts.push(
      aligned(
        heads.map(({ kind, stream, live: shown, fresh }) => [
          `head ${kind}`,
          visible(stream),
          `live at ${shown?.position ?? 'none'}, receipts to ${fresh?.position ?? 'none'}`,
        ]),
      ),
    );
  if (rows.length > 0)
    parts.push(
      aligned(
        rows.map(({ kind, table, key, columns }) => [
          `row ${kind}`,
          table,
          visible(Object.values(key).join(' ')),
          columns.length === 0 ? '' : `in ${columns.join(', ')}`,
        ]),
      ),
    );
  if (rowCount > rows.length) parts.push(`and ${count(rowCount - rows.length, 'row')} more`);
  const advice =
    heads.every(({ kind }) => kind === 'behind') && rows.every(({ kind }) => kind === 'missing') ? 'repair' : 'rebuild';
  const lost = heads.some(({ kind }) => kind === 'ahead');
  const what = lost
    ? 'more is applied than the store holds: if receipts were lost, bring them back with `import` from a copy before anything else'
    : `run \`${advice}\``;
  return [...parts, `DRIFT: ${count(heads.length, 'head')} and ${count(rowCount, 'row')} of ${compared}; ${what}`].join('\n\n');
};
