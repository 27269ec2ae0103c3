import { limits } from '../../limits.ts';
import { type Clock, withDeadline } from '../../port/clock.ts';
import type { Limiter } from '../../port/limiter.ts';
import { limiterOver } from '../limiter-over.ts';
import { type Counter, windowCounts } from '../window-counts.ts';
import { type CountsDatabase, type PostgresCounts, postgresCounts } from './postgres-counts.ts';

export type LimiterOptions = {
  /** Ended by `close`. A few connections are enough, and those should give up soon: who waits here is a request. */
  readonly database: CountsDatabase;
  readonly clock: Clock;
  /** Told of each change; `reason` is Postgres's or the socket's. */
  readonly onShared: (shared: boolean, reason: unknown) => void;
  /** How long Postgres may take over an allowance. */
  readonly timeoutMs?: number;
};

/**
 * The limiter over the library's counts in Postgres. Its memory limiter is not used as insurance: it does not tell when it steps in, and keeps
 * a timer for each subject and as many subjects as come.
 */
export const openLimiter = (options: LimiterOptions): Limiter => {
  const { database, clock, onShared } = options;
  const closing = new AbortController();
  const shared = postgresCounts(database, clock);
  const own = windowCounts(clock);
  const counter = insured(shared, own, options, closing.signal, (isShared, reason) => {
    // What was held of the one count says nothing of the other.
    limiter.forget();
    own.clear();
    onShared(isShared, reason);
  });
  const limiter = limiterOver(counter, clock);
  const sweeping = sweepOnAndOn(shared, clock, closing.signal);
  return {
    take: limiter.take,
    look: limiter.look,
    reset: limiter.reset,
    shared: counter.isShared,
    close: async () => {
      closing.abort();
      await sweeping;
      await database.end();
    },
  };
};

/**
 * The shared counts while they answer in time, and this process's own while they do not. Meanwhile no request waits for Postgres: one question
 * a second asks whether it is back. Never throws.
 */
const insured = (
  shared: PostgresCounts,
  own: Counter,
  { clock, timeoutMs = limits.allowanceTimeoutMs }: LimiterOptions,
  closing: AbortSignal,
  onTurn: LimiterOptions['onShared'],
): Counter & { readonly isShared: () => boolean } => {
  let isShared = true;
  const inTime = <T>(call: () => Promise<T>): Promise<T> => withDeadline(clock, 'postgres', timeoutMs, call);
  const turn = (to: boolean, reason: unknown): void => {
    isShared = to;
    onTurn(to, reason);
  };
  const comeBack = async (): Promise<void> => {
    while (!isShared) {
      await clock.sleep(limits.allowanceRetryMs, closing);
      if (closing.aborted) return;
      await inTime(shared.check).then(
        () => turn(true, null),
        () => undefined,
      );
    }
  };
  const either = async <T>(call: (counter: Counter) => Promise<T>): Promise<T> => {
    if (isShared)
      try {
        return await inTime(() => call(shared));
      } catch (error) {
        // Others may have found out while this one waited.
        if (isShared && !closing.aborted) {
          turn(false, error);
          void comeBack();
        }
      }
    return call(own);
  };
  return {
    draw: (counted, asked) => either((counter) => counter.draw(counted, asked)),
    reset: (counted) => either((counter) => counter.reset(counted)),
    isShared: () => isShared,
  };
};

const sweepOnAndOn = async (counts: PostgresCounts, clock: Clock, closing: AbortSignal): Promise<void> => {
  while (!closing.aborted) {
    await clock.sleep(limits.allowanceSweepMs, closing);
    // What fails here is tried again, and told by the requests' own questions.
    if (!closing.aborted) await counts.sweep().catch(() => undefined);
  }
};
