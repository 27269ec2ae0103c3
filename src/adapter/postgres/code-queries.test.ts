import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { claimCode, createCode, openDrop, publishCollection, revokeCode } from '../../../test/ledger-collection.ts';
import { type FixtureLedger, codeId as anyCodeId, fixtureLedger, userId } from '../../../test/ledger-fixture.ts';
import type { CodeResource } from '../../port/ledger-queries.ts';
import { type CodeId, type CollectionId, type DropId, derivedUlid } from '../../receipt/ids.ts';
import { codeStream } from '../../receipt/stream.ts';
import { type OpenedQueries, openQueries, pageSizes, sorted, walk } from './queries.fixture.ts';

const BATCHES = ['first', 'second'].map((name) => `bat_${derivedUlid('test/batch', name)}`);
const [FIRST = '', SECOND = ''] = BATCHES;

describe('the queries of codes', () => {
  let opened: OpenedQueries;
  let ledger: FixtureLedger;
  let collectionId: CollectionId;
  let drop: DropId;
  let otherDrop: DropId;
  /** Of the first drop, in the order in which they were made: by twos of a batch each, and of none. */
  const codes: CodeId[] = [];
  beforeAll(async () => {
    opened = await openQueries();
    ledger = await fixtureLedger();
    collectionId = await publishCollection(ledger);
    [drop, otherDrop] = [await openDrop(ledger, collectionId), await openDrop(ledger, collectionId)];
    for (const [n, batchId] of [FIRST, FIRST, SECOND, SECOND, undefined, undefined, undefined].entries())
      codes.push(
        await createCode(ledger, `code ${n}`, { collectionId, dropId: drop, ...(batchId === undefined ? {} : { batchId }) }),
      );
    await createCode(ledger, 'elsewhere', { collectionId, dropId: otherDrop });
    const { accountId } = await ledger.createAccount(userId('anna'));
    const identityId = await ledger.createIdentity(accountId, userId('anna'));
    const book = await ledger.createPixbook(accountId, identityId, collectionId);
    await claimCode(ledger, codes[0] ?? anyCodeId('none'), book);
    await claimCode(ledger, codes[4] ?? anyCodeId('none'), book);
    await revokeCode(ledger, codes[1] ?? anyCodeId('none'));
    await opened.follow(ledger);
  });
  afterAll(() => opened.close());

  const filters: readonly [string, CodeResource['status'] | null, string | null, readonly number[]][] = [
    ['all', null, null, [0, 1, 2, 3, 4, 5, 6]],
    ['those of a batch', null, FIRST, [0, 1]],
    ['the open ones', 'open', null, [2, 3, 5, 6]],
    ['the claimed ones', 'claimed', null, [0, 4]],
    ['the revoked ones', 'revoked', null, [1]],
    ['the claimed ones of a batch', 'claimed', FIRST, [0]],
    ['the claimed ones of a batch that has none', 'claimed', SECOND, []],
  ];
  it.each(filters)('list of a drop %s', async (_, status, batchId, expected) => {
    for (const limit of pageSizes) {
      const list = await walk(
        limit,
        ({ codeId }: CodeResource) => codeId,
        (page) => opened.queries.codes({ dropId: drop, status, batchId }, page),
      );
      expect(list.map(({ codeId }) => codeId)).toEqual(sorted(expected.map((n) => codes[n] ?? anyCodeId('none'))));
    }
  });

  it('list a batch of another drop as none', async () => {
    const page = { after: null, limit: 10 };
    expect(await opened.queries.codes({ dropId: otherDrop, status: null, batchId: FIRST }, page)).toEqual({
      rows: [],
      hasMore: false,
    });
  });

  it.each([
    ['claimed', 0, FIRST],
    ['revoked', 1, FIRST],
    ['open', 2, SECOND],
    ['open', 6, null],
  ] as const)('show a code that is %s', async (status, n, batchId) => {
    const codeId = codes[n] ?? anyCodeId('none');
    const [created, ended] = ledger.receiptsOf(codeStream(codeId)).map(({ receipt }) => receipt.createdAt);
    expect(await opened.queries.code(codeId)).toEqual({
      ...{ codeId, collectionId, dropId: drop, batchId, status, createdAt: created },
      claimedAt: status === 'claimed' ? ended : null,
      revokedAt: status === 'revoked' ? ended : null,
    });
  });

  it('know of no code that was never made', async () => {
    expect(await opened.queries.code(anyCodeId('none'))).toBeNull();
  });
});
