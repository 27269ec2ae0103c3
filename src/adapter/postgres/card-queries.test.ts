import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { addCards, freeCopiesIn, issuePack } from '../../../test/ledger-cards.ts';
import { cardId, openDrop, publishCollection } from '../../../test/ledger-collection.ts';
import { type FixtureLedger, fixtureLedger, granted, userId } from '../../../test/ledger-fixture.ts';
import { liveBookIn } from '../../../test/ledger-state.ts';
import { stories, told } from '../../../test/ledger-story.ts';
import { expireTrade, offerTrade, soonest, tradeIn, traded } from '../../../test/ledger-trade.ts';
import type { CardResource } from '../../port/ledger-queries.ts';
import { type DropId, type InstanceId, type TradeId, bookIdFor } from '../../receipt/ids.ts';
import type { StreamOf } from '../../receipt/stream.ts';
import { eventOf } from '../../stream/event.ts';
import { isPixbookEvent } from '../../stream/fold.ts';
import type { Instance } from '../../stream/pixbook/event.ts';
import { type OpenedQueries, openQueries, pageSizes, sorted, sortedBy, walk } from './queries.fixture.ts';

type Book = StreamOf<'pixbook'>;
type Origin = Pick<CardResource, 'source' | 'sourceId' | 'since'>;

/** How each copy last came to a book, as its receipts tell. */
const originsIn = (ledger: FixtureLedger, book: Book): ReadonlyMap<InstanceId, Origin> => {
  const origins = new Map<InstanceId, Origin>();
  for (const { receipt } of ledger.receiptsOf(book)) {
    const event = granted(eventOf(receipt));
    if (!isPixbookEvent(event)) continue;
    const came = (cards: readonly Instance[], source: Origin['source'], sourceId: string) => {
      for (const { instanceId } of cards) origins.set(instanceId, { source, sourceId, since: receipt.createdAt });
    };
    if (event.type === 'PACK_ISSUED') came(event.payload.cards, 'pack', event.payload.packId);
    if (event.type === 'CARD_ADDED') came(event.payload.cards, 'grant', receipt.eventId);
    if (event.type === 'CARD_TRADE_ACCEPTED') came(event.payload.receive, 'trade', event.payload.tradeId);
    if (event.type === 'CARD_TRADE_SETTLED') came(event.payload.take, 'trade', event.payload.tradeId);
  }
  return origins;
};

const timeOf = (ledger: FixtureLedger, id: string | undefined) =>
  ledger.receipts.find(({ receipt }) => receipt.eventId === id)?.receipt.createdAt;

/** What a book must show of its cards, by what the whole states of both books of each trade say. */
const cardsOf = (ledger: FixtureLedger, book: Book): readonly unknown[] => {
  const state = liveBookIn(ledger, book);
  const origins = originsIn(ledger, book);
  const isLeaving = (tradeId: TradeId) => {
    const { to, offer } = tradeIn(ledger, tradeId);
    return to.bookId === book.bookId && offer.status === 'accepted';
  };
  const held = [...state.cards].map(([instanceId, { cardId: card, escrow }]) => {
    const status = escrow === null ? 'owned' : isLeaving(escrow) ? 'leaving' : 'escrowed';
    return { instanceId, cardId: card, status, tradeId: escrow, ...origins.get(instanceId) };
  });
  const reserved = [...state.trades].flatMap(([key, trade]) =>
    trade.side === 'accepter' && trade.status === 'reserved' ? [key.replace('accepter ', '') as TradeId] : [],
  );
  const arriving = reserved.flatMap((tradeId) => {
    const { offer } = tradeIn(ledger, tradeId);
    const from = { tradeId, source: 'trade', sourceId: tradeId, since: timeOf(ledger, offer.end?.eventId) };
    return offer.status === 'accepted' ? offer.give.map((copy) => ({ ...copy, status: 'arriving', ...from })) : [];
  });
  return sortedBy(({ instanceId }) => instanceId, [...held, ...arriving]);
};

