import { z } from 'zod';
import { limits } from '../../limits.ts';
import { runKinds } from '../../port/runs.ts';
import type { UserId } from '../../receipt/ids.ts';
import { runSchema, runSummarySchema } from '../admin-schema.ts';
import { freshAnswer, hashedAnswer } from '../answer.ts';
import { parseRunId } from '../id-schema.ts';
import { keyAfter, pageOf } from '../list-page.ts';
import { type Success, noBody, noQuery, operation } from '../operation.ts';
import { notFound } from '../problem.ts';
import { pageSchema } from '../resource-schema.ts';
import { listQuery } from '../schema.ts';
import { readOf } from '../success.ts';

const taken: readonly Success[] = [
  {
    status: 202,
    description: 'The run is taken, and begins when no other one is under way',
    content: { 'application/json': runSchema },
    fields: ['Location', 'Cache-Control'],
  },
];

export const startRun = operation({
  id: 'startRun',
  tag: 'Admin',
  summary: 'Rebuild, repair, compare or verify the whole ledger',
  description: `What the command line does under the same name, in a process beside the service: \`rebuild\` makes the projection anew and puts it in the place of the live one, \`repair\` applies what it lacks, \`drift\` tells how it differs, \`verify\` checks every receipt. One run at a time; each may be repeated. Ended after ${limits.runMs / 3_600_000} hours.`,
  successes: taken,
  problems: ['run-under-way'],
  query: noQuery,
  body: { presence: 'required', schema: z.strictObject({ kind: z.enum(runKinds) }) },
  handle: async ({ runs }, userId: UserId, { body: { kind } }) => {
    const started = await runs.start(userId, kind);
    if (!started.ok) return { code: started.error.code, detail: started.error.detail };
    return freshAnswer(202, started.value, { Location: `/v1/admin/runs/${started.value.runId}` });
  },
});

export const listRuns = operation({
  id: 'listRuns',
  tag: 'Admin',
  summary: 'The runs, newest first',
  successes: readOf(pageSchema('RunPage', runSummarySchema), 'A page'),
  problems: [],
  query: z.strictObject(listQuery),
  body: noBody,
  handle: async ({ runs }, _operator: UserId, { query: { limit, cursor }, headers }) => {
    const after = keyAfter(cursor, parseRunId);
    if (!after.ok) return after.error;
    const { rows, hasMore } = await runs.list({ after: after.value, limit });
    const page = pageOf(rows, hasMore, ({ runId }) => runId);
    return hashedAnswer(headers.get('if-none-match'), page);
  },
});

export const readRun = operation({
  id: 'readRun',
  tag: 'Admin',
  summary: 'How a run stands, and what it found',
  successes: readOf(runSchema, 'The run'),
  problems: ['not-found'],
  query: noQuery,
  body: noBody,
  handle: async ({ runs }, _operator: UserId, { param, headers }) => {
    const runId = parseRunId(param('runId'));
    const run = runId.ok ? await runs.read(runId.value) : null;
    return run === null ? notFound : hashedAnswer(headers.get('if-none-match'), run);
  },
});
