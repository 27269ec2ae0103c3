import { OPERATOR_ACCOUNT_ID, type UserId } from '../receipt/ids.ts';
import { prefixOf } from '../receipt/key-path.ts';
import { accountStream } from '../receipt/stream.ts';
import { type Result, ok } from '../result.ts';
import { decideAccount } from '../stream/account/decide.ts';
import type { AccountState } from '../stream/account/evolve.ts';
import { type AppendParts, append } from './append.ts';
import { derivedKey } from './derived-key.ts';
import type { Intent } from './intent.ts';
import type { CommandRefusal } from './ledger-commands.ts';
import type { CommandPorts } from './ports.ts';
import { streamMemory } from './stream-memory.ts';
import { streamQueue } from './stream-queue.ts';

/** `added` now; `member` already, in whatever role; `removed` once, by another operator: that word stands. */
export type Ensured = 'added' | 'member' | 'removed';

const stream = accountStream(OPERATOR_ACCOUNT_ID);

/**
 * Makes a user a member of the operator's account with the role operator, by the word of whoever runs the service. At each start of any number of
 * processes: the receipt has an idempotency key of the user's own, so there is one for ever, and whom the operators have removed since does
 * not come back this way. Throws `Outage`.
 */
export const ensureOperator = async (ports: CommandPorts, userId: UserId): Promise<Result<Ensured, CommandRefusal>> => {
  const parts: AppendParts = { ...ports, queue: streamQueue(), memory: streamMemory(ports.clock) };
  let isMember = false;
  const outcome = await append(
    parts,
    intentOf(userId, (member) => (isMember = member)),
  );
  if (outcome.ok && !outcome.value.replayed) return ok('added');
  if (isMember) return ok('member');
  return outcome.ok ? ok('removed') : outcome;
};

const intentOf = (userId: UserId, look: (isMember: boolean) => void): Intent<AccountState, null> => {
  const idempotencyKey = derivedKey(`operator ${userId}`, prefixOf(stream));
  return {
    ...{ stream, idempotencyKey, ifMatch: null },
    asked: { type: 'MEMBER_ADDED', payload: { userId, role: 'operator' } },
    view: (readModel) => readModel.accountView({ stream, idempotencyKey, userId: null, identityId: null }),
    // Nobody asks: whoever may set the service's environment may do this.
    authorise: ({ state }) => {
      look(state.members.has(userId));
      return ok(undefined);
    },
    prepare: () => Promise.resolve(null),
    decide: ({ state }) =>
      decideAccount(OPERATOR_ACCOUNT_ID, state, { type: 'add-member', userId, role: 'operator', by: userId }),
    stateOf: ({ state }) => ({ type: 'account', state }),
    issuer: ({ operator }) => operator,
  };
};
