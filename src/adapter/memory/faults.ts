import { type Dependency, Outage, type OutageCode } from '../../port/outage.ts';

/**
 * What can happen to one call of a port, besides success:
 *
 * | kind | the request | the caller |
 * |---|---|---|
 * | `error` | is not applied | gets an `Outage` |
 * | `error-but-applied` | is applied | gets an `Outage` |
 * | `hang` | is not applied | never hears |
 * | `hang-but-applied` | is applied | never hears |
 * | `duplicate` | is applied twice, one after the other | gets the second answer |
 * | `delayed-landing` | is applied when the test calls `land()` | gets an `Outage` now |
 * | `death` | is not applied, nor is any later call of this process | never hears |
 * | `death-but-applied` | is applied, but no later call of this process | never hears |
 */
export type FaultKind =
  | 'error'
  | 'error-but-applied'
  | 'hang'
  | 'hang-but-applied'
  | 'duplicate'
  | 'delayed-landing'
  | 'death'
  | 'death-but-applied';

export const FAULT_KINDS: readonly FaultKind[] = [
  'error',
  'error-but-applied',
  'hang',
  'hang-but-applied',
  'duplicate',
  'delayed-landing',
  'death',
  'death-but-applied',
];

/** Which call: the n-th of all, or the n-th of one method (of one port, if named). Counted from 0, as in `calls`. */
export type FaultPoint = { readonly nth: number; readonly method?: string; readonly port?: Dependency };

export type Fault = FaultPoint & { readonly kind: FaultKind };

/** One call as it was made, in order. `index` counts all calls under the plan. */
export type RecordedCall = { readonly index: number; readonly port: Dependency; readonly method: string };

/**
 * The faults of one simulated process and the record of its calls. All ports of the process share one plan, so that calls are
 * numbered across them and death takes all of them at once. There are no timers: the same test does the same thing every time.
 */
export type FaultPlan = {
  /** Every call made so far; run once without faults to learn the points of a path. */
  readonly calls: readonly RecordedCall[];
  /** The faults that have happened; a test that expects one asserts on it, or it proves nothing. */
  readonly struck: readonly Fault[];
  /** Resolves at the first fault, once it can be seen: a `hang` or `death` is then all the caller will ever get. */
  readonly firstStrike: Promise<Fault>;
  /** Whether the process has died. */
  readonly isDead: () => boolean;
  /** Applies the delayed requests, oldest first, also after death: they were under way. Answers what each came to. */
  readonly land: () => Promise<readonly PromiseSettledResult<unknown>[]>;
  /** Used by `withFaults`: passes one call through the plan. */
  readonly run: (port: Dependency, method: string, apply: () => Promise<unknown>) => Promise<unknown>;
};

/** A plan with these faults; with none, it only records. Each fault strikes once. */
export const faultPlan = (...faults: readonly Fault[]): FaultPlan => {
  const calls: RecordedCall[] = [];
  const struck: Fault[] = [];
  const underWay: (() => Promise<unknown>)[] = [];
  const firstStrike = Promise.withResolvers<Fault>();
  let dead = false;

  const matches = (fault: Fault, call: RecordedCall): boolean =>
    calls.filter(({ port, method }) => (fault.port ?? port) === port && (fault.method ?? method) === method)[fault.nth] === call;

  const strike = async (fault: Fault, call: RecordedCall, apply: () => Promise<unknown>): Promise<unknown> => {
    struck.push(fault);
    dead ||= fault.kind.startsWith('death');
    // Whatever the request comes to is lost on the way back.
    if (fault.kind.endsWith('-but-applied') || fault.kind === 'duplicate') await apply().catch(() => undefined);
    if (fault.kind === 'delayed-landing') underWay.push(apply);
    firstStrike.resolve(fault);
    switch (fault.kind) {
      case 'duplicate':
        return apply();
      case 'error':
      case 'error-but-applied':
      case 'delayed-landing':
        throw new Outage(call.port, UNAVAILABLE[call.port], `${fault.kind} at call ${call.index}, ${call.port}.${call.method}`);
      case 'hang':
      case 'hang-but-applied':
      case 'death':
      case 'death-but-applied':
        return never();
    }
  };

  return {
    calls,
    struck,
    firstStrike: firstStrike.promise,
    isDead: () => dead,
    land: () => inOrder(underWay.splice(0)),
    run: async (port, method, apply) => {
      if (dead) return never();
      const call: RecordedCall = { index: calls.length, port, method };
      calls.push(call);
      const fault = faults.find((candidate) => !struck.includes(candidate) && matches(candidate, call));
      const [outcome] = await Promise.allSettled([fault ? strike(fault, call, apply) : apply()]);
      // A process that died meanwhile does not hear the answers to its other calls either.
      if (dead) return never();
      if (outcome.status === 'rejected') throw outcome.reason;
      return outcome.value;
    },
  };
};

/** A port's methods all answer with promises; anything that is not a method passes through untouched. */
type AsyncPort<P> = {
  readonly [K in keyof P]: P[K] extends (...args: infer A) => unknown ? (...args: A) => Promise<unknown> : P[K];
};

/** The same port, with every call of it passed through `plan`. `dependency` is how the plan and its outages name it. */
export const withFaults = <P extends AsyncPort<P> & object>(port: P, plan: FaultPlan, dependency: Dependency): P =>
  new Proxy(port, {
    get: (target, name): unknown => {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== 'function' || typeof name !== 'string') return member;
      return (...args: readonly unknown[]) =>
        plan.run(dependency, name, async (): Promise<unknown> => Reflect.apply(member, target, args));
    },
  });

/** A new one each time: one shared promise would keep everything that ever waited for it. */
const never = (): Promise<never> => new Promise(() => undefined);

const UNAVAILABLE: Readonly<Record<Dependency, OutageCode>> = {
  store: 'store-unavailable',
  signer: 'signer-unavailable',
  postgres: 'postgres-unavailable',
};

const inOrder = async (requests: readonly (() => Promise<unknown>)[]): Promise<PromiseSettledResult<unknown>[]> => {
  const outcomes: PromiseSettledResult<unknown>[] = [];
  for (const request of requests) outcomes.push(...(await Promise.allSettled([request()])));
  return outcomes;
};
