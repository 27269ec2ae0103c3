import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { type FixtureLedger, applicationOf, granted } from '../../test/ledger-fixture.ts';
import { stories, told } from '../../test/ledger-story.ts';
import { type WholeStory, wholeStory } from '../../test/whole-story.ts';
import { prefixOf } from '../receipt/key-path.ts';
import type { StoredReceipt } from '../receipt/receipt.ts';
import type { Stream } from '../receipt/stream.ts';
import type { RowChange } from './row-change.ts';
import { type Row, type Rows, changeRow, noRows, projectedTables, rowKeyOf } from './rows.ts';

const changesOf = (stored: StoredReceipt): readonly RowChange[] => applicationOf(stored).projected.changes;

const rowsAfter = (receipts: readonly StoredReceipt[]): Rows => {
  const rows = noRows();
  for (const stored of receipts) for (const change of changesOf(stored)) granted(changeRow(rows, change));
  return rows;
};

const keyOfChange = (change: RowChange): string =>
  rowKeyOf(change.table, change.op === 'insert' ? { ...change.row } : { ...change.key });

/** Whose row it is: what no other stream's receipt may change. */
const belongsTo = (stream: Stream, row: Row): boolean => {
  switch (stream.type) {
    case 'account':
      return row.account_id === stream.accountId;
    case 'pixbook':
      return row.account_id === stream.accountId && row.book_id === stream.bookId;
    case 'collection':
      return row.collection_id === stream.collectionId;
    case 'code':
      return row.code_id === stream.codeId;
  }
};

/** Every copy with the one book it is the property of, as the rows of all books tell it, whatever is between two receipts of a trade. */
const ownersIn = (rows: Rows): ReadonlyMap<string, readonly string[]> => {
  const owners = new Map<string, string[]>();
  const own = (instance: unknown, book: unknown): void =>
    void owners.set(String(instance), [...(owners.get(String(instance)) ?? []), String(book)]);
  const isAccepted = (trade: unknown): boolean => rows.trades.get(String(trade))?.status === 'accepted';
  for (const { instance_id, book_id, trade_id } of rows.card_instances.values())
    if (trade_id === null || !isAccepted(trade_id)) own(instance_id, book_id);
  for (const { trade_id, book_id, status, take } of rows.trade_reservations.values())
    if (status === 'reserved' && isAccepted(trade_id))
      for (const { instanceId } of JSON.parse(String(take)) as { instanceId: string }[]) own(instanceId, book_id);
  return owners;
};

/** What every ledger must come to, receipt by receipt. */
const expectLawful = (ledger: FixtureLedger): void => {
  const rows = noRows();
  const minted = new Set<string>();
  for (const stored of ledger.receipts) {
    const { stream } = stored.receipt;
    const changes = changesOf(stored);
    expect(changesOf(stored)).toEqual(changes);
    expect(new Set(changes.map((change) => `${change.table} ${keyOfChange(change)}`)).size).toBe(changes.length);
    for (const change of changes) {
      const before = rows[change.table].get(keyOfChange(change));
      granted(changeRow(rows, change));
      const after = rows[change.table].get(keyOfChange(change));
      for (const row of [before, after])
        if (row !== undefined)
          expect(change.table === 'receipts' ? row.stream === prefixOf(stream) : belongsTo(stream, row)).toBe(true);
      if (change.op === 'insert' && change.table === 'card_instances' && change.row.source !== 'trade')
        minted.add(change.row.instance_id);
      if (change.op === 'delete' && change.table === 'card_instances' && stored.receipt.type === 'CARD_REMOVED')
        minted.delete(change.key.instance_id);
    }
    const owners = ownersIn(rows);
    for (const books of owners.values()) expect(books).toHaveLength(1);
    expect([...owners.keys()].sort()).toEqual([...minted].sort());
  }
  expectHeldAsFolded(ledger, rows);
};

const expectHeldAsFolded = (ledger: FixtureLedger, rows: Rows): void => {
  for (const { book_id, account_id } of rows.pixbooks.values()) {
    const book = ledger.receipts.find(
      ({ receipt: { stream } }) => stream.type === 'pixbook' && stream.bookId === book_id && stream.accountId === account_id,
    );
    const state = book && ledger.stateOf(book.receipt.stream);
    if (state?.type !== 'pixbook' || state.state.status === 'absent') throw new RangeError('a row of no book');
    const held = [...rows.card_instances.values()].filter((row) => row.book_id === book_id);
    expect(new Map(held.map((row) => [row.instance_id, { cardId: row.card_id, escrow: row.trade_id }]))).toEqual(
      new Map(state.state.cards),
    );
  }
};

describe('projecting', () => {
  let story: WholeStory;
  let rows: Rows;
  beforeAll(async () => {
    story = await wholeStory();
    rows = rowsAfter(story.ledger.receipts);
  });

  describe('any ledger', () => {
    const law =
      'changes each row at most once a receipt, only its own stream’s, and leaves every copy with just one owner, none lost and none made';

    it(law, () => expectLawful(story.ledger));

    it(`${law}, whatever the story`, async () => {
      await fc.assert(
        fc.asyncProperty(stories(60), async (steps) => expectLawful(await told(steps))),
        { numRuns: 60 },
      );
    });

    it('leaves no table without rows where everything happens', () => {
      for (const table of projectedTables)
        if (!table.endsWith('_ledger_heads')) expect([table, rows[table].size]).not.toEqual([table, 0]);
    });

    it('has columns for all that the schema asks for, in every row of a table', () => {
      for (const table of projectedTables) {
        const shapes = new Set([...rows[table].values()].map((row) => Object.keys(row).sort().join(' ')));
        expect(shapes.size).toBeLessThanOrEqual(1);
      }
    });
  });
});
