import type { Standing } from '../../port/limiter.ts';
import { type AccountId, type UserId, parseAccountId } from '../../receipt/ids.ts';
import type { Plan } from '../../stream/account/event.ts';
import { allowancesSchema } from '../admin-schema.ts';
import { type Answer, freshAnswer } from '../answer.ts';
import { accountAllowances } from '../limit.ts';
import { emptyBody, noBody, noQuery, operation } from '../operation.ts';
import { type Problem, notFound } from '../problem.ts';
import { wholeSeconds } from '../rate-limit-field.ts';
import type { Service } from '../service.ts';
import { freshOf } from '../success.ts';

const common = { tag: 'Admin', problems: ['not-found'], query: noQuery } as const;

export const readAllowances = operation({
  ...common,
  id: 'readAllowances',
  summary: 'How the limits of an account stand',
  successes: freshOf(allowancesSchema, 'Each allowance, and its burst'),
  body: noBody,
  handle: async (service, _operator: UserId, { param }) => {
    const found = await planned(service, param('accountId'));
    return found === null ? notFound : standingNow(service, found);
  },
});

export const resetAllowances = operation({
  ...common,
  id: 'resetAllowances',
  summary: 'Make the limits of an account whole again',
  description: 'Every process admits its requests again within a second.',
  successes: freshOf(allowancesSchema, 'As they are now'),
  body: emptyBody,
  handle: async (service, _operator: UserId, { param }) => {
    const found = await planned(service, param('accountId'));
    if (found === null) return notFound;
    await service.limiter.reset(accountAllowances(found.accountId, found.plan));
    return standingNow(service, found);
  },
});

type Planned = { readonly accountId: AccountId; readonly plan: Plan };

const planned = async ({ queries }: Service, text: string): Promise<Planned | null> => {
  const accountId = parseAccountId(text);
  return accountId.ok ? queries.account(accountId.value) : null;
};

const standingNow = async ({ limiter }: Service, { accountId, plan }: Planned): Promise<Answer | Problem> => {
  const standings = await limiter.look(accountAllowances(accountId, plan));
  return freshAnswer(200, { accountId, plan, shared: limiter.shared(), allowances: standings.map(shownStanding) });
};

const shownStanding = ({ policy, points, windowMs, remaining, resetMs }: Standing) => ({
  ...{ policy, points, remaining },
  windowSeconds: wholeSeconds(windowMs),
  resetSeconds: wholeSeconds(resetMs),
});
