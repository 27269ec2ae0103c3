import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  closeDrop,
  openDrop,
  publishCollection,
  retireSeries,
  seedOf,
  seriesId,
  smallCatalogue,
} from '../../../test/ledger-collection.ts';
import { type FixtureLedger, collectionId as anyCollectionId, fixtureLedger } from '../../../test/ledger-fixture.ts';
import type { CollectionSummary, DropResource } from '../../port/ledger-queries.ts';
import { type CollectionId, type DropId, type Instant, dropIdFor } from '../../receipt/ids.ts';
import { collectionStream } from '../../receipt/stream.ts';
import { seedHashOf } from '../../stream/collection/seed.ts';
import { type OpenedQueries, openQueries, pageSizes, sorted, walk } from './queries.fixture.ts';

describe('the queries of collections', () => {
  let opened: OpenedQueries;
  let ledger: FixtureLedger;
  const collections: CollectionId[] = [];
  const drops: DropId[] = [];
  let animals: CollectionId;
  beforeAll(async () => {
    opened = await openQueries();
    ledger = await fixtureLedger();
    for (let n = 0; n < 4; n++) collections.push(await publishCollection(ledger));
    animals = collections[2] ?? anyCollectionId('none');
    for (let n = 0; n < 5; n++) drops.push(await openDrop(ledger, animals, { seed: seedOf(`week ${n}`), packSize: 1 + n }));
    await publishCollection(ledger, { collectionId: animals });
    await retireSeries(ledger, animals, seriesId('reed'));
    await closeDrop(ledger, animals, drops[1] ?? dropIdFor(animals, ledger.nextKey()));
    await opened.follow(ledger);
  });
  afterAll(() => opened.close());

  const timeOf = (type: string, nth = 0): Instant | undefined =>
    ledger.receiptsOf(collectionStream(animals)).filter(({ receipt }) => receipt.type === type)[nth]?.receipt.createdAt;

  it.each(pageSizes)('list collections in pages of %i, each with its latest version', async (limit) => {
    const list = await walk(
      limit,
      ({ collectionId }: CollectionSummary) => collectionId,
      (page) => opened.queries.collections(page),
    );
    expect(list.map(({ collectionId }) => collectionId)).toEqual(sorted(collections));
    expect(list.filter(({ version }) => version === 2)).toEqual([
      {
        ...{ collectionId: animals, version: 2, title: smallCatalogue(2).title },
        publishedAt: timeOf('COLLECTION_PUBLISHED'),
        updatedAt: timeOf('COLLECTION_PUBLISHED', 1),
      },
    ]);
  });

  it('show a collection with its latest catalogue and when its series were retired', async () => {
    const { series, cards, title } = smallCatalogue(2);
    expect(await opened.queries.collection(animals)).toEqual({
      ...{ collectionId: animals, version: 2, title, cards },
      series: series.map((one) => ({ ...one, retiredAt: one.seriesId === 'reed' ? timeOf('SERIES_RETIRED') : null })),
      publishedAt: timeOf('COLLECTION_PUBLISHED'),
      updatedAt: timeOf('COLLECTION_PUBLISHED', 1),
      head: ledger.headOf(collectionStream(animals)),
    });
    const [other = animals] = collections;
    expect(await opened.queries.collection(other)).toMatchObject({
      series: smallCatalogue().series.map((one) => ({ ...one, retiredAt: null })),
    });
    expect(await opened.queries.collection(anyCollectionId('none'))).toBeNull();
  });

  it.each(pageSizes)('list the drops of a collection in pages of %i', async (limit) => {
    const list = (id: CollectionId) =>
      walk(
        limit,
        ({ dropId }: DropResource) => dropId,
        (page) => opened.queries.drops(id, page),
      );
    expect((await list(animals)).map(({ dropId }) => dropId)).toEqual(sorted(drops));
    expect(await list(collections[0] ?? animals)).toEqual([]);
  });

  it.each([
    ['open', 2, null, null],
    ['closed', 1, 'revealed', 'DROP_CLOSED'],
  ] as const)('show a drop that is %s, and never its sealed seed', async (status, n, seed, closing) => {
    const dropId = drops[n] ?? dropIdFor(animals, ledger.nextKey());
    const revealed = seedOf(`week ${n}`);
    expect(await opened.queries.drop(dropId)).toEqual({
      ...{ dropId, collectionId: animals, title: 'A week in spring', status, packSize: 1 + n },
      ...{ seedHash: seedHashOf(revealed), seed: seed && revealed },
      ...{ openedAt: timeOf('DROP_OPENED', n), closedAt: closing && timeOf(closing) },
    });
  });

  it('know of no drop that was never opened', async () => {
    expect(await opened.queries.drop(dropIdFor(animals, ledger.nextKey()))).toBeNull();
  });
});
