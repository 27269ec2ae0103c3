import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FixtureLedger, applicationOf, collectionId, fixtureLedger, granted, userId } from '../../../test/ledger-fixture.ts';
import { type TestDatabase, freshDatabase } from '../../../test/postgres.ts';
import type {
  IdentityResource,
  LedgerQueries,
  MemberResource,
  Page,
  PageRequest,
  PixbookResource,
} from '../../port/ledger-queries.ts';
import { publicKeyIdOf } from '../../receipt/hash.ts';
import { type AccountId, type IdentityId, OPERATOR_ACCOUNT_ID, OPERATOR_IDENTITY_ID, bookIdFor } from '../../receipt/ids.ts';
import { eventIdAt } from '../../receipt/key-path.ts';
import { type StreamOf, accountStream } from '../../receipt/stream.ts';
import { openLedgerQueries } from './ledger-queries.ts';
import { openPool, queryOn } from './pool.ts';
import { walk as rowsOfPages, sorted } from './queries.fixture.ts';
import { openReadModel } from './read-model.ts';
import { noTenant } from './scope.ts';

const OWNER = userId('owner');
const FRIEND = userId('friend');
const COLLECTIONS = ['axolotls', 'beetles', 'comets'].map(collectionId);
const [AXOLOTLS = collectionId('axolotls')] = COLLECTIONS;

