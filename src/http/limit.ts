import type { LimitClass } from '../access/permission.ts';
import { limits } from '../limits.ts';
import type { Allowance, Rate } from '../port/limiter.ts';
import type { AccountId, UserId } from '../receipt/ids.ts';
import type { Plan } from '../stream/account/event.ts';
import { networkOf } from './client-address.ts';

/** What a request of a class draws on; classes of one policy share it. Null: it is not counted. */
type Rule = Pick<Allowance, 'policy' | 'points' | 'windowMs' | 'burst' | 'leased'>;
type Rules = { readonly [C in LimitClass]: Rule | null };

const perMinute = (points: number): Rate => ({ points, windowMs: 60_000 });
const rule = (policy: string, points: number, burst: Rate | null = null): Rule => ({
  ...perMinute(points),
  ...{ policy, burst, leased: true },
});
/** For what is guessed at: each try is asked for, so that the number is exact over all processes. */
const exact = (policy: string, points: number): Rule => ({ ...rule(policy, points), leased: false });
const uncounted = { probe: null, public: null, 'sign-in': null } as const;

const ofAddress = rule('address', limits.addressPerMinute);
const addressRules: Rules = {
  probe: null,
  public: rule('address-public', limits.addressPublicPerMinute),
  'sign-in': exact('address-sign-in', limits.addressSignInsPerMinute),
  read: ofAddress,
  command: ofAddress,
  claim: exact('address-claim', limits.addressClaimsPerMinute),
  admin: ofAddress,
};

const userRules: Rules = {
  ...uncounted,
  read: rule('user-read', limits.userPerMinute),
  command: rule('user-command', limits.userPerMinute),
  claim: exact('user-claim', limits.userClaimsPerMinute),
  admin: rule('user-admin', limits.userAdminPerMinute),
};

const accountRulesOf = (points: number, burstPoints: number): Rules => {
  const burst = { points: burstPoints, windowMs: limits.accountBurstMs };
  const command = rule('account-command', points, burst);
  return { ...uncounted, read: rule('account-read', points, burst), command, claim: command, admin: null };
};
/** By plan. Both count under the same names: an account that changes its plan takes its count along. */
const accountRules: { readonly [P in Plan]: Rules } = {
  free: accountRulesOf(limits.freeAccountPerMinute, limits.freeAccountBurstPoints),
  pro: accountRulesOf(limits.proAccountPerMinute, limits.proAccountBurstPoints),
};

const allowance = (found: Rule | null, subject: string): Allowance | null => (found === null ? null : { ...found, subject });

const every = (rules: Rules, subject: string): readonly Allowance[] =>
  [...new Set(Object.values(rules))].flatMap((each) => allowance(each, subject) ?? []);

const addressSubject = (address: string | null): string => `ip:${address === null ? 'unknown' : networkOf(address)}`;

/** What whoever asks from an address draws on, before anything is known of them. Null is the address of all whose address nobody knows. */
export const addressAllowance = (limitClass: LimitClass, address: string | null): Allowance | null =>
  allowance(addressRules[limitClass], addressSubject(address));

/** What a user draws on, whether by session or by API key. */
export const userAllowance = (limitClass: LimitClass, userId: UserId): Allowance | null =>
  allowance(userRules[limitClass], userId);

/** What is drawn on for an account, by those who have a role in it. */
export const accountAllowance = (limitClass: LimitClass, accountId: AccountId, plan: Plan): Allowance | null =>
  allowance(accountRules[plan][limitClass], accountId);

/** All allowances there are of an address, a user, an account: for those who look at them or make them whole. */
export const addressAllowances = (address: string | null): readonly Allowance[] => every(addressRules, addressSubject(address));
export const userAllowances = (userId: UserId): readonly Allowance[] => every(userRules, userId);
export const accountAllowances = (accountId: AccountId, plan: Plan): readonly Allowance[] => every(accountRules[plan], accountId);
