import type { LimitClass } from '../access/permission.ts';
import type { Allowance, Standing } from '../port/limiter.ts';
import type { AccountId, UserId } from '../receipt/ids.ts';
import { accountAllowance, addressAllowance, userAllowance } from './limit.ts';
import type { Problem } from './problem.ts';
import { wholeSeconds } from './rate-limit-field.ts';
import type { Service } from './service.ts';

/** The allowances one request draws on, each as soon as it is known whose they are. Each answers why the request goes no further, or null. */
export type Draw = {
  address(clientAddress: string | null): Promise<Problem | null>;
  user(userId: UserId): Promise<Problem | null>;
  /**
   * Draws on the first of the accounts that the user has a role in. On no other: a stranger could use it up, and would learn from a refusal that
   * there is such an account.
   */
  account(userId: UserId, accountIds: readonly AccountId[]): Promise<Problem | null>;
};

/** `standings` gathers how the allowances stand, for the fields of the answer. */
export const drawFor = (
  { limiter, plans, traffic }: Pick<Service, 'limiter' | 'plans' | 'traffic'>,
  limitClass: LimitClass,
  standings: Standing[],
): Draw => {
  const take = async (allowance: Allowance | null): Promise<Problem | null> => {
    if (allowance === null) return null;
    const taken = await limiter.take([allowance]);
    standings.push(...taken.standings);
    if (taken.allowed) return null;
    traffic.limited(allowance.policy);
    return {
      code: 'rate-limited',
      detail: `the allowance ${allowance.policy} is used up`,
      headers: { 'Retry-After': String(Math.max(1, wholeSeconds(taken.retryMs ?? 0))) },
    };
  };
  return {
    address: (clientAddress) => take(addressAllowance(limitClass, clientAddress)),
    user: (userId) => take(userAllowance(limitClass, userId)),
    account: async (userId, accountIds) => {
      for (const accountId of accountIds) {
        const plan = await plans.planFor(userId, accountId);
        if (plan !== null) return take(accountAllowance(limitClass, accountId, plan));
      }
      return null;
    },
  };
};
