import { type Clock, systemClock } from '../../src/port/clock.ts';

/** A clock that stands still until it is turned; waiting is real. */
export type TurnedClock = Clock & {
  /** Turns it forward by whole milliseconds. */
  readonly turn: (ms: number) => void;
};

/** One for each call: a promise that is shared remembers, for ever, everyone who ever waited for it. */
const never = (): Promise<void> => new Promise<void>(() => undefined);

/**
 * Shows `startMs`, in milliseconds since 1970. `deadlines`: whether the calls that it times may hang; those of a thread that does everything by
 * itself cannot, and an alarm that is set and taken back for each of them costs as much as the receipt's hash.
 */
export const turnedClock = (startMs: number, { deadlines }: { readonly deadlines: boolean }): TurnedClock => {
  let nowMs = startMs;
  return {
    ...systemClock,
    sleep: (ms, signal) => (deadlines || signal === undefined ? systemClock.sleep(ms, signal) : never()),
    now: () => nowMs,
    turn: (ms) => {
      nowMs += Math.max(0, Math.floor(ms));
    },
  };
};