describe('the queries of cards', () => {
  let opened: OpenedQueries;
  let ledger: FixtureLedger;
  let annas: Book;
  let berts: Book;
  let drop: DropId;
  beforeEach(async () => {
    opened = await openQueries();
    ledger = await fixtureLedger();
    const collectionId = await publishCollection(ledger);
    drop = await openDrop(ledger, collectionId);
    const bookOf = async (name: string) => {
      const { accountId } = await ledger.createAccount(userId(name));
      return ledger.createPixbook(accountId, await ledger.createIdentity(accountId, userId(name)), collectionId);
    };
    [annas, berts] = [await bookOf('anna'), await bookOf('bert')];
    for (const book of [annas, berts]) {
      await issuePack(ledger, book, drop);
      await addCards(ledger, book, ['pond-1', 'pond-1', 'sky-4'].map(cardId));
    }
    await opened.follow(ledger);
    return () => opened.close();
  });

  const list = (book: Book, limit = 100): Promise<readonly CardResource[]> =>
    walk(
      limit,
      ({ instanceId }: CardResource) => instanceId,
      (page) => opened.queries.cards(book, page),
    );

  /** Both books show what they must, in pages of any size; every copy there is, is in one of them, and leaves no other but by arriving. */
  const showAll = async (): Promise<readonly string[]> => {
    await opened.follow(ledger);
    const all: CardResource[] = [];
    for (const book of [annas, berts]) {
      const shown = await list(book);
      expect(shown).toEqual(cardsOf(ledger, book));
      for (const limit of pageSizes) expect(await list(book, limit)).toEqual(shown);
      const owned = shown.filter(({ status }) => status === 'owned' || status === 'escrowed');
      expect(await opened.queries.holdings(book)).toEqual(
        sorted([...new Set(owned.map(({ cardId: card }) => card))]).map((card) => {
          const copies = owned.filter(({ cardId: other }) => other === card);
          return { cardId: card, copies: copies.length, inEscrow: copies.filter(({ status }) => status === 'escrowed').length };
        }),
      );
      all.push(...shown);
    }
    const here = all.filter(({ status }) => status !== 'leaving').map(({ instanceId }) => instanceId);
    expect(new Set(here).size).toBe(here.length);
    expect(here).toHaveLength(16);
    return [...new Set(all.map(({ status }) => status))].sort();
  };

  it('show every copy once at each step of a trade, with its way out of one book and into the other', async () => {
    expect(await showAll()).toEqual(['owned']);
    const [given = missing(), more = missing()] = freeCopiesIn(ledger, annas);
    const returned = freeCopiesIn(ledger, berts).slice(2, 4);
    const trade = await offerTrade(ledger, annas, berts, { give: [given, more], want: { instanceIds: returned } });
    expect(await showAll()).toEqual(['escrowed', 'owned']);
    await traded(ledger, trade, 'reserve-trade');
    expect(await showAll()).toEqual(['escrowed', 'owned']);
    await traded(ledger, trade, 'accept-trade');
    expect(await showAll()).toEqual(['arriving', 'leaving', 'owned']);
    const arriving = (await list(berts)).filter(({ status }) => status === 'arriving');
    expect(arriving.map(({ instanceId }) => instanceId)).toEqual(sorted([given, more]));
    await traded(ledger, trade, 'settle-trade');
    expect(await showAll()).toEqual(['owned']);
    expect((await list(berts)).find(({ instanceId }) => instanceId === given)).toMatchObject({
      source: 'trade',
      sourceId: trade,
    });
  });

  it('show a gift on its way, and several trades at once', async () => {
    const [one = missing(), two = missing(), three = missing()] = freeCopiesIn(ledger, annas);
    const gift = await offerTrade(ledger, annas, berts, { give: [one] });
    const swap = await offerTrade(ledger, annas, berts, { give: [two], want: { cardIds: [cardId('sky-4')] } });
    const back = await offerTrade(ledger, berts, annas, { give: freeCopiesIn(ledger, berts).slice(0, 1) });
    await offerTrade(ledger, annas, berts, { give: [three] });
    const [sky = missing()] = freeCopiesIn(ledger, berts).filter(
      (copy) => liveBookIn(ledger, berts).cards.get(copy)?.cardId === cardId('sky-4'),
    );
    for (const [trade, give] of [
      [gift, []],
      [swap, [sky]],
      [back, []],
    ] as const) {
      await traded(ledger, trade, 'reserve-trade', { give });
      await traded(ledger, trade, 'accept-trade');
      await showAll();
    }
    expect(await showAll()).toEqual(['arriving', 'escrowed', 'leaving', 'owned']);
    for (const trade of [back, gift, swap]) {
      await traded(ledger, trade, 'settle-trade');
      await showAll();
    }
    expect(await showAll()).toEqual(['escrowed', 'owned']);
  });

  it('show copies free again after every other end of a trade', async () => {
    const offer = (expiresAt = soonest(ledger)) =>
      offerTrade(ledger, annas, berts, {
        give: freeCopiesIn(ledger, annas).slice(0, 1),
        want: { instanceIds: freeCopiesIn(ledger, berts).slice(0, 1) },
        expiresAt,
      });
    for (const end of ['decline-trade', 'cancel-trade', 'expire-trade'] as const) {
      const trade = await offer();
      await traded(ledger, trade, 'reserve-trade');
      await (end === 'expire-trade' ? expireTrade(ledger, trade) : traded(ledger, trade, end));
      // What the partner had reserved stays so until it is released.
      expect(await showAll()).toEqual(['escrowed', 'owned']);
      await traded(ledger, trade, 'release-trade');
      expect(await showAll()).toEqual(['owned']);
    }
  });

  it('show what the whole states say, whatever the story', async () => {
    await fc.assert(
      fc.asyncProperty(stories(60), async (steps) => {
        const tale = await told(steps);
        await opened.wipe();
        await opened.follow(tale);
        const created = tale.receipts.filter(({ receipt }) => receipt.type === 'PIXBOOK_CREATED');
        for (const { stream } of created.map(({ receipt }) => receipt))
          if (stream.type === 'pixbook') expect(await list(stream, 3)).toEqual(cardsOf(tale, stream));
      }),
      { numRuns: 15 },
    );
  });

  it('show nothing of a book that is not there', async () => {
    const { identityId, collectionId } = liveBookIn(ledger, annas);
    const none = { accountId: annas.accountId, bookId: bookIdFor(identityId, collectionId, 2) };
    expect(await opened.queries.cards(none, { after: null, limit: 10 })).toEqual({ rows: [], hasMore: false });
    expect(await opened.queries.holdings(none)).toEqual([]);
  });
});

const missing = (): never => {
  throw new RangeError('the story has run out of something');
};
