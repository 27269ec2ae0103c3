import { describe, expect, it } from 'vitest';
import { commandsThat, refusing } from '../http/ending-commands.fixture.ts';
import { Outage } from '../port/outage.ts';
import type { AccountId } from '../receipt/ids.ts';
import { ok } from '../result.ts';
import type { CommandContext, CommandOutcome, LedgerCommands } from './ledger-commands.ts';
import { meteredCommands } from './metered-commands.ts';

const context = { userId: 'usr_ada', idempotencyKey: 'k', ifMatch: null } as CommandContext;
const own = 'acc_own' as AccountId;
const other = 'acc_other' as AccountId;
const inOwn = { accountId: own, bookId: 'bk' } as never;
const inOther = { accountId: other, bookId: 'bk', tradeId: 'trd' } as never;
const written = ok({ position: 0 }) as unknown as CommandOutcome;

const counting = (outcome: () => Promise<CommandOutcome>) => {
  const counted: string[] = [];
  return { counted, commands: meteredCommands(commandsThat(outcome), { count: (accountId) => counted.push(accountId) }) };
};

type Use = (commands: LedgerCommands) => Promise<CommandOutcome>;
const uses: readonly (readonly [string, Use, string])[] = [
  ['a save', (c) => c.save(context, inOwn, {} as never), own],
  ['a closed account', (c) => c.closeAccount(context, own), own],
  ['a pack of one’s own', (c) => c.issuePack(context, inOwn, { identityId: null } as never), own],
  ['a pack from an issuer', (c) => c.issuePack(context, inOwn, { identityId: 'idn' } as never), 'acc_operator'],
  ['a grant', (c) => c.addCards(context, inOwn, {} as never), 'acc_operator'],
  ['a suspension', (c) => c.suspendAccount(context, own, 'x'), 'acc_operator'],
  ['an accepted trade', (c) => c.acceptTrade(context, inOther, inOwn), own],
  ['a declined trade', (c) => c.declineTrade(context, inOther, inOwn), own],
  ['a cancelled trade', (c) => c.cancelTrade(context, inOther), other],
];

describe('a command', () => {
  it.each(uses)('%s is counted for the account it acts in', async (_what, use, accountId) => {
    const { counted, commands } = counting(async () => written);
    await use(commands);
    expect(counted).toEqual([accountId]);
  });

  it.each([
    ['account-suspended', 1],
    ['stale-base', 1],
    ['not-found', 0],
    ['forbidden', 0],
  ] as const)('that is refused with %s is counted %i times', async (code, times) => {
    const { counted, commands } = counting(async () => refusing(code));
    await commands.save(context, inOwn, {} as never);
    expect(counted).toHaveLength(times);
  });

  it('that an outage ended is not counted', async () => {
    const { counted, commands } = counting(() => Promise.reject(new Outage('store', 'store-unavailable', 'away')));
    await expect(commands.closeAccount(context, own)).rejects.toBeInstanceOf(Outage);
    expect(counted).toEqual([]);
  });
});
