import type pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { issueCodePack } from '../../../test/ledger-cards.ts';
import { claimCode, createCode, openDrop } from '../../../test/ledger-collection.ts';
import { applicationOf, codeId } from '../../../test/ledger-fixture.ts';
import { type TestDatabase, freshDatabase } from '../../../test/postgres.ts';
import { type WholeStory, wholeStory } from '../../../test/whole-story.ts';
import { Outage } from '../../port/outage.ts';
import type { RedoItem, RedoOutbox } from '../../port/redo-outbox.ts';
import type { RedoKind } from '../../projection/row-change.ts';
import { type EventId, OPERATOR_ACCOUNT_ID } from '../../receipt/ids.ts';
import { eventIdAt } from '../../receipt/key-path.ts';
import type { StoredReceipt } from '../../receipt/receipt.ts';
import { accountStream } from '../../receipt/stream.ts';
import { createProjectionSchema } from './migrate.ts';
import { openPool, queryOn, withClient } from './pool.ts';
import { openReadModel } from './read-model.ts';
import { openRedoOutbox, restoreRedo } from './redo-outbox.ts';
import { noTenant } from './scope.ts';

describe('the redo outbox', () => {
  let database: TestDatabase;
  let pool: pg.Pool;
  let projector: pg.Pool;
  let outbox: RedoOutbox;
  beforeAll(async () => {
    database = await freshDatabase();
    pool = openPool({ url: database.url });
    projector = openPool({ url: database.url, role: 'projector' });
    outbox = openRedoOutbox(pool);
  });
  beforeEach(() => queryOn(projector, noTenant, { text: 'TRUNCATE ops.redo_outbox' }));
  afterAll(async () => {
    await Promise.all([pool.end(), projector.end()]);
    await database.drop();
  });

  const eventId = (n: number): EventId => eventIdAt(accountStream(OPERATOR_ACCOUNT_ID), n);
  const item = (n: number): RedoItem => ({ eventId: eventId(n), target: `pixpax/pixbooks/to-${n}`, kind: 'complete-trade' });
  /** An item as `apply` writes it, of a receipt of this age. */
  const put = ({ eventId: id, target, kind }: RedoItem, ageMs: number) =>
    queryOn(projector, noTenant, {
      text: `INSERT INTO ops.redo_outbox VALUES ($1, $2, $3, now() - $4 * interval '1 millisecond', NULL, NULL)`,
      values: [id, target, kind, ageMs],
    });
  const rows = () =>
    queryOn<{ event_id: string; target: string; outcome: string | null; done: boolean }>(projector, noTenant, {
      text: `SELECT event_id, target, kind, outcome, done_at IS NOT NULL AS done FROM ops.redo_outbox ORDER BY 1, 2`,
    });

  it('shows what has been open for long enough, oldest first and no more than asked for', async () => {
    const hour = 3_600_000;
    for (const [n, ageMs] of [1, 5, 3, 0, 4].entries()) await put(item(n), ageMs * hour);
    expect(await outbox.open(10, 0.5 * hour)).toEqual([1, 4, 2, 0].map(item));
    expect(await outbox.open(10, 2 * hour)).toEqual([1, 4, 2].map(item));
    expect(await outbox.open(2, 0)).toEqual([1, 4].map(item));
    expect(await outbox.open(10, 0)).toEqual([1, 4, 2, 0, 3].map(item));
    expect(await outbox.open(10, 6 * hour)).toEqual([]);
  });

  it('shows several things that follow from one receipt, each in a stream of its own', async () => {
    const both = ['a', 'b'].map((name) => ({ ...item(1), target: `pixpax/pixbooks/to-${name}` }));
    for (const one of both) await put(one, 1_000);
    expect(await outbox.open(10, 0)).toEqual(both);
    const [first = item(0), second = item(0)] = both;
    await outbox.close(first, 'done');
    expect(await outbox.open(10, 0)).toEqual([second]);
  });

  it('shows no more what was closed, and keeps the outcome it was first closed with', async () => {
    await put(item(1), 1_000);
    await put(item(2), 1_000);
    await outbox.close(item(1), 'book-closed');
    await outbox.close(item(1), 'done');
    expect(await outbox.open(10, 0)).toEqual([item(2)]);
    expect(await rows()).toMatchObject([
      { event_id: eventId(1), outcome: 'book-closed', done: true },
      { event_id: eventId(2), outcome: null, done: false },
    ]);
  });

  it('closes what is not there without a word', async () => {
    await expect(outbox.close(item(9), 'done')).resolves.toBeUndefined();
    expect(await rows()).toEqual([]);
  });

  it('names a kind that it does not know, and throws it as the bug it is', async () => {
    await put({ ...item(1), kind: 'complete-trade' }, 1_000);
    await queryOn(projector, noTenant, { text: `UPDATE ops.redo_outbox SET kind = 'tell'` });
    await expect(outbox.open(10, 0)).rejects.toThrow(/malformed redo_outbox.kind/);
  });

  it('comes back empty where it was dropped, and is out of order where Postgres is', async () => {
    await put(item(1), 1_000);
    await queryOn(projector, noTenant, { text: 'DROP SCHEMA ops CASCADE' });
    expect(await outbox.open(10, 0)).toEqual([]);
    const nowhere = openPool({ url: database.url.replace(/\/[^/?]*(\?|$)/, '/nowhere$1') });
    await expect(openRedoOutbox(nowhere).open(1, 0)).rejects.toBeInstanceOf(Outage);
    await nowhere.end();
  });

  describe('that was lost', () => {
    type Written = { readonly event_id: EventId; readonly target: string; readonly kind: RedoKind; readonly created_at: string };
    let story: WholeStory;
    /** What is left to be done after the whole story, in the order of event ids. */
    let open: readonly Written[];
    const apply = (stored: StoredReceipt) => openReadModel({ pool }).apply(applicationOf(stored));
    beforeAll(async () => {
      story = await wholeStory();
      for (const stored of story.ledger.receipts) await apply(stored);
      open = leftOpen(story.ledger.receipts);
    });

    /** Everything that `apply` writes, less what came to its end: reservations that ended, claims whose pack was issued. */
    const leftOpen = (receipts: readonly StoredReceipt[]): readonly Written[] => {
      const ended = new Set(
        receipts.flatMap(({ receipt: { type, payload } }) => {
          if (type === 'CARD_TRADE_SETTLED' || type === 'CARD_TRADE_RELEASED') return [payload.tradeId];
          return type === 'PACK_ISSUED' ? [JSON.stringify(payload.claim)] : [];
        }),
      );
      const written = receipts.flatMap((stored) => {
        const { eventId: event_id, hash, payload, stream, createdAt: created_at } = stored.receipt;
        const claim = stream.type === 'code' ? JSON.stringify({ codeId: stream.codeId, eventId: event_id, hash }) : null;
        return ended.has(claim ?? payload.tradeId)
          ? []
          : applicationOf(stored).projected.redo.map(({ target, kind }) => ({ event_id, target, kind, created_at }));
      });
      return written.sort((a, b) => (a.event_id < b.event_id ? -1 : 1));
    };
    const restored = (schema?: string) => withClient(projector, (client) => restoreRedo(client, schema));
    const made = () =>
      queryOn(projector, noTenant, {
        text: 'SELECT event_id, target, kind, created_at FROM ops.redo_outbox WHERE done_at IS NULL ORDER BY event_id',
      });

    it('is made again of what is still open, as it was written, and of nothing else', async () => {
      expect(open.map(({ kind }) => kind).sort()).toEqual(['complete-trade', 'complete-trade', 'issue-code-pack']);
      expect(await restored()).toBe(open.length);
      expect(await made()).toEqual(open);
      expect(await restored()).toBe(0);
      expect(await made()).toEqual(open);
    });

    it('leaves rows alone that are there, done or not', async () => {
      const [first, second, third] = open;
      if (first === undefined || second === undefined || third === undefined) throw new RangeError('too little is open');
      const [done, waiting] = [first, second].map(({ event_id, target, kind }) => ({ eventId: event_id, target, kind }));
      if (done === undefined || waiting === undefined) throw new RangeError('too little is open');
      await put(done, 1_000);
      await put(waiting, 1_000);
      await outbox.close(done, 'book-closed');
      expect(await restored()).toBe(1);
      expect(await made()).toMatchObject([{ event_id: second.event_id }, third]);
    });

    it('is made of the projection it is told', async () => {
      await withClient(projector, (client) => createProjectionSchema(client, 'fresh'));
      expect(await restored('fresh')).toBe(0);
      await expect(restored('x; DROP')).rejects.toThrow(TypeError);
    });

    it('is done with a claim by its pack', async () => {
      const { ledger, collectionId, annas } = story;
      const known = ledger.receipts.length;
      await createCode(ledger, 'new', { collectionId, dropId: await openDrop(ledger, collectionId) });
      const claim = await claimCode(ledger, codeId('new'), annas);
      for (const stored of ledger.receipts.slice(known)) await apply(stored);
      const isOpen = async () => {
        await queryOn(projector, noTenant, { text: 'TRUNCATE ops.redo_outbox' });
        await restored();
        return (await rows()).some(({ event_id }) => event_id === claim.receipt.eventId);
      };
      expect(await isOpen()).toBe(true);
      expect(await apply(await issueCodePack(ledger, annas, codeId('new')))).toBe('applied');
      expect(await isOpen()).toBe(false);
    });
  });
});
