import { limits } from '../limits.ts';

/**
 * One command at a time per stream in this process, for throughput only: correctness rests on the conditional create. Bounded, so that a
 * slow store turns into 503 instead of memory.
 */
export type StreamQueue = {
  /** Runs `task` after those before it in the same stream. Null when too many wait already; then nothing ran. */
  run<T>(stream: string, task: () => Promise<T>): Promise<T> | null;
};

export const streamQueue = (): StreamQueue => {
  const lanes = new Map<string, { last: Promise<unknown>; waiting: number }>();
  let waitingEverywhere = 0;

  return {
    run(stream, task) {
      const lane = lanes.get(stream) ?? { last: Promise.resolve(), waiting: 0 };
      if (lane.waiting >= limits.streamQueueCommands || waitingEverywhere >= limits.allQueuesCommands) return null;
      lanes.set(stream, lane);
      lane.waiting++;
      waitingEverywhere++;
      const result = lane.last.then(task, task);
      const leave = (): void => {
        waitingEverywhere--;
        if (--lane.waiting === 0) lanes.delete(stream);
      };
      lane.last = result.then(leave, leave);
      return result;
    },
  };
};
