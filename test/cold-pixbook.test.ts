import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openLedgerQueries } from '../src/adapter/postgres/ledger-queries.ts';
import { openPool } from '../src/adapter/postgres/pool.ts';
import { openReadModel } from '../src/adapter/postgres/read-model.ts';
import type { LedgerQueries } from '../src/port/ledger-queries.ts';
import { resourceOf } from '../src/snapshot/book-at.ts';
import { type ColdWorld, coldWorld } from '../src/snapshot/cold-world.fixture.ts';
import { type DomainLedger, domainLedger } from './domain-ledger.ts';
import { applicationOf } from './ledger-fixture.ts';
import { type TestDatabase, freshDatabase } from './postgres.ts';

describe('a pixbook from the store alone and one from Postgres', () => {
  let d: DomainLedger;
  let world: ColdWorld;
  let database: TestDatabase;
  let pool: ReturnType<typeof openPool>;
  let queries: LedgerQueries;
  beforeAll(async () => {
    d = await domainLedger();
    const { a, c } = d;
    await d.ledger.save(a.book, { page: 3, 10: 'ten', 9: 'nine', ä: ['☃', null, 1e21, -0.5], nested: { b: {}, a: [] } });
    await d.ledger.save(c.book, {});
    await d.ledger.pixbook(d.idle.book, { type: 'close' });
    database = await freshDatabase();
    pool = openPool({ url: database.url });
    const model = openReadModel({ pool });
    for (const stored of d.ledger.receipts) await model.apply(applicationOf(stored));
    queries = openLedgerQueries({ pool });
    world = coldWorld(d.ledger);
  });
  afterAll(async () => {
    await pool.end();
    await database.drop();
  });

  it('are the same, byte for byte, with a snapshot and without', async () => {
    for (const { book } of [d.a, d.b, d.c, d.idle]) {
      const expected = JSON.stringify(await queries.pixbook(book));
      expect(expected).toContain(book.bookId);
      for (const position of [null, 0, d.ledger.receiptsOf(book).length - 1]) {
        if (position !== null) await world.put(book, position);
        const cold = await world.open().begin().book(book);
        expect(cold === null ? null : JSON.stringify(resourceOf(cold))).toBe(expected);
      }
    }
  });
});
