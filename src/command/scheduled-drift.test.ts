import { expect, it } from 'vitest';
import { simulatedClock } from '../../test/crash/clock.ts';
import { memoryRuns } from '../http/memory-runs.fixture.ts';
import { limits } from '../limits.ts';
import type { RunEnd } from '../port/runs.ts';
import { SCHEDULE_USER_ID, instantOf } from '../receipt/ids.ts';
import { sweepDrift } from './scheduled-drift.ts';

const HOUR_MS = 3_600_000;
const found: RunEnd = { exitCode: 0, reason: null, report: {}, reportWhole: true };

const worldOf = (everyHours = 24) => {
  const [runs, clock] = [memoryRuns(), simulatedClock(Date.UTC(2026, 0, 2))];
  const schedule = { runs, clock, everyHours, startedMs: clock.now() };
  const count = async () => (await runs.list({ after: null, limit: 100 })).rows.length;
  /** A process of its own that starts now. */
  const another = () => ({ ...schedule, startedMs: clock.now() });
  const end = async (how: RunEnd) => {
    const latest = await runs.latest('drift');
    await runs.begin(latest?.runId ?? '', instantOf(clock.now()));
    await runs.end(latest?.runId ?? '', how, instantOf(clock.now()));
  };
  return { runs, clock, schedule, count, another, end };
};

it('The first drift of all waits until the start is over, and the next for its time, over all processes.', async () => {
  const { runs, clock, schedule, count, another, end } = worldOf();
  await sweepDrift(schedule);
  expect(await count()).toBe(0);
  clock.advance(limits.firstDriftMs);
  await sweepDrift(another());
  expect(await count()).toBe(0);
  await sweepDrift(schedule);
  expect(await runs.latest('drift')).toMatchObject({ kind: 'drift', userId: SCHEDULE_USER_ID, status: 'queued' });
  await sweepDrift(schedule);
  await end(found);
  clock.advance(23 * HOUR_MS);
  for (const each of [schedule, another()]) await sweepDrift(each);
  expect(await count()).toBe(1);
  clock.advance(HOUR_MS);
  for (const each of [another(), schedule]) await sweepDrift(each);
  expect(await count()).toBe(2);
});

it('One that came to nothing is asked for again within the hour, and no more than one is under way.', async () => {
  const { clock, schedule, count, end } = worldOf();
  clock.advance(limits.firstDriftMs);
  await sweepDrift(schedule);
  clock.advance(48 * HOUR_MS);
  await sweepDrift(schedule);
  expect(await count()).toBe(1);
  await end({ ...found, exitCode: 2, reason: 'not-done' });
  await sweepDrift(schedule);
  expect(await count()).toBe(2);
  await end({ ...found, exitCode: 2, reason: 'not-done' });
  await sweepDrift(schedule);
  expect(await count()).toBe(2);
  clock.advance(limits.driftRetryMs);
  await sweepDrift(schedule);
  expect(await count()).toBe(3);
});
