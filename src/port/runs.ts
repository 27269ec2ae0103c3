import type { Instant, UserId } from '../receipt/ids.ts';
import type { JsonObject } from '../receipt/json.ts';
import type { Page, PageRequest } from './ledger-queries.ts';

/** What may be run on the whole ledger: verbs of the projector's command line. Each may be repeated at any time, and by two at once. */
export const runKinds = ['rebuild', 'repair', 'drift', 'verify'] as const;
export type RunKind = (typeof runKinds)[number];

/**
 * Why a run came to nothing. `interrupted`: the process that had it died. `service-stopped`: it was ended with the service. `took-too-long`
 * (`limits.runMs`). `not-done`: a dependency was missing, or another run in the way; the report says which. `crashed`: a bug, or no memory.
 */
export const runFailures = ['interrupted', 'service-stopped', 'took-too-long', 'not-done', 'crashed'] as const;
export type RunFailure = (typeof runFailures)[number];

/** A run without its report. `runId` is `run_` and a ULID. `exitCode` is the command line's: 0 all is well, 1 something is wrong, 3 incomplete. */
export type RunSummary = {
  readonly runId: string;
  readonly kind: RunKind;
  readonly userId: UserId;
  readonly status: 'queued' | 'running' | 'finished' | 'failed';
  readonly createdAt: Instant;
  readonly startedAt: Instant | null;
  readonly finishedAt: Instant | null;
  readonly exitCode: number | null;
  readonly reason: RunFailure | null;
};

/**
 * `report` is what the command line says with `--json`. `reportWhole` false: it was longer than `limits.runReportBytes`, and of its lists only the
 * beginnings are here.
 */
export type Run = RunSummary & { readonly report: JsonObject | null; readonly reportWhole: boolean };

/** How a run ended. `reason` null: it did what it was asked to, whatever it found. */
export type RunEnd = {
  readonly exitCode: number | null;
  readonly reason: RunFailure | null;
  readonly report: JsonObject | null;
  readonly reportWhole: boolean;
};

/** Does the work of a run, in a process of its own. Ends it, and says so, once `signal` is aborted. Never rejects. */
export type Projector = (kind: RunKind, signal: AbortSignal) => Promise<RunEnd>;

/**
 * The runs that were asked for, and what came of them. Throws `Outage` (`postgres-unavailable`). Losing them loses reports and nothing else.
 */
export interface Runs {
  /**
   * Takes a run and puts its job into the queue, in one transaction. Of each kind one is queued or running at a time: otherwise this answers
   * the one that is.
   */
  order(
    run: Pick<RunSummary, 'runId' | 'kind' | 'userId'>,
    now: Instant,
  ): Promise<{ readonly taken: boolean; readonly run: Run }>;
  read(runId: string): Promise<Run | null>;
  /** Newest first. `after` of a page is the last run id of the page before. */
  list(page: PageRequest<string>): Promise<Page<RunSummary>>;
  /** The run of a kind that was asked for last, in whatever state. */
  latest(kind: RunKind): Promise<RunSummary | null>;
  /** Says that a queued run begins: its kind, or null when it is not queued (any more). Only one caller is told so. */
  begin(runId: string, now: Instant): Promise<RunKind | null>;
  /** Ends a run that has begun; one that has ended stays as it is. */
  end(runId: string, end: RunEnd, now: Instant): Promise<void>;
  /** Ids of runs that have not ended, oldest first. */
  unfinished(limit: number): Promise<readonly string[]>;
}
