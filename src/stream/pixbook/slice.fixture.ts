import type { Place } from '../here.ts';
import type { Concerns } from './concerns.ts';
import type { PixbookEvent } from './event.ts';
import { evolvePixbook } from './evolve.ts';
import { type PixbookState, tradeKey } from './state.ts';

/** What is left of a state when only what concerns somebody was looked up, and for each trade the copies it keeps. */
export const sliced = (state: PixbookState, { instanceIds, packIds, tradeIds, openTrades }: Concerns): PixbookState => {
  if (state.status === 'absent') return state;
  const keys = tradeIds.flatMap((tradeId) => [tradeKey('offerer', tradeId), tradeKey('accepter', tradeId)]);
  return {
    ...state,
    cards: state.cards.filter(
      ({ escrow }, instanceId) => instanceIds.includes(instanceId) || (escrow !== null && tradeIds.includes(escrow)),
    ),
    packs: state.packs.filter((_pack, packId) => packIds.includes(packId)),
    trades: state.trades.filter((_trade, key) => keys.includes(key)),
    openTrades: openTrades ? state.openTrades : null,
  };
};

/** What an event changes in a state, or why it cannot: what does not change is not in it. */
export const changeBy = (before: PixbookState, event: PixbookEvent, place: Place) => {
  const evolved = evolvePixbook(before, event, place);
  if (!evolved.ok) return evolved.error;
  const after = evolved.value;
  if (before.status === 'absent' || after.status === 'absent') return after;
  const { cards, packs, trades, openTrades: _, ...rest } = after;
  return {
    ...rest,
    cards: changed(before.cards, cards),
    packs: changed(before.packs, packs),
    trades: changed(before.trades, trades),
  };
};

const changed = <V>(before: Iterable<[string, V]>, after: Iterable<[string, V]>) => {
  const [old, now] = [new Map(before), new Map(after)];
  return Object.fromEntries(
    [...new Set([...old.keys(), ...now.keys()])]
      .filter((key) => old.get(key) !== now.get(key))
      .sort()
      .map((key) => [key, now.get(key) ?? 'gone']),
  );
};
