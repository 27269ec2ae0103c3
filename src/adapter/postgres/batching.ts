/** How requests of one kind are put together. */
export type BatchRules<Request, Answer> = {
  /** At most this many requests run as one, and this many batches at once. */
  readonly most: number;
  readonly inFlight: number;
  /** Requests of one lane never run at the same time, neither in one batch nor in two: they follow one another in order. */
  readonly laneOf?: (request: Request) => string;
  /** Runs requests as one, answering in their order. When it throws, nothing was done for any of them. */
  readonly run: (requests: readonly Request[]) => Promise<readonly Answer[]>;
  /** Whether a failure concerns all requests of a batch alike. Otherwise each runs again alone, so that one cannot fail the rest. */
  readonly concernsAll: (error: unknown) => boolean;
};

export type Batching<Request, Answer> = {
  /** Settles with the answer to this request. The batch starts after this call: what it reads is not older than the request. */
  readonly submit: (request: Request) => Promise<Answer>;
  /** Resolves when everything submitted has settled. */
  readonly idle: () => Promise<void>;
};

type Waiting<Request, Answer> = {
  readonly request: Request;
  readonly lane: string | null;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
};

/**
 * Group commit: while batches are in flight the next requests gather, so that a busy moment costs one round trip and one fsync for many.
 * A lone request starts at the end of the current turn of the event loop. The queue has no bound of its own: every request
 * belongs to a command, and those are bounded (`limits.allQueuesCommands`).
 */
export const batching = <Request, Answer>(rules: BatchRules<Request, Answer>): Batching<Request, Answer> => {
  /** Requests whose lane is free, in order; a lane that is taken has its followers in `lanes`. */
  const ready: Waiting<Request, Answer>[] = [];
  const lanes = new Map<string, Waiting<Request, Answer>[]>();
  let running = 0;
  let scheduled = false;
  let whenIdle: (() => void)[] = [];

  const enqueue = (waiting: Waiting<Request, Answer>): void => {
    const followers = waiting.lane === null ? undefined : lanes.get(waiting.lane);
    if (followers !== undefined) {
      followers.push(waiting);
      return;
    }
    if (waiting.lane !== null) lanes.set(waiting.lane, []);
    ready.push(waiting);
  };

  const leave = ({ lane }: Waiting<Request, Answer>): void => {
    if (lane === null) return;
    const next = lanes.get(lane)?.shift();
    if (next === undefined) lanes.delete(lane);
    else ready.push(next);
  };

  const schedule = (): void => {
    if (scheduled || ready.length === 0 || running >= rules.inFlight) return;
    scheduled = true;
    setImmediate(() => {
      scheduled = false;
      while (running < rules.inFlight && ready.length > 0) void start(ready.splice(0, rules.most));
    });
  };

  const start = async (batch: readonly Waiting<Request, Answer>[]): Promise<void> => {
    running++;
    try {
      await settle(rules, batch);
    } finally {
      running--;
      for (const waiting of batch) leave(waiting);
      schedule();
      if (running === 0 && ready.length === 0) {
        for (const resolve of whenIdle) resolve();
        whenIdle = [];
      }
    }
  };

  return {
    submit: (request) =>
      new Promise((resolve, reject) => {
        enqueue({ request, lane: rules.laneOf?.(request) ?? null, resolve, reject });
        schedule();
      }),
    idle: () =>
      running === 0 && ready.length === 0 ? Promise.resolve() : new Promise((resolve) => whenIdle.push(() => resolve())),
  };
};

const settle = async <Request, Answer>(
  rules: BatchRules<Request, Answer>,
  batch: readonly Waiting<Request, Answer>[],
): Promise<void> => {
  try {
    const answers = await rules.run(batch.map(({ request }) => request));
    if (answers.length !== batch.length) throw new TypeError(`${answers.length} answers to ${batch.length} requests`);
    for (const [i, answer] of answers.entries()) batch[i]?.resolve(answer);
  } catch (error) {
    if (batch.length === 1 || rules.concernsAll(error)) {
      for (const waiting of batch) waiting.reject(error);
      return;
    }
    for (const waiting of batch) await settle(rules, [waiting]);
  }
};
