import type { ReadModel } from '../../src/port/read-model.ts';
import { parseTradeId } from '../../src/receipt/ids.ts';
import type { LivePixbook, PixbookState } from '../../src/stream/pixbook/state.ts';
import { granted } from '../ledger-fixture.ts';
import type { Weakening } from './world.ts';

/** Read models that hide from the rules what they would refuse. */

const withReadModel =
  (change: (readModel: ReadModel) => Partial<ReadModel>): Weakening =>
  (ports) => {
    // The port may be a proxy: its methods are read from it one by one.
    const methods = Object.fromEntries(
      Object.keys(ports.readModel).map((name) => [name, Reflect.get(ports.readModel, name) as unknown]),
    );
    return { ...ports, readModel: { ...(methods as unknown as ReadModel), ...change(ports.readModel) } };
  };

const booksSeenAs = (change: (state: LivePixbook) => LivePixbook): Weakening =>
  withReadModel((readModel) => ({
    pixbookView: async (request) => {
      const view = await readModel.pixbookView(request);
      const state: PixbookState = view.state.status === 'absent' ? view.state : change(view.state);
      return { ...view, state };
    },
  }));

/** Every offer looks as it did on its first day, and what it gave is still there to be given. */
export const offersStandForEver = booksSeenAs((state) => {
  const trades = state.trades.map((trade) =>
    trade.side === 'offerer' ? { ...trade, status: 'offered' as const, end: null } : trade,
  );
  const cards = state.cards.withMutations((held) => {
    for (const [key, trade] of trades) {
      const escrow = granted(parseTradeId(key.split(' ')[1]));
      if (trade.side === 'offerer') for (const { instanceId, cardId } of trade.give) held.set(instanceId, { cardId, escrow });
    }
  });
  return { ...state, trades, cards };
});

/** No book has had a pack. */
export const packsAreForgotten = booksSeenAs((state) => ({ ...state, packs: state.packs.clear() }));

/** No code is claimed. */
export const codesStayOpen = withReadModel((readModel) => ({
  codeView: async (request) => {
    const view = await readModel.codeView(request);
    return view.state.status === 'claimed' ? { ...view, state: { ...view.state, status: 'open', claim: null } } : view;
  },
}));

/** What must follow in another stream is written nowhere. */
export const nothingIsLeftToDo = withReadModel((readModel) => ({
  apply: ({ projected, ...application }) => readModel.apply({ ...application, projected: { ...projected, redo: [] } }),
}));
