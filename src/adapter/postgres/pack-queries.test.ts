import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { issueCodePack, issuePack, openPack } from '../../../test/ledger-cards.ts';
import { claimCode, createCode, openDrop, publishCollection } from '../../../test/ledger-collection.ts';
import { type FixtureLedger, codeId, fixtureLedger, userId } from '../../../test/ledger-fixture.ts';
import { liveBookIn } from '../../../test/ledger-state.ts';
import type { PackResource } from '../../port/ledger-queries.ts';
import { type DropId, bookIdFor, codePackIdFor, dropPackIdFor } from '../../receipt/ids.ts';
import type { StreamOf } from '../../receipt/stream.ts';
import { type OpenedQueries, openQueries, pageSizes, sorted, walk } from './queries.fixture.ts';

type Book = StreamOf<'pixbook'>;

describe('the queries of packs', () => {
  let opened: OpenedQueries;
  let ledger: FixtureLedger;
  let book: Book;
  const drops: DropId[] = [];
  beforeAll(async () => {
    opened = await openQueries();
    ledger = await fixtureLedger();
    const collectionId = await publishCollection(ledger);
    const { accountId } = await ledger.createAccount(userId('anna'));
    book = await ledger.createPixbook(accountId, await ledger.createIdentity(accountId, userId('anna')), collectionId);
    for (let n = 0; n < 5; n++) drops.push(await openDrop(ledger, collectionId));
    for (const drop of drops) await issuePack(ledger, book, drop);
    const code = await createCode(ledger, 'a code', { collectionId, dropId: drops[0] ?? missing() });
    await claimCode(ledger, code, book);
    await issueCodePack(ledger, book, code);
    for (const n of [1, 3]) await openPack(ledger, book, dropPackIdFor(drops[n] ?? missing(), book.bookId));
    await opened.follow(ledger);
  });
  afterAll(() => opened.close());

  /** Of the drops by their number, and beyond them the code's. */
  const packIds = (...numbers: readonly number[]) =>
    numbers.map((n) =>
      n === drops.length ? codePackIdFor(codeId('a code')) : dropPackIdFor(drops[n] ?? missing(), book.bookId),
    );

  it.each([
    ['all', null, [0, 1, 2, 3, 4, 5]],
    ['those that were opened', 'opened', [1, 3]],
    ['those that were not', 'issued', [0, 2, 4, 5]],
  ] as const)('list %s', async (_, status, numbers) => {
    for (const limit of pageSizes) {
      const found = await walk(
        limit,
        ({ packId }: PackResource) => packId,
        (page) => opened.queries.packs({ ...book, status }, page),
      );
      expect(found.map(({ packId }) => packId)).toEqual(sorted(packIds(...numbers)));
    }
  });

  it.each([
    [0, 'issued'],
    [3, 'opened'],
    [5, 'issued'],
  ] as const)('show pack %i, which is %s, with its cards by slot', async (n, status) => {
    const [packId = missing()] = packIds(n);
    const receipts = ledger.receiptsOf(book).map(({ receipt }) => receipt);
    const issued = receipts.find(({ payload, type }) => type === 'PACK_ISSUED' && payload.packId === packId) ?? missing();
    expect(await opened.queries.pack(book, packId)).toEqual({
      ...{ packId, bookId: book.bookId, dropId: drops[n % drops.length], status, cards: issued.payload.cards },
      codeId: n === drops.length ? codeId('a code') : null,
      ...{ eventId: issued.eventId, issuedAt: issued.createdAt },
      openedAt: receipts.find(({ payload, type }) => type === 'PACK_OPENED' && payload.packId === packId)?.createdAt ?? null,
    });
    expect(await opened.queries.pack({ ...book, bookId: bookIdElsewhere() }, packId)).toBeNull();
  });

  const bookIdElsewhere = () => {
    const { identityId, collectionId } = liveBookIn(ledger, book);
    return bookIdFor(identityId, collectionId, 2);
  };
});

const missing = (): never => {
  throw new RangeError('the story has run out of something');
};
