import { mayOperate } from '../access/authorise.ts';
import { OPERATOR_ACCOUNT_ID, type UserId, parseAccountId } from '../receipt/ids.ts';
import { type Result, err, ok } from '../result.ts';
import { type AccountCommand, commanding } from './command-need.ts';
import type { SignedInNeed } from './need.ts';
import { commandContextOf } from './precondition.ts';
import { type Problem, notFound, refused } from './problem.ts';
import { isScraper } from './scraper.ts';
import type { Service } from './service.ts';

const OPERATOR = 'A session, and the role of an operator.';

/** Everyone else is told the same, whatever they ask about: nothing of it is looked at before. */
const operates = async ({ queries }: Service, userId: UserId): Promise<Result<UserId, Problem>> => {
  const allowed = mayOperate({ role: await queries.membership(userId, OPERATOR_ACCOUNT_ID) });
  return allowed.ok ? ok(userId) : err(refused(allowed.error));
};

const operating = { signedIn: true, isCommand: false, isAudited: true, problems: ['forbidden'] } as const;

/** Operators, for what they read. */
export const operatorReader: SignedInNeed<UserId, unknown> = {
  ...operating,
  name: 'operator reader',
  says: OPERATOR,
  grant: (service, { userId }) => operates(service, userId),
};

/** Operators, for what they do without leaving a receipt. */
export const operator: SignedInNeed<UserId, unknown> = {
  ...operating,
  name: 'operator',
  says: OPERATOR,
  grant: (service, { userId }) => operates(service, userId),
};

/** Operators, for a command on the account of the path. What they may do is looked at again where the receipt is made. */
export const operatorCommand: SignedInNeed<AccountCommand, unknown> = {
  ...commanding,
  isAudited: true,
  name: 'operator command',
  says: OPERATOR,
  grant: async (service, { userId }, { headers, param }) => {
    const allowed = await operates(service, userId);
    if (!allowed.ok) return allowed;
    const accountId = parseAccountId(param('accountId'));
    if (!accountId.ok) return err(notFound);
    const context = commandContextOf(userId, headers);
    return context.ok ? ok({ context: context.value, accountId: accountId.value }) : context;
  },
};

/** Operators, and the scraper that shows the token it was given: also while nobody can be signed in. */
export const metricsReader: SignedInNeed<'scraper' | 'operator', unknown> = {
  signedIn: true,
  isCommand: false,
  problems: ['forbidden'],
  name: 'metrics reader',
  says: 'METRICS_TOKEN as the bearer token, or a session and the role of an operator.',
  pass: ({ config }, headers) => (isScraper(config.metricsToken, headers) ? 'scraper' : null),
  grant: async (service, { userId }) => {
    const allowed = await operates(service, userId);
    return allowed.ok ? ok('operator') : allowed;
  },
};
