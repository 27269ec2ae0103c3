import { parentPort, workerData } from 'node:worker_threads';
import { Outage } from '../src/port/outage.ts';
import { type ReplayWork, laneHere, noWork } from './lane.ts';
import type { LaneAnswer, LaneFailure, LaneOrder, LaneRequest, WorkOrder } from './lane-message.ts';
import { openSource } from './open-source.ts';

// The thread behind `laneInThread`: nothing is done here but what the port asks for.

const workOf = async (order: WorkOrder): Promise<ReplayWork> => {
  if (order.kind === 'check') return noWork;
  // A verifier must run where there is no Postgres, nor its driver.
  const { openLoad } = await import('./fill/unit-load.ts');
  return openLoad(order);
};

const open = async ({ address, trust, work }: LaneOrder) => {
  const source = await openSource(address);
  const lane = laneHere(source, trust, await workOf(work), work.kind === 'check' ? work.judging : null);
  return { lane, close: () => source.close() };
};

const opened = open(workerData as LaneOrder);
// Whoever asks first hears of it.
opened.catch(() => undefined);

const answerTo = async (request: LaneRequest): Promise<LaneAnswer> => {
  const { id } = request;
  try {
    const { lane, close } = await opened;
    switch (request.call) {
      case 'learn':
        await lane.learn(request.delivery);
        return { id, report: null };
      case 'replay':
        return { id, report: await lane.replay(request.batch, request.unit) };
      case 'finish':
        await lane.finish();
        await close();
        return { id, report: null };
    }
  } catch (error) {
    return { id, failure: failureOf(error) };
  }
};

const failureOf = (error: unknown): LaneFailure => ({
  message: error instanceof Error ? error.message : String(error),
  outage: error instanceof Outage ? { dependency: error.dependency, code: error.code } : null,
});

const port = parentPort;
port?.on('message', (request: LaneRequest) => void answerTo(request).then((answer) => port.postMessage(answer)));