describe('the queries', () => {
  let database: TestDatabase;
  let pool: pg.Pool;
  let ledger: FixtureLedger;
  let queries: LedgerQueries;
  let home: AccountId;
  let away: AccountId;
  const identities: IdentityId[] = [];
  const books: StreamOf<'pixbook'>[] = [];

  beforeAll(async () => {
    database = await freshDatabase();
    pool = openPool({ url: database.url });
    queries = openLedgerQueries({ pool });
    ledger = await fixtureLedger();
    home = (await ledger.createAccount(OWNER)).accountId;
    away = (await ledger.createAccount(FRIEND)).accountId;
    granted(await ledger.account(home, { type: 'add-member', userId: FRIEND, role: 'viewer', by: OWNER }));
    for (const [accountId, controller] of [
      [home, OWNER],
      [home, OWNER],
      [away, FRIEND],
    ] as const) {
      const identityId = await ledger.createIdentity(accountId, controller);
      identities.push(identityId);
      for (const collection of COLLECTIONS) books.push(await ledger.createPixbook(accountId, identityId, collection));
    }
    for (const stored of ledger.receipts) await openReadModel({ pool }).apply(applicationOf(stored));
  });
  afterAll(async () => {
    await pool.end();
    await database.drop();
  });

  const first = <T>(items: readonly T[]): T => {
    const [item] = items;
    if (item === undefined) throw new RangeError('nothing there');
    return item;
  };

  const walk = async <Row, Key extends string>(
    limit: number,
    keyOf: (row: Row) => Key,
    list: (page: PageRequest<Key>) => Promise<Page<Row>>,
  ): Promise<readonly Key[]> => (await rowsOfPages(limit, keyOf, list)).map(keyOf);
  const limits = [1, 2, 3, 6, 7, 100];

  it('know who belongs to an account and as what', async () => {
    expect(await queries.membership(OWNER, home)).toBe('owner');
    expect(await queries.membership(FRIEND, home)).toBe('viewer');
    expect(await queries.membership(OWNER, away)).toBeNull();
    expect(await queries.memberships(userId('nobody'))).toEqual([]);
    const roles: Readonly<Record<string, string>> = { [home]: 'viewer', [away]: 'owner' };
    expect(await queries.memberships(FRIEND)).toEqual(
      sorted([home, away]).map((accountId) => ({ accountId, role: roles[accountId] })),
    );
  });

  it('show an account with its head', async () => {
    expect(await queries.account(home)).toEqual({
      accountId: home,
      status: 'open',
      createdAt: ledger.receiptsOf(accountStream(home))[0]?.receipt.createdAt,
      plan: 'free',
      closedAt: null,
      suspendedAt: null,
      suspensionReason: null,
      head: ledger.headOf(accountStream(home)),
    });
    expect(await queries.head(accountStream(home))).toEqual(ledger.headOf(accountStream(home)));
  });

  it.each(limits)('list members and identities in pages of %i', async (limit) => {
    expect(
      await walk(
        limit,
        ({ userId }: MemberResource) => userId,
        (page) => queries.members(home, page),
      ),
    ).toEqual(sorted([OWNER, FRIEND]));
    expect(
      await walk(
        limit,
        ({ identityId }: IdentityResource) => identityId,
        (page) => queries.identities(home, page),
      ),
    ).toEqual(sorted(identities.slice(0, 2)));
  });

  it.each(limits)('list pixbooks of several accounts in pages of %i, narrowed as asked', async (limit) => {
    const list = (
      accountIds: readonly AccountId[],
      identityId: IdentityId | null = null,
      collection: (typeof COLLECTIONS)[0] | null = null,
    ) =>
      walk(
        limit,
        ({ bookId }: PixbookResource) => bookId,
        (page) => queries.pixbooks({ accountIds, identityId, collectionId: collection }, page),
      );
    const ids = (wanted: (book: StreamOf<'pixbook'>, n: number) => boolean) =>
      sorted(books.filter(wanted).map(({ bookId }) => bookId));
    const one = first(identities);
    expect(await list([home, away, home])).toEqual(ids(() => true));
    expect(await list([home])).toEqual(ids(({ accountId }) => accountId === home));
    expect(await list([home, away], one)).toEqual(ids((_, n) => n < 3));
    expect(await list([away], one)).toEqual([]);
    expect(await list([home, away], null, AXOLOTLS)).toEqual(ids((_, n) => n % 3 === 0));
    expect(await list([home], one, AXOLOTLS)).toEqual([bookIdFor(one, AXOLOTLS, 1)]);
    expect(await list([])).toEqual([]);
  });

  it('show a pixbook with the state it was saved with, as it was', async () => {
    const book = first(books);
    const state = { z: 1, a: [null, 'ü\u2028"\\', -0.5], nested: { '10': true, '9': false } };
    const saved = await ledger.save(book, state);
    await openReadModel({ pool }).apply(applicationOf(saved));
    expect(await queries.pixbook(book)).toEqual({
      ...{
        bookId: book.bookId,
        accountId: home,
        identityId: first(identities),
        collectionId: AXOLOTLS,
        generation: 1,
        status: 'open',
      },
      ...{ state, stateEventId: saved.receipt.eventId, savedAt: saved.receipt.createdAt, closedAt: null },
      createdAt: ledger.receiptsOf(book)[0]?.receipt.createdAt,
      head: ledger.headOf(book),
    });
    expect(await queries.accountOfBook(book.bookId)).toBe(home);
    expect(await queries.pixbook({ accountId: away, bookId: book.bookId })).toBeNull();
    expect(await queries.pixbook({ accountId: home, bookId: bookIdFor(first(identities), AXOLOTLS, 2) })).toBeNull();
  });

  it('show identities and keys', async () => {
    const publicKey = await ledger.publicKeyOf(OPERATOR_IDENTITY_ID, 1);
    const createdAt = ledger.receipts[0]?.receipt.createdAt;
    const key = { publicKeyId: publicKeyIdOf(Buffer.from(publicKey, 'base64')), publicKey, keyGeneration: 1 };
    const whose = { identityId: OPERATOR_IDENTITY_ID, accountId: OPERATOR_ACCOUNT_ID };
    expect(await queries.identity(OPERATOR_ACCOUNT_ID, OPERATOR_IDENTITY_ID)).toEqual({
      ...whose,
      ...key,
      status: 'active',
      controller: null,
      createdAt,
      revokedAt: null,
    });
    expect(await queries.key(ledger.trust)).toEqual({ ...whose, ...key, validFrom: createdAt, validUntil: null });
    expect(await queries.key(publicKeyIdOf(Buffer.from('no key')))).toBeNull();
  });

  it('know where a receipt is', async () => {
    for (const { receipt, position } of ledger.receipts)
      expect(await queries.receipt(receipt.eventId)).toEqual({ stream: receipt.stream, position, hash: receipt.hash });
    expect(await queries.receipt(eventIdAt(accountStream(home), 99))).toBeNull();
    expect(await queries.head({ type: 'collection', collectionId: AXOLOTLS })).toBeNull();
  });

  it('name a row that is malformed, and throw it as the bug it is', async () => {
    const other = await freshDatabase();
    const spoilt = openPool({ url: other.url });
    const projector = openPool({ url: other.url, role: 'projector' });
    await queryOn(projector, noTenant, {
      text: `INSERT INTO projection.receipts (event_id, stream, position, type, hash, created_at, idempotency_digest, fingerprint, bytes)
             VALUES ($1, 'no/stream', 0, 'T', 'h', '2026-01-01T00:00:00.000Z', '', '', 1)`,
      values: [eventIdAt(accountStream(home), 0)],
    });
    await expect(openLedgerQueries({ pool: spoilt }).receipt(eventIdAt(accountStream(home), 0))).rejects.toThrow(
      /malformed receipts.stream/,
    );
    await Promise.all([spoilt.end(), projector.end()]);
    await other.drop();
  });
});
