import { LRUCache } from 'lru-cache';
import { limits } from '../limits.ts';
import type { Clock } from '../port/clock.ts';
import type { LedgerQueries } from '../port/ledger-queries.ts';
import { Outage } from '../port/outage.ts';
import { type AccountId, OPERATOR_ACCOUNT_ID, type UserId } from '../receipt/ids.ts';
import type { Plan } from '../stream/account/event.ts';

/** Whose allowance a request draws on. For limits only: what is told here may be `limits.planAgeMs` old. */
export type PlanDirectory = {
  /**
   * The plan of an account, for a user who has a role in it; null for everybody else, the operators' own account, and while Postgres does not
   * tell: then the account is not drawn on, and what is asked fails or succeeds by itself. Never throws `Outage`.
   */
  planFor(userId: UserId, accountId: AccountId): Promise<Plan | null>;
};

export const planDirectory = (queries: Pick<LedgerQueries, 'membership' | 'account'>, clock: Clock): PlanDirectory => {
  const known = new LRUCache<string, { readonly plan: Promise<Plan | null>; readonly untilMs: number }>({
    max: limits.rememberedPlans,
  });
  const lookUp = async (userId: UserId, accountId: AccountId): Promise<Plan | null> => {
    const [role, account] = await Promise.all([queries.membership(userId, accountId), queries.account(accountId)]);
    return role === null ? null : (account?.plan ?? null);
  };
  return {
    planFor: async (userId, accountId) => {
      if (accountId === OPERATOR_ACCOUNT_ID) return null;
      const key = `${userId} ${accountId}`;
      const found = known.get(key);
      const nowMs = clock.now();
      const entry =
        found !== undefined && nowMs < found.untilMs
          ? found
          : { plan: lookUp(userId, accountId), untilMs: nowMs + limits.planAgeMs };
      known.set(key, entry);
      try {
        return await entry.plan;
      } catch (error) {
        known.delete(key);
        if (error instanceof Outage) return null;
        throw error;
      }
    },
  };
};
