import type { ReadModel, View, ViewRequest } from '../../src/port/read-model.ts';
import type { ProjectedTable } from '../../src/projection/row-change.ts';
import { type TableDump, changeRow, dumpRows, headRowOf, noRows, rowKeyOf } from '../../src/projection/rows.ts';
import { prefixOf } from '../../src/receipt/key-path.ts';
import type { StoredReceipt } from '../../src/receipt/receipt.ts';
import type { Stream } from '../../src/receipt/stream.ts';
import { type StreamState, emptyStream } from '../../src/stream/fold.ts';
import { type Concerns, noConcerns } from '../../src/stream/pixbook/concerns.ts';
import { type PixbookState, tradeKey } from '../../src/stream/pixbook/state.ts';
import { applicationOf, granted, idempotencyKey } from '../ledger-fixture.ts';

/** A read model on a database of its own, and what the suites need to look at it from outside. */
export type ReadModelUnderTest = {
  readonly model: ReadModel;
  /** Another process on the same database. */
  readonly rival: () => ReadModel;
  readonly dump: () => Promise<{ readonly [T in ProjectedTable]: TableDump }>;
  /** The rows of the redo outbox, each as `target kind eventId`. */
  readonly redo: () => Promise<readonly string[]>;
  /** Makes the projection anew, empty. The redo outbox stays. */
  readonly wipe: () => Promise<void>;
  readonly close: () => Promise<void>;
};

export const FRESH_KEY = idempotencyKey('never-used');

/** What a projection must hold after these receipts, by `project` and nothing else. */
export const expectedDump = (receipts: readonly StoredReceipt[]): { readonly [T in ProjectedTable]: TableDump } => {
  const rows = noRows();
  for (const stored of receipts) {
    const { stream, head, projected } = applicationOf(stored);
    for (const change of projected.changes) granted(changeRow(rows, change));
    const at = headRowOf(stream, head);
    rows[at.table].set(rowKeyOf(at.table, at.row), at.row);
  }
  return dumpRows(rows);
};

/** Everything at once: applying is keyed by position, and adapters keep the order of what comes to them. */
export const applyAll = (model: ReadModel, receipts: readonly StoredReceipt[]) =>
  Promise.all(receipts.map((stored) => model.apply(applicationOf(stored))));

export type Asked = Partial<Omit<ViewRequest, 'stream'>> & { readonly concerns?: Concerns };

export const requestFor = <S extends Stream>(stream: S, more: Asked = {}): ViewRequest<S> => ({
  stream,
  idempotencyKey: FRESH_KEY,
  userId: null,
  identityId: null,
  ...more,
});

export const viewOf = (model: ReadModel, stream: Stream, more: Asked = {}): Promise<View<unknown>> => {
  switch (stream.type) {
    case 'account':
      return model.accountView(requestFor(stream, more));
    case 'pixbook':
      return model.pixbookView(requestFor(stream, more));
    case 'collection':
      return model.collectionView(requestFor(stream, more));
    case 'code':
      return model.codeView(requestFor(stream, more));
  }
};

/** Every stream of a ledger, in the order in which they began. */
export const streamsOf = ({ receipts }: { readonly receipts: readonly StoredReceipt[] }): readonly Stream[] => [
  ...new Map(receipts.map(({ receipt }) => [prefixOf(receipt.stream), receipt.stream])).values(),
];

/** The part of a whole state that a view shows which was asked for this part. */
export const shownOf = (whole: StreamState, concerns: Concerns = noConcerns): StreamState['state'] =>
  whole.type === 'pixbook' ? cutOf(whole.state, concerns) : whole.state;

/** The empty state of a stream. */
export const nothingOf = (stream: Stream): StreamState['state'] => emptyStream(stream).state;

const cutOf = (state: PixbookState, { instanceIds, packIds, tradeIds, openTrades }: Concerns): PixbookState => {
  if (state.status === 'absent') return state;
  const [instances, packs, named] = [new Set(instanceIds), new Set(packIds), new Set(tradeIds)];
  const trades = new Set(tradeIds.flatMap((id) => [tradeKey('offerer', id), tradeKey('accepter', id)]));
  return {
    ...state,
    cards: state.cards.filter(({ escrow }, id) => instances.has(id) || (escrow !== null && named.has(escrow))),
    packs: state.packs.filter((_, id) => packs.has(id)),
    trades: state.trades.filter((_, key) => trades.has(key)),
    openTrades: openTrades ? state.openTrades : null,
  };
};
