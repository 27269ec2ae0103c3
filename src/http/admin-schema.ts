import { z } from 'zod';
import { permissions } from '../access/permission.ts';
import { runFailures, runKinds } from '../port/runs.ts';
import { plans } from '../stream/account/event.ts';
import {
  accountIdSchema as accountId,
  auditIdSchema as auditId,
  instantSchema as instant,
  runIdSchema as runId,
  userIdSchema as userId,
} from './id-schema.ts';
import { jsonObjectSchema } from './schema.ts';

const run = {
  runId,
  kind: z.enum(runKinds),
  userId: userId.meta({ description: 'The operator who asked' }),
  status: z.enum(['queued', 'running', 'finished', 'failed']),
  createdAt: instant,
  startedAt: instant.nullable(),
  finishedAt: instant.nullable(),
  exitCode: z
    .int()
    .min(0)
    .nullable()
    .meta({ description: '0 all is well, 1 something is wrong, 3 incomplete; 2 nothing was done' }),
  reason: z.enum(runFailures).nullable().meta({ description: 'Why a failed run came to nothing' }),
};

export const runSummarySchema = z.strictObject(run).meta({ id: 'RunSummary' });
export const runSchema = z
  .strictObject({
    ...run,
    report: jsonObjectSchema.nullable().meta({ description: 'What the command line says with --json' }),
    reportWhole: z.boolean().meta({ description: 'false: it was too long, and of its lists only the beginnings are here' }),
  })
  .meta({ id: 'Run' });

export const standingSchema = z
  .strictObject({
    policy: z.string().meta({ description: 'As `RateLimit` names it' }),
    points: z.int().min(0).meta({ description: 'Requests in one window' }),
    windowSeconds: z.int().min(1),
    remaining: z.int().min(0),
    resetSeconds: z.int().min(0).meta({ description: 'Until it is whole again' }),
  })
  .meta({ id: 'Standing' });

export const allowancesSchema = z
  .strictObject({
    accountId,
    plan: z.enum(plans),
    shared: z.boolean().meta({ description: 'false: the database is away, and this process counts by itself' }),
    allowances: z.array(standingSchema),
  })
  .meta({ id: 'Allowances' });

/** The operations whose use is kept, by name. */
export const auditedOperations: readonly string[] = Object.entries(permissions)
  .filter(([, { limit }]) => limit === 'admin')
  .map(([operationId]) => operationId);

export const operationSchema = z
  .enum([...auditedOperations])
  .meta({ description: 'An `operationId` of the tag Admin', examples: ['suspendAccount'] });

export const auditEntrySchema = z
  .strictObject({
    entryId: auditId,
    askedId: auditId.nullable().meta({ description: 'The entry that was written before anything was done; null in that one' }),
    at: instant,
    userId,
    via: z.enum(['cookie', 'bearer', 'api-key']),
    sessionId: z.string().meta({ description: 'Of the session or of the API key' }),
    operation: z.string(),
    target: z.string().nullable().meta({ description: 'The id that the operation was about' }),
    status: z.int().nullable().meta({ description: 'The HTTP status; null before' }),
    outcome: z.string().meta({ description: '`asked`, `answered`, or the code of the problem' }),
    requestId: z.string(),
  })
  .meta({ id: 'AuditEntry' });

export const usageSchema = z
  .strictObject({
    accountId,
    month: z.string().meta({ examples: ['2026-01'], description: 'Of UTC' }),
    plan: z.enum(plans).meta({ description: 'As it is now' }),
    requestsPerMinute: z.int().min(0).meta({ description: 'The plan’s allowance of commands, and as many reads' }),
    commands: z.int().min(0).meta({
      description:
        'At least so many were written, replayed or refused by a rule. Counted some seconds later; a crash may lose a few.',
    }),
    receipts: z.int().min(0).meta({ description: 'Receipts of the account’s streams' }),
    bytes: z.int().min(0).meta({ description: 'What those take in the store' }),
  })
  .meta({ id: 'Usage' });
