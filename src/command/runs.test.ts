import { expect, it } from 'vitest';
import { simulatedClock } from '../../test/crash/clock.ts';
import { granted } from '../../test/ledger-fixture.ts';
import { memoryRuns } from '../http/memory-runs.fixture.ts';
import type { Notice } from '../port/notice.ts';
import type { Projector, RunEnd } from '../port/runs.ts';
import type { UserId } from '../receipt/ids.ts';
import { runCommands, runDoer } from './runs.ts';

const found: RunEnd = { exitCode: 1, reason: null, report: { drifted: true }, reportWhole: true };
const signal = new AbortController().signal;

const worldOf = async (projector: Projector) => {
  const [runs, clock] = [memoryRuns(), simulatedClock(Date.UTC(2026, 0, 2))];
  const { runId } = granted(await runCommands({ runs, clock }).start('usr_operator' as UserId, 'drift'));
  const notices: Notice[] = [];
  const notify = (notice: Notice) => void notices.push(notice);
  return { runs, runId, notices, doRun: runDoer({ runs, projector, clock, notify }) };
};

it('A run is done once, and keeps what was found.', async () => {
  const asked: string[] = [];
  const { runs, runId, notices, doRun } = await worldOf(async (kind) => {
    asked.push(kind);
    return found;
  });
  await doRun(runId, signal);
  await doRun(runId, signal);
  expect(notices).toMatchObject([{ level: 'alarm', code: 'projection-different' }]);
  expect(asked).toEqual(['drift']);
  expect(await runs.read(runId)).toMatchObject({ ...found, status: 'finished' });
});

it('A run whose process died is ended by whoever gets its job next, and what the dead one would say comes too late.', async () => {
  let finish: (end: RunEnd) => void = () => undefined;
  const { runs, runId, doRun } = await worldOf(() => new Promise((resolve) => (finish = resolve)));
  const first = doRun(runId, signal);
  await expect.poll(async () => (await runs.read(runId))?.status).toBe('running');
  await doRun(runId, signal);
  expect(await runs.read(runId)).toMatchObject({ status: 'failed', reason: 'interrupted' });
  finish(found);
  await first;
  expect(await runs.read(runId)).toMatchObject({ status: 'failed', reason: 'interrupted', report: null });
});

it('A run that nobody knows of any more is nothing to do.', async () => {
  const { runs, doRun } = await worldOf(() => Promise.resolve(found));
  await doRun('run_01JZ0000000000000000000000', signal);
  expect(await runs.read('run_01JZ0000000000000000000000')).toBeNull();
});
