import { z } from 'zod';
import { limits } from '../../limits.ts';
import { plans } from '../../stream/account/event.ts';
import { acknowledge, acknowledged } from '../acknowledgement.ts';
import type { AccountCommand } from '../command-need.ts';
import { refusals } from '../command-refusal.ts';
import { emptyBody, noQuery, operation } from '../operation.ts';

const pathOf = (accountId: string): string => `/v1/accounts/${accountId}`;

const common = { tag: 'Admin', successes: acknowledged(), problems: refusals.standing, query: noQuery } as const;

export const suspendAccount = operation({
  ...common,
  id: 'suspendAccount',
  summary: 'Suspend an account',
  description:
    'Until it is resumed its members’ commands are refused with 403 `account-suspended`; they go on reading. Trades that were accepted before are settled all the same. `reason` is shown to the members, and is in the receipt for ever: no names, no addresses.',
  body: { presence: 'required', schema: z.strictObject({ reason: z.string().min(1).max(limits.reasonChars) }) },
  handle: async (service, { context, accountId }: AccountCommand, { body: { reason } }) => {
    const outcome = await service.commands.suspendAccount(context, accountId, reason);
    return acknowledge(service, 'suspendAccount', outcome, () => ({ location: pathOf(accountId) }));
  },
});

export const resumeAccount = operation({
  ...common,
  id: 'resumeAccount',
  summary: 'Let a suspended account go on',
  body: emptyBody,
  handle: async (service, { context, accountId }: AccountCommand) => {
    const outcome = await service.commands.resumeAccount(context, accountId);
    return acknowledge(service, 'resumeAccount', outcome, () => ({ location: pathOf(accountId) }));
  },
});

export const changePlan = operation({
  ...common,
  id: 'changePlan',
  summary: 'Give an account another plan',
  description: `Its limits follow within ${limits.planAgeMs / 1000} seconds.`,
  body: { presence: 'required', schema: z.strictObject({ plan: z.enum(plans) }) },
  handle: async (service, { context, accountId }: AccountCommand, { body: { plan } }) => {
    const outcome = await service.commands.changePlan(context, accountId, plan);
    return acknowledge(service, 'changePlan', outcome, () => ({ location: pathOf(accountId) }));
  },
});
