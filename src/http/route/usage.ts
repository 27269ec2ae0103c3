import { z } from 'zod';
import { limits } from '../../limits.ts';
import { type Month, boundsOf, monthOf, parseMonth } from '../../port/meter.ts';
import type { Plan } from '../../stream/account/event.ts';
import { usageSchema } from '../admin-schema.ts';
import { hashedAnswer } from '../answer.ts';
import { noBody, operation } from '../operation.ts';
import { notFound } from '../problem.ts';
import type { AccountReader } from '../reader-need.ts';
import { readQuery } from '../schema.ts';
import { readOf } from '../success.ts';

const perMinute: { readonly [P in Plan]: number } = { free: limits.freeAccountPerMinute, pro: limits.proAccountPerMinute };

const monthSchema = z
  .custom<Month>((text) => parseMonth(text) !== null, { error: 'expected a month, YYYY-MM' })
  .meta({
    type: 'string',
    pattern: String.raw`^2\d{3}-(0[1-9]|1[0-2])$`,
    examples: ['2026-01'],
    description: 'A month of UTC; by default this one',
  });

export const readUsage = operation({
  id: 'readUsage',
  tag: 'Billing',
  summary: 'What an account used in a month',
  description:
    'For its owners. Receipts and bytes follow from the receipts; commands are counted as they are answered, at least: a crash may lose the last few seconds, and nothing is counted twice.',
  successes: readOf(usageSchema, 'What it used'),
  problems: [],
  query: z.strictObject({ ...readQuery, month: monthSchema.optional() }),
  body: noBody,
  handle: async ({ queries, meter, clock }, { accountId }: AccountReader, { query, headers }) => {
    const month = query.month ?? monthOf(clock.now());
    const { from, until } = boundsOf(month);
    const [account, { receipts, bytes }, commands] = await Promise.all([
      queries.account(accountId),
      queries.written(accountId, from, until),
      meter.commands(accountId, month),
    ]);
    if (account === null) return notFound;
    const { plan } = account;
    const usage = { accountId, month, plan, requestsPerMinute: perMinute[plan], commands, receipts, bytes };
    return hashedAnswer(headers.get('if-none-match'), usage);
  },
});
