import { ulid } from 'ulid';
import type { Clock } from '../port/clock.ts';
import type { Page, PageRequest } from '../port/ledger-queries.ts';
import type { Notify } from '../port/notice.ts';
import type { Projector, Run, RunEnd, RunFailure, RunKind, RunSummary, Runs } from '../port/runs.ts';
import { type UserId, instantOf } from '../receipt/ids.ts';
import { type Result, err, ok } from '../result.ts';
import type { Refusal } from '../stream/refusal.ts';
import { driftNotice } from './drift-notice.ts';

/** Runs of the projector, for operators: whoever calls these is one. Throws `Outage`. */
export type RunCommands = {
  /** Takes a run, which begins when no other one is under way. Refused while one of its kind is queued or running. */
  start(userId: UserId, kind: RunKind): Promise<Result<Run, Refusal<'run-under-way'>>>;
  read(runId: string): Promise<Run | null>;
  /** Newest first. */
  list(page: PageRequest<string>): Promise<Page<RunSummary>>;
};

export const runCommands = ({ runs, clock }: { readonly runs: Runs; readonly clock: Clock }): RunCommands => ({
  start: async (userId, kind) => {
    const now = clock.now();
    const { taken, run } = await runs.order({ runId: `run_${ulid(now)}`, kind, userId }, instantOf(now));
    return taken ? ok(run) : err({ code: 'run-under-way', detail: `${run.runId} is under way` });
  },
  read: (runId) => runs.read(runId),
  list: (page) => runs.list(page),
});

/** Does the job of a run. Throws `Outage`; then the job is done once more, and finds that the run has begun. */
export type DoRun = (runId: string, signal: AbortSignal) => Promise<void>;

type DoRunParts = { readonly runs: Runs; readonly projector: Projector; readonly clock: Clock; readonly notify: Notify };

/**
 * Runs are never begun twice: one that has begun, and whose job comes once more, had a process that died (or lost its Postgres, and with it
 * the job), so it is ended here. Should that process live after all, the run goes on beside whatever comes next, which is harmless, and
 * what it finds is heard by nobody.
 */
export const runDoer =
  ({ runs, projector, clock, notify }: DoRunParts): DoRun =>
  async (runId, signal) => {
    const kind = await runs.begin(runId, instantOf(clock.now()));
    const end = kind === null ? failedFor('interrupted') : await projector(kind, signal);
    const notice = kind === null ? null : driftNotice(kind, runId, end);
    if (notice !== null) notify(notice);
    // A crash or an outage here: the job comes again, and the run ends as interrupted. What it did is done, and may be done again.
    await runs.end(runId, end, instantOf(clock.now()));
  };

const failedFor = (reason: RunFailure): RunEnd => ({ exitCode: null, reason, report: null, reportWhole: true });
