/** `points` within each window of `windowMs`, which begins with the first request that draws on it. */
export type Rate = { readonly points: number; readonly windowMs: number };

/**
 * One allowance a request draws on. `subject` is who it is of (`ip:…`, `usr_…`, `acc_…`), `policy` names the rule in headers and metrics: at
 * most some tens of values. Two allowances of one policy and one subject are the same one.
 */
export type Allowance = Rate & {
  readonly policy: string;
  readonly subject: string;
  /** Drawn on once the window's points are used up, under the policy `burstPolicy(policy)`. Null: there is no more. */
  readonly burst: Rate | null;
  /**
   * True: a process may take some points at once and spend them by itself, which saves it the question for most requests. What it takes and
   * does not spend, at most a tenth, nobody can spend before the window is over. False: every point is asked for.
   */
  readonly leased: boolean;
};

/** What the burst of a policy is called. */
export const burstPolicy = (policy: string): string => `${policy}-burst`;

/**
 * How an allowance stands, or its burst, as far as this process knows. `remaining` is 0 or more, in points; `resetMs` from now until it is whole
 * again: the window's length when none has begun.
 */
export type Standing = Rate & {
  readonly policy: string;
  readonly subject: string;
  readonly remaining: number;
  readonly resetMs: number;
};

/**
 * `refused` names the policy that had nothing left, and `retryMs` is when it will have: both null when the request is allowed. `standings` are
 * of the allowances that were asked, each followed by its burst.
 */
export type Taken = {
  readonly allowed: boolean;
  readonly refused: string | null;
  readonly retryMs: number | null;
  readonly standings: readonly Standing[];
};

/**
 * Counts requests for all processes together. Never throws: when the database is not there each process counts for itself, from nothing, which
 * `shared` false tells; the first answer of the database ends that. Never admits more than `points` (and the burst's) in a window while it is
 * shared; two windows may meet, so that twice as many come in a row. The processes' clocks rule the windows: one that is fast ends a
 * window earlier by as much. Counts are of use for minutes only, so losing them with a database costs one window.
 */
export interface Limiter {
  /** Draws a point from each in turn, up to the first that has none: the ones before it have lost theirs, the ones after it are not asked. */
  take(allowances: readonly Allowance[]): Promise<Taken>;
  /** How allowances and their bursts stand, without drawing on them. What other processes hold unspent counts as spent. */
  look(allowances: readonly Allowance[]): Promise<readonly Standing[]>;
  /**
   * Makes allowances and their bursts whole again: those that were refused are admitted by every process within a second, while the counts are
   * shared. What other processes hold unspent they may spend on top.
   */
  reset(allowances: readonly Allowance[]): Promise<void>;
  /** Whether the counts are those of all processes. */
  shared(): boolean;
  /** Lets go of the database. Nothing else may be called after it. */
  close(): Promise<void>;
}
