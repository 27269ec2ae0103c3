import { limits } from '../limits.ts';
import { type Clock, withDeadline } from '../port/clock.ts';

type Timed = { readonly clock: Clock };

/** One call to a dependency within the time it has; throws `Outage` when that passes, and then the call may still take effect. */
export const fromStore = <T>({ clock }: Timed, call: () => Promise<T>): Promise<T> =>
  withDeadline(clock, 'store', limits.storeTimeoutMs, call);

export const fromSigner = <T>({ clock }: Timed, call: () => Promise<T>): Promise<T> =>
  withDeadline(clock, 'signer', limits.signTimeoutMs, call);

export const fromReadModel = <T>({ clock }: Timed, call: () => Promise<T>): Promise<T> =>
  withDeadline(clock, 'postgres', limits.databaseTimeoutMs, call);
