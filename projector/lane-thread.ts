import { Worker } from 'node:worker_threads';
import { Outage } from '../src/port/outage.ts';
import type { BatchReport, Lane } from './lane.ts';
import type { LaneAnswer, LaneCall, LaneFailure, LaneOrder } from './lane-message.ts';

type Waiting = { readonly resolve: (report: BatchReport | null) => void; readonly reject: (error: Error) => void };

/** A lane in a thread of its own, which opens the source for itself. */
export const laneInThread = (order: LaneOrder): Lane => {
  const worker = new Worker(new URL('./lane-worker.ts', import.meta.url), { workerData: order });
  const waiting = new Map<number, Waiting>();
  let asked = 0;
  let dead: Error | null = null;

  worker.on('message', (answer: LaneAnswer) => {
    const waiter = waiting.get(answer.id);
    waiting.delete(answer.id);
    if ('failure' in answer) waiter?.reject(errorOf(answer.failure));
    else waiter?.resolve(answer.report);
  });
  const die = (error: Error): void => {
    dead ??= error;
    for (const waiter of waiting.values()) waiter.reject(error);
    waiting.clear();
  };
  worker.on('error', die);
  worker.on('exit', () => die(new Error('a reading thread ended before its work was done')));

  const ask = (call: LaneCall): Promise<BatchReport | null> =>
    new Promise((resolve, reject) => {
      if (dead !== null) return reject(dead);
      asked += 1;
      waiting.set(asked, { resolve, reject });
      worker.postMessage({ ...call, id: asked });
    });

  return {
    learn: async (delivery) => void (await ask({ call: 'learn', delivery })),
    replay: async (batch, unit = null) => {
      const report = await ask({ call: 'replay', batch, unit });
      if (report === null) throw new TypeError('a reading thread answered without a report');
      return report;
    },
    finish: async () => {
      await ask({ call: 'finish' });
      await worker.terminate();
    },
    abandon: async () => void (await worker.terminate()),
  };
};

const errorOf = ({ message, outage }: LaneFailure): Error =>
  outage === null ? new Error(message) : new Outage(outage.dependency, outage.code, message);
