import type { Run, Runs } from '../port/runs.ts';
import { newestFirst } from './memory-page.fixture.ts';

const isUnderWay = ({ status }: Run): boolean => status === 'queued' || status === 'running';

/** Runs in RAM, for tests: the port's contract without durability, and without a queue. */
export const memoryRuns = (known: Map<string, Run> = new Map()): Runs => {
  return {
    order: async (order, now) => {
      const rival = [...known.values()].find((run) => run.kind === order.kind && isUnderWay(run));
      if (rival !== undefined) return { taken: false, run: rival };
      const times = { createdAt: now, startedAt: null, finishedAt: null };
      const run: Run = { ...order, ...times, status: 'queued', exitCode: null, reason: null, report: null, reportWhole: true };
      known.set(run.runId, run);
      return { taken: true, run };
    },
    read: async (runId) => known.get(runId) ?? null,
    list: async (page) => {
      const { rows, hasMore } = newestFirst([...known.values()], ({ runId }) => runId, page);
      return { rows: rows.map(({ report: _report, reportWhole: _whole, ...summary }) => summary), hasMore };
    },
    latest: async (kind) => [...known.values()].filter((run) => run.kind === kind).at(-1) ?? null,
    begin: async (runId, now) => {
      const run = known.get(runId);
      if (run?.status !== 'queued') return null;
      known.set(runId, { ...run, status: 'running', startedAt: now });
      return run.kind;
    },
    end: async (runId, end, now) => {
      const run = known.get(runId);
      if (run?.status === 'running')
        known.set(runId, { ...run, ...end, status: end.reason === null ? 'finished' : 'failed', finishedAt: now });
    },
    unfinished: async (limit) =>
      [...known.values()]
        .filter(isUnderWay)
        .map(({ runId }) => runId)
        .slice(0, limit),
  };
};
