import type { Logger } from 'pino';
import { ensureOperator } from '../command/ensure-operator.ts';
import type { CommandPorts } from '../command/ports.ts';
import type { UserId } from '../receipt/ids.ts';

/**
 * Makes the users that the configuration names operators of the ledger, one after another. The service starts all the same when the ledger refuses one. Throws
 * `Outage`.
 */
export const ensureOperators = async (ports: CommandPorts, users: readonly UserId[], log: Logger): Promise<void> => {
  for (const userId of users) {
    const outcome = await ensureOperator(ports, userId);
    if (!outcome.ok) log.error({ userId, code: outcome.error.code, reason: outcome.error.detail }, 'no operator was made');
    else if (outcome.value === 'added') log.warn({ userId }, 'a user was made an operator of the ledger');
    else if (outcome.value === 'removed')
      log.warn({ userId }, 'OPERATOR_USERS names a former operator, who stays removed; an operator may add them again');
  }
};
