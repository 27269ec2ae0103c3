import type { Command } from './command.ts';
import { denialOf } from './foretell.ts';
import { packOf } from './foretell-code.ts';
import { complete, release } from './foretell-trade.ts';
import { type Foretold, done, refused } from './foretold.ts';
import type { Reckoning } from './reckoning.ts';

/** Whether the first receipt of a command with several is there, by this key or another. */
export const isWritten = ({ trades, codes }: Reckoning, command: Command): boolean => {
  if (command.verb === 'accept') return (trades.get(command.tradeId)?.reservation ?? null) !== null;
  return command.verb === 'claim-code' && codes.get(command.codeId)?.status === 'claimed';
};

/**
 * What must come of a command whose key has a receipt: the same answer as before, for whoever may still ask; and what was left undone is tried
 * again.
 */
export const foretellAgain = (reckoning: Reckoning, command: Command, nowMs: number): Foretold => {
  const denied = denialOf(reckoning, command);
  if (denied !== null) return refused(denied);
  switch (command.verb) {
    case 'accept': {
      const trade = reckoning.trades.get(command.tradeId);
      return trade === undefined ? refused('trade-missing') : complete(reckoning, trade, nowMs, null);
    }
    case 'cancel':
    case 'decline': {
      const trade = reckoning.trades.get(command.tradeId);
      if (trade !== undefined) release(reckoning, trade, null);
      return done;
    }
    case 'claim-code': {
      const code = reckoning.codes.get(command.codeId);
      const book = reckoning.books.get(command.bookId);
      return code === undefined || book === undefined ? refused('code-missing') : packOf(reckoning, book, code, null);
    }
    default:
      return done;
  }
};
