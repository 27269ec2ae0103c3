import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addCards } from '../../../test/ledger-cards.ts';
import { cardId, publishCollection } from '../../../test/ledger-collection.ts';
import { type FixtureLedger, fixtureLedger, userId } from '../../../test/ledger-fixture.ts';
import { type TradeVerb, expireTrade, offerTrade, soonest, tradeIn, traded } from '../../../test/ledger-trade.ts';
import { type TradeResource, type TradeStatus, tradeStatuses } from '../../port/ledger-queries.ts';
import {
  type AccountId,
  type BookId,
  type InstanceId,
  type TradeId,
  epochMsOf,
  instantOf,
  offerEventIdOf,
  tradeIdOf,
} from '../../receipt/ids.ts';
import { eventIdAt } from '../../receipt/key-path.ts';
import type { StreamOf } from '../../receipt/stream.ts';
import { type OpenedQueries, openQueries, pageSizes, sorted, sortedBy, walk } from './queries.fixture.ts';

type Book = StreamOf<'pixbook'>;

describe('the queries of trades', () => {
  let opened: OpenedQueries;
  let ledger: FixtureLedger;
  /** Anna has two books, of two identities; the others one each. */
  let books: Record<'anna' | 'annika' | 'bert' | 'cleo', Book>;
  const trades: TradeId[] = [];
  /** Copies of a book that were in no trade yet. */
  const untouched = new Map<BookId, InstanceId[]>();
  const takeFrom = ({ bookId }: Book): InstanceId[] => untouched.get(bookId)?.splice(0, 1) ?? [];

  /** A trade that goes as far as these steps. */
  const trade = async (from: Book, to: Book, steps: readonly TradeVerb[]): Promise<TradeId> => {
    const wanted = steps.includes('reserve-trade') ? takeFrom(to) : [];
    const terms = { give: takeFrom(from), want: { instanceIds: wanted }, expiresAt: soonest(ledger) };
    const tradeId = await offerTrade(ledger, from, to, terms);
    for (const step of steps) await (step === 'expire-trade' ? expireTrade(ledger, tradeId) : traded(ledger, tradeId, step));
    trades.push(tradeId);
    return tradeId;
  };

  const ways: readonly (readonly [TradeStatus, readonly TradeVerb[]])[] = [
    ['expired', ['expire-trade']],
    ['expired', ['reserve-trade', 'expire-trade']],
    ['expired', ['reserve-trade', 'expire-trade', 'release-trade']],
    ['offered', []],
    ['reserved', ['reserve-trade']],
    ['accepted', ['reserve-trade', 'accept-trade']],
    ['settled', ['reserve-trade', 'accept-trade', 'settle-trade']],
    ['declined', ['decline-trade']],
    ['cancelled', ['cancel-trade']],
    ['cancelled', ['reserve-trade', 'cancel-trade']],
    ['cancelled', ['reserve-trade', 'cancel-trade', 'release-trade']],
  ];
  const statusOf = new Map<TradeId, TradeStatus>();

  beforeAll(async () => {
    opened = await openQueries();
    ledger = await fixtureLedger();
    const collectionId = await publishCollection(ledger);
    const bookIn = async (accountId: AccountId, name: string) => {
      const book = await ledger.createPixbook(accountId, await ledger.createIdentity(accountId, userId(name)), collectionId);
      const cards = Array.from({ length: 40 }, () => cardId('pond-1'));
      untouched.set(book.bookId, [...(await addCards(ledger, book, cards))]);
      return book;
    };
    const accountOf = async (name: string) => (await ledger.createAccount(userId(name))).accountId;
    const annas = await accountOf('anna');
    books = {
      anna: await bookIn(annas, 'anna'),
      annika: await bookIn(annas, 'anna'),
      bert: await bookIn(await accountOf('bert'), 'bert'),
      cleo: await bookIn(await accountOf('cleo'), 'cleo'),
    };
    const { anna, annika, bert, cleo } = books;
    for (const [status, steps] of ways)
      for (const [from, to] of [
        [anna, bert],
        [bert, anna],
      ] as const)
        statusOf.set(await trade(from, to, steps), status);
    statusOf.set(await trade(anna, annika, ['reserve-trade']), 'reserved');
    statusOf.set(await trade(cleo, annika, []), 'offered');
    statusOf.set(await trade(cleo, bert, []), 'offered');
    await opened.follow(ledger);
  });
  afterAll(() => opened.close());

  const timeOf = (id: string | undefined) =>
    ledger.receipts.find(({ receipt }) => receipt.eventId === id)?.receipt.createdAt ?? null;

  /** A trade as the whole states of both books have it. */
  const shownAs = (tradeId: TradeId): unknown => {
    const { from, to, offer } = tradeIn(ledger, tradeId);
    const receipts = ledger.receiptsOf(to).map(({ receipt }) => receipt);
    const reservation = receipts.find(({ type, payload }) => type === 'CARD_TRADE_RESERVED' && payload.tradeId === tradeId);
    const ended = offer.end?.eventId;
    return {
      tradeId,
      status: statusOf.get(tradeId),
      from: { accountId: from.accountId, bookId: from.bookId },
      to: { accountId: to.accountId, bookId: to.bookId },
      ...{ give: offer.give, want: offer.want, expiresAt: offer.expiresAt },
      receive: offer.status === 'accepted' ? reservation?.payload.give : null,
      offeredAt: timeOf(offerEventIdOf(tradeId)),
      endedAt: timeOf(ended),
      receipts: { offer: offerEventIdOf(tradeId), reservation: reservation?.eventId ?? null, end: ended ?? null },
    };
  };

  it('show a trade of every status with all that both books say of it', async () => {
    expect(new Set(statusOf.values())).toEqual(new Set(tradeStatuses));
    for (const tradeId of trades) expect(await opened.queries.trade(tradeId)).toEqual(shownAs(tradeId));
    expect(await opened.queries.trade(tradeIdOf(eventIdAt(books.anna, 99)))).toBeNull();
  });

  const list = (filter: { accountIds?: readonly AccountId[]; bookId?: BookId; status?: TradeStatus }, limit = 100) => {
    const { accountIds = [], bookId = null, status = null } = filter;
    return walk(
      limit,
      ({ tradeId }: TradeResource) => tradeId,
      (page) => opened.queries.trades({ accountIds, bookId, status }, page),
    );
  };
  /** Those that have to do with one of these books. */
  const tradesOf = (wanted: readonly Book[]): readonly TradeId[] =>
    sorted(
      trades.filter((tradeId) => {
        const { from, to } = tradeIn(ledger, tradeId);
        return [from, to].some(({ bookId }) => wanted.some((book) => book.bookId === bookId));
      }),
    );

  it('list the trades of a book on either side, in order and each as it is shown alone', async () => {
    for (const book of Object.values(books))
      expect(await list({ accountIds: [book.accountId], bookId: book.bookId })).toEqual(
        sortedBy((id) => id, tradesOf([book])).map((tradeId) => shownAs(tradeId)),
      );
  });

  it.each(pageSizes)('list the trades of accounts in pages of %i, once where both books are theirs', async (limit) => {
    const { anna, annika, bert, cleo } = books;
    for (const [accountIds, wanted] of [
      [[anna.accountId], [anna, annika]],
      [[bert.accountId], [bert]],
      [
        [cleo.accountId, anna.accountId, cleo.accountId],
        [anna, annika, cleo],
      ],
      [
        [anna.accountId, bert.accountId, cleo.accountId],
        [anna, annika, bert, cleo],
      ],
      [[], []],
    ] as const)
      expect((await list({ accountIds }, limit)).map(({ tradeId }) => tradeId)).toEqual(tradesOf(wanted));
  });

  it.each(tradeStatuses)('list those that are %s', async (status) => {
    const { anna, bert } = books;
    const expected = (wanted: readonly Book[]) => tradesOf(wanted).filter((tradeId) => statusOf.get(tradeId) === status);
    for (const limit of [1, 2, 100]) {
      const found = await list({ accountIds: [anna.accountId, bert.accountId], status }, limit);
      expect(found.map(({ tradeId }) => tradeId)).toEqual(expected(Object.values(books)));
      const ofBook = await list({ accountIds: [bert.accountId], bookId: bert.bookId, status }, limit);
      expect(ofBook.map(({ tradeId }) => tradeId)).toEqual(expected([bert]));
    }
  });

  it('find the offers whose time is over, those due longest first', async () => {
    const standing = trades
      .filter((tradeId) => tradeIn(ledger, tradeId).offer.status === 'offered')
      .map((tradeId) => ({ tradeId, ...tradeIn(ledger, tradeId) }))
      .sort((a, b) => epochMsOf(a.offer.expiresAt) - epochMsOf(b.offer.expiresAt));
    const due = standing.map(({ tradeId, from }) => ({ tradeId, accountId: from.accountId, bookId: from.bookId }));
    expect(due.length).toBeGreaterThan(5);
    const [first, second] = standing;
    if (first === undefined || second === undefined) throw new RangeError('no offers');
    const early = epochMsOf(first.offer.expiresAt);
    expect(await opened.queries.dueTrades(instantOf(early - 1), 10)).toEqual([]);
    expect(await opened.queries.dueTrades(instantOf(early), 10)).toEqual(due.slice(0, 1));
    expect(await opened.queries.dueTrades(second.offer.expiresAt, 10)).toEqual(due.slice(0, 2));
    expect(await opened.queries.dueTrades(instantOf(early + 30 * 86_400_000), 4)).toEqual(due.slice(0, 4));
    expect(await opened.queries.dueTrades(instantOf(early + 30 * 86_400_000), 100)).toEqual(due);
  });
});
