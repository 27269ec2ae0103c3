import type { RepairReport } from '../repair.ts';
import { TRUST_ARGUMENT, openConfigured, trustOf } from './shared-arguments.ts';
import { aligned, count, ledgerText, segmentFaultsText, visible } from './text.ts';
import { type ExitCode, type Verb, exitCodeOf } from './verb.ts';

export const repairVerb: Verb = {
  name: 'repair',
  description: 'apply to the live projection the receipts it lacks',
  args: { ...TRUST_ARGUMENT },
  run: async (context) => {
    const { withDatabase } = await import('./database.ts');
    const { repairDatabase } = await import('../repair-database.ts');
    const trust = trustOf(context.args, context.config().trust);
    const source = await openConfigured(context, true);
    try {
      const { onProgress } = context;
      const report = await withDatabase(context, (databaseUrl) => repairDatabase({ source, databaseUrl, trust, onProgress }));
      return { exitCode: exitCode(report), text: repairedText(report), json: report };
    } finally {
      await source.close();
    }
  },
};

const exitCode = ({ ledger, unmended }: RepairReport): ExitCode => (unmended.length > 0 ? 1 : exitCodeOf[ledger.verdict]);

const repairedText = ({ ledger, applied, appliedStreams, unmended }: RepairReport): string => {
  const parts = ledger.verdict === 'valid' ? [...segmentFaultsText(ledger.segments)] : [ledgerText(ledger)];
  if (unmended.length > 0)
    parts.push(
      aligned(
        unmended.map(({ code, stream, position }) => [
          code === 'ahead' ? 'receipts applied that the store does not have' : 'another receipt applied',
          visible(stream),
          `position ${position}`,
        ]),
      ),
      'What is applied wrongly cannot be mended by applying more: run `rebuild`.',
    );
  const what =
    applied === 0 ? 'nothing was missing' : `${count(applied, 'receipt')} applied in ${count(appliedStreams, 'stream')}`;
  return [...parts, `repaired: ${what}, ${count(ledger.receipts, 'receipt')} read`].join('\n\n');
};
