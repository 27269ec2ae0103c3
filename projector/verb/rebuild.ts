import type { FreshRefusal } from '../fresh-projection.ts';
import type { RebuildReport } from '../rebuild.ts';
import { TRUST_ARGUMENT, openConfigured, trustOf } from './shared-arguments.ts';
import { aligned, count, ledgerText, verdictLine, visible } from './text.ts';
import { type Verb, type VerbResult, exitCodeOf } from './verb.ts';

export const rebuildVerb: Verb = {
  name: 'rebuild',
  description: 'make the projection anew from the receipts, compare it with the live one and put it in its place',
  args: { ...TRUST_ARGUMENT },
  run: async (context) => {
    // Other verbs run where there is no driver of Postgres.
    const { withDatabase } = await import('./database.ts');
    const { rebuild } = await import('../rebuild.ts');
    const trust = trustOf(context.args, context.config().trust);
    const source = await openConfigured(context, true);
    try {
      const { onProgress } = context;
      const rebuilt = await withDatabase(context, (databaseUrl) => rebuild({ source, databaseUrl, trust, onProgress }));
      return rebuilt.ok ? { exitCode: 0, text: rebuiltText(rebuilt.value), json: rebuilt.value } : refusedResult(rebuilt.error);
    } finally {
      await source.close();
    }
  },
};

/** A ledger that is not valid, or another run that is in the way: nothing was changed. */
export const refusedResult = (refusal: FreshRefusal): VerbResult =>
  refusal.code === 'already-running'
    ? { exitCode: 2, text: refusal.detail, json: { error: refusal } }
    : {
        exitCode: exitCodeOf[refusal.ledger.verdict],
        text: `${ledgerText(refusal.ledger)}\nThe projection was left as it is.`,
        json: { error: { code: refusal.code }, ledger: refusal.ledger },
      };

const LIVE_TEXT = {
  missing: 'There was no projection; now there is one.',
  empty: 'The projection was empty; now it is filled.',
  other: 'The projection was of another version or damaged, and was not compared; it is kept as projection_previous.',
} as const;

const rebuiltText = (report: RebuildReport): string => {
  const { live, digests, leftOut, wrongHeads, redone, drifted, ledger } = report;
  const parts: string[] = [];
  if (live !== 'whole') parts.push(LIVE_TEXT[live]);
  else {
    const rows = digests.map(({ table, rows: n, equal, live: was, rebuilt }) => [
      table,
      count(n, 'row'),
      equal ? 'equal' : `DIFFERENT  ${was.slice(0, 12)}… was live, ${rebuilt.slice(0, 12)}… is what the receipts give`,
    ]);
    parts.push(aligned(rows));
    if (leftOut > 0) parts.push(`${count(leftOut, 'stream')} left out of the comparison: ahead or behind at that moment.`);
    if (wrongHeads.length > 0)
      parts.push(
        aligned(
          wrongHeads.map(({ stream, kind, live: was }) => [
            `live head was ${kind}`,
            visible(stream),
            `position ${was?.position ?? 'none'}`,
          ]),
        ),
      );
    parts.push(
      drifted
        ? 'The live projection had drifted from the receipts. What the receipts give is live now; the old rows are kept as projection_previous.'
        : 'The live projection was what the receipts give.',
    );
  }
  if (redone > 0) parts.push(`${count(redone, 'entry', 'entries')} of the redo outbox made again: the service sees to them.`);
  return [...parts, `rebuilt: ${verdictLine(ledger).replace(/^valid: /, '')}`].join('\n\n');
};
