import type { InstanceId, TradeId } from '../../receipt/ids.ts';
import { type Result, ok } from '../../result.ts';
import type { Refusal } from '../refusal.ts';
import type { Instance } from './event.ts';
import type { LivePixbook } from './state.ts';
import { refuse } from './verdict.ts';

type Cards = LivePixbook['cards'];

export type CopyRefusal = Refusal<
  | 'card-twice' // one copy named twice
  | 'card-not-held' // the book does not hold this copy
  | 'card-in-escrow' // another trade keeps it
>;

/** These copies with their cards, in this order, when the book can part with them: held, kept by no trade, and named once. */
export const freeCopies = (cards: Cards, instanceIds: readonly InstanceId[]): Result<readonly Instance[], CopyRefusal> => {
  if (hasTwice(instanceIds)) return refuse('card-twice', 'a copy is named twice');
  const free: Instance[] = [];
  for (const instanceId of instanceIds) {
    const held = cards.get(instanceId);
    if (held === undefined) return refuse('card-not-held', `the pixbook does not hold ${instanceId}`);
    if (held.escrow !== null) return refuse('card-in-escrow', `${instanceId} is in escrow of ${held.escrow}`);
    free.push({ instanceId, cardId: held.cardId });
  }
  return ok(free);
};

export const hasTwice = (names: readonly string[]): boolean => new Set(names).size !== names.length;

export const idsOf = (copies: readonly Instance[]): InstanceId[] => copies.map(({ instanceId }) => instanceId);

export const sameIds = (some: readonly InstanceId[], others: readonly InstanceId[]): boolean =>
  some.length === others.length && some.every((instanceId, i) => instanceId === others[i]);

export const sameCopies = (some: readonly Instance[], others: readonly Instance[]): boolean =>
  sameIds(idsOf(some), idsOf(others)) && some.every(({ cardId }, i) => cardId === others[i]?.cardId);

export const holdsAny = (cards: Cards, copies: readonly Instance[]): boolean =>
  copies.some(({ instanceId }) => cards.has(instanceId));

/** Whether each of the copies is in escrow of this trade. */
export const areKeptBy = (cards: Cards, tradeId: TradeId, copies: readonly Instance[]): boolean =>
  copies.every(({ instanceId }) => cards.get(instanceId)?.escrow === tradeId);

/** The copies are held, in escrow of that trade or (null) free. */
export const withCopies = (cards: Cards, copies: readonly Instance[], escrow: TradeId | null): Cards =>
  cards.withMutations((next) => {
    for (const { instanceId, cardId } of copies) next.set(instanceId, { cardId, escrow });
  });

export const withoutCopies = (cards: Cards, instanceIds: readonly InstanceId[]): Cards => cards.deleteAll(instanceIds);
