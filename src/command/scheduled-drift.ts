import { limits } from '../limits.ts';
import type { Clock } from '../port/clock.ts';
import type { RunSummary, Runs } from '../port/runs.ts';
import { SCHEDULE_USER_ID } from '../receipt/ids.ts';
import { runCommands } from './runs.ts';

export type DriftSchedule = {
  readonly runs: Runs;
  readonly clock: Clock;
  /** From the beginning of one run to that of the next. */
  readonly everyHours: number;
  /** When this process began its background work. */
  readonly startedMs: number;
};

/**
 * Orders a drift run, as an operator would, when it is time for one. Every process may do this at any time: one is under way at a time, and all look
 * at the same last one. Two that look at the same moment may order one after the other, which costs a run. Throws `Outage`.
 */
export const sweepDrift = async ({ runs, clock, everyHours, startedMs }: DriftSchedule): Promise<void> => {
  const latest = await runs.latest('drift');
  const dueMs = latest === null ? startedMs + limits.firstDriftMs : Date.parse(latest.createdAt) + pauseMs(latest, everyHours);
  if (clock.now() >= dueMs) await runCommands({ runs, clock }).start(SCHEDULE_USER_ID, 'drift');
};

/** One that came to nothing told nobody anything: something was away, or another run in the way. */
const pauseMs = ({ status }: RunSummary, everyHours: number): number => {
  const ms = everyHours * 3_600_000;
  return status === 'failed' ? Math.min(ms, limits.driftRetryMs) : ms;
};
