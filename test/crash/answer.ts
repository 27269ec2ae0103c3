import type { Acknowledged, CommandOutcome } from '../../src/command/ledger-commands.ts';
import { Outage } from '../../src/port/outage.ts';
import type { Result } from '../../src/result.ts';

/** What came of something: `ok` with its receipt, `done` or `later` of a redo, `outage`, or the code of the refusal. */
export type Answer = { readonly code: string; readonly receipt: Acknowledged | null };

/** Waits for an answer. Only outages are answers; any other error is a bug. */
export const answered = async (work: Promise<CommandOutcome | Result<'done' | 'later', { code: string }>>): Promise<Answer> => {
  try {
    const outcome = await work;
    if (!outcome.ok) return { code: outcome.error.code, receipt: null };
    return typeof outcome.value === 'string' ? { code: outcome.value, receipt: null } : { code: 'ok', receipt: outcome.value };
  } catch (error) {
    if (!(error instanceof Outage)) throw error;
    return { code: 'outage', receipt: null };
  }
};
