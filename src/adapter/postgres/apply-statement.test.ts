import { beforeAll, describe, expect, it } from 'vitest';
import { addCards, freeCopiesIn, issuePack, removeCards } from '../../../test/ledger-cards.ts';
import { cardId, openDrop, publishCollection } from '../../../test/ledger-collection.ts';
import { type FixtureLedger, applicationOf, fixtureLedger, userId } from '../../../test/ledger-fixture.ts';
import { offerTrade } from '../../../test/ledger-trade.ts';
import type { Application } from '../../port/read-model.ts';
import type { CollectionId } from '../../receipt/ids.ts';
import type { StreamOf } from '../../receipt/stream.ts';
import { applyStatements } from './apply-statement.ts';

/** That the statements do what they say is shown by the contract of the read model. */
describe('the statement that applies receipts', () => {
  let ledger: FixtureLedger;
  let collectionId: CollectionId;
  let books: readonly StreamOf<'pixbook'>[];
  beforeAll(async () => {
    ledger = await fixtureLedger();
    collectionId = await publishCollection(ledger);
    const bookOf = async (name: string) => {
      const { accountId } = await ledger.createAccount(userId(name));
      return ledger.createPixbook(accountId, await ledger.createIdentity(accountId, userId(name)), collectionId);
    };
    books = [await bookOf('anna'), await bookOf('bert')];
  });

  const [annas, berts] = [() => books[0] ?? missing(), () => books[1] ?? missing()];
  const missing = (): never => {
    throw new RangeError('no such book');
  };
  /** The last receipt. */
  const last = (): Application => applicationOf(ledger.receipts.at(-1) ?? missing());
  const copies = (count: number) => Array.from({ length: count }, () => cardId('pond-1'));

  const sizes: readonly [string, (count: number) => Promise<unknown>][] = [
    ['grants copies', (count) => addCards(ledger, annas(), copies(count))],
    [
      'issues a pack',
      async (count) => issuePack(ledger, berts(), await openDrop(ledger, collectionId, { packSize: Math.min(count, 12) })),
    ],
    [
      'takes copies into escrow',
      (count) => offerTrade(ledger, annas(), berts(), { give: freeCopiesIn(ledger, annas()).slice(0, count) }),
    ],
    ['removes copies', (count) => removeCards(ledger, annas(), freeCopiesIn(ledger, annas()).slice(0, count))],
  ];
  it.each(sizes)('is the same for two copies and for fifty where a receipt %s', async (_, does) => {
    const statementFor = applyStatements('projection');
    await addCards(ledger, annas(), copies(50));
    await addCards(ledger, annas(), copies(2));
    await does(2);
    const two = statementFor([last()]);
    await does(50);
    const fifty = statementFor([last()]);
    expect(fifty.text).toBe(two.text);
    expect(fifty.name).toBe(two.name);
    expect(fifty.values).toHaveLength(two.values.length);
    const longest = Math.max(...fifty.values.map((value) => (Array.isArray(value) ? value.length : 1)));
    expect(longest).toBe(last().projected.changes.filter(({ table }) => table === 'card_instances').length);
  });

  it('takes arrays for copies and none for what a lone receipt has one of', async () => {
    await addCards(ledger, annas(), copies(3));
    const { values } = applyStatements('projection')([last()]);
    expect(new Set(values.map((value) => (Array.isArray(value) ? value.length : null)))).toEqual(new Set([3, null]));
  });

  it('is one for receipts of several streams, whatever each does', async () => {
    await addCards(ledger, annas(), copies(3));
    const grant = last();
    await issuePack(ledger, berts(), await openDrop(ledger, collectionId));
    const { text, values } = applyStatements('projection')([grant, last()]);
    expect(text.match(/INSERT INTO projection\.card_instances/g)).toHaveLength(1);
    expect(Math.max(...values.map((value) => (Array.isArray(value) ? value.length : 0)))).toBe(8);
  });
});
