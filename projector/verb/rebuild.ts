import type { FreshRefusal } from '../fresh-projection.ts';
import type { joinRebuild } from '../join.ts';
import type { RebuildReport } from '../rebuild.ts';
import type { rollback } from '../rollback.ts';
import { SEGMENTS_ARGUMENT, TRUST_ARGUMENT, isSet, openConfigured, threadsOf, trustOf } from './shared-arguments.ts';
import { aligned, count, ledgerText, verdictLine, visible } from './text.ts';
import { type Verb, type VerbResult, WrongUse, exitCodeOf } from './verb.ts';

export const rebuildVerb: Verb = {
  name: 'rebuild',
  description: 'make the projection anew from the receipts, compare it with the live one and put it in its place',
  args: {
    ...TRUST_ARGUMENT,
    threads: { type: 'string', valueHint: 'n', description: 'threads to use; by default one to a core' },
    ...SEGMENTS_ARGUMENT,
    anew: { type: 'boolean', description: 'do not go on where an earlier run was stopped' },
    join: { type: 'boolean', description: 'help a rebuild that another process leads; any number may' },
    quarantine: { type: 'boolean', description: 'project poisoned streams up to their fault, and all others whole' },
    rollback: { type: 'boolean', description: 'put the projection that the last rebuild replaced back, caught up' },
  },
  run: async (context) => {
    const { args, config, onProgress, say } = context;
    const modes = ['join', 'rollback', 'quarantine', 'anew'].filter((name) => isSet(args, name));
    if (modes.length > 1 && (isSet(args, 'join') || isSet(args, 'rollback')))
      throw new WrongUse(`--${modes[0]} and --${modes[1]} do not go together`);
    // Other verbs run where there is no driver of Postgres.
    const { withDatabase } = await import('./database.ts');
    const { givePrecedence } = await import('../precedence.ts');
    const trust = trustOf(args, config().trust);
    const threads = threadsOf(args.threads ?? null);
    givePrecedence();
    const source = await openConfigured(context, true, args.segments === 'no' ? 'ignore' : 'use');
    try {
      return await withDatabase(context, async (databaseUrl) => {
        const options = { source, databaseUrl, trust, threads, onProgress };
        if (isSet(args, 'join')) {
          const { joinRebuild } = await import('../join.ts');
          return joinedResult(await joinRebuild({ ...options, onWaiting: () => say('waiting for a rebuild to begin') }));
        }
        if (isSet(args, 'rollback')) return rolledBackResult(await (await import('../rollback.ts')).rollback(options));
        const { rebuild } = await import('../rebuild.ts');
        const rebuilt = await rebuild({ ...options, resume: !isSet(args, 'anew'), quarantine: isSet(args, 'quarantine') });
        return rebuilt.ok ? rebuiltResult(rebuilt.value) : refusedResult(rebuilt.error);
      });
    } finally {
      await source.close();
    }
  },
};

/** Streams in quarantine are told by the exit code too: something in the ledger is wrong, though all else is live. */
const rebuiltResult = (report: RebuildReport): VerbResult => ({
  exitCode: exitCodeOf[report.ledger.verdict],
  text: rebuiltText(report),
  json: report,
});

const joinedResult = (joined: Awaited<ReturnType<typeof joinRebuild>>): VerbResult =>
  joined.ok
    ? {
        exitCode: 0,
        text: `helped: ${count(joined.value.units, 'unit')} with ${count(joined.value.receipts, 'receipt')}; who leads the rebuild ends it`,
        json: joined.value,
      }
    : { exitCode: 0, text: joined.error.detail, json: { error: joined.error } };

const rolledBackResult = (rolled: Awaited<ReturnType<typeof rollback>>): VerbResult => {
  if (rolled.ok)
    return {
      exitCode: 0,
      text: 'rolled back: the projection before the last rebuild is live again, caught up; the one it replaced is kept as projection_previous',
      json: rolled.value,
    };
  const { error } = rolled;
  if (error.code !== 'receipts-not-valid') return { exitCode: 2, text: error.detail, json: { error } };
  const named = error.faults.map(({ key, code, detail }) => `${code}\n  ${visible(key)}\n  ${detail}`);
  return { exitCode: 1, text: [...named, 'Nothing was changed.'].join('\n'), json: { error } };
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
  const { live, digests, leftOut, wrongHeads, redone, drifted, ledger, quarantined, resumed } = report;
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
  if (resumed) parts.push('It went on where an earlier run was stopped.');
  if (quarantined.length > 0)
    parts.push(
      ledgerText(ledger),
      `${count(quarantined.length, 'stream')} in quarantine: live up to the fault, and no further until the store is mended.`,
    );
  return [...parts, `rebuilt: ${verdictLine(ledger).replace(/^valid: /, '')}`].join('\n\n');
};
