import { beforeAll, describe, expect, it } from 'vitest';
import { applicationOf } from '../../test/ledger-fixture.ts';
import { type WholeStory, wholeStory } from '../../test/whole-story.ts';
import { canonicalText } from '../receipt/canonical.ts';
import { tradeIdOf } from '../receipt/ids.ts';
import type { JsonObject } from '../receipt/json.ts';
import { prefixOf } from '../receipt/key-path.ts';
import { pixbookStream } from '../receipt/stream.ts';
import { type LedgerEvent, type LedgerEventType, eventOf } from '../stream/event.ts';
import { project } from './project.ts';
import type { RowChange } from './row-change.ts';

type EventOf<T extends LedgerEventType> = Extract<LedgerEvent, { type: T }>;

describe('the changes of', () => {
  let story: WholeStory;
  beforeAll(async () => {
    story = await wholeStory();
  });

  /** Every receipt of a type, with its changes but for its row in `receipts`. */
  const each = <T extends LedgerEventType>(type: T) => {
    const found = story.ledger.receipts.flatMap((stored) => {
      const event = eventOf(stored.receipt);
      if (!event.ok || event.value.type !== type) return [];
      const { changes, redo } = applicationOf(stored).projected;
      const { stream, eventId, hash, createdAt: at } = stored.receipt;
      const ids = {
        account_id: 'accountId' in stream ? stream.accountId : '',
        book_id: 'bookId' in stream ? stream.bookId : '',
        collection_id: 'collectionId' in stream ? stream.collectionId : '',
        code_id: 'codeId' in stream ? stream.codeId : '',
      };
      expect(changes[0]).toMatchObject({ op: 'insert', table: 'receipts', row: { event_id: eventId, type, hash } });
      const payload = event.value.payload as EventOf<T>['payload'];
      return [{ payload, eventId, hash, at, ids, changes: changes.slice(1), redo }];
    });
    if (found.length === 0) throw new RangeError(`the story has no ${type}`);
    return found;
  };
  const inserted = (table: string, row: object) => ({ op: 'insert', table, row });
  const updated = (table: string, key: object, set: object) => ({ op: 'update', table, key, set });
  const deleted = (table: string, key: object) => ({ op: 'delete', table, key });

  it('a publication are a version with its catalogue, and the collection itself, new with its first version', () => {
    const [first, second] = each('COLLECTION_PUBLISHED');
    for (const { payload, eventId: event_id, at, ids, changes } of [first, second].flatMap((one) => one ?? [])) {
      const { version, title, series, cards } = payload;
      const { collection_id } = ids;
      const texts = { series: canonicalText(series), cards: canonicalText(cards) };
      expect(changes).toEqual([
        version === 1
          ? inserted('collections', { collection_id, version, title, published_at: at, updated_at: at })
          : updated('collections', { collection_id }, { version, title, updated_at: at }),
        inserted('collection_versions', { collection_id, version, title, ...texts, event_id, published_at: at }),
      ]);
    }
    expect([first?.payload.version, second?.payload.version]).toEqual([1, 2]);
  });

  it('a drop’s opening are the drop without its seed, and of its closing the seed', () => {
    for (const { payload, at, ids, changes } of each('DROP_OPENED')) {
      const { dropId: drop_id, title, packSize: pack_size, seedHash: seed_hash, sealedSeed: sealed_seed } = payload;
      const row = { drop_id, collection_id: ids.collection_id, title, status: 'open', pack_size, seed_hash, sealed_seed };
      expect(changes).toEqual([inserted('drops', { ...row, seed: null, opened_at: at, closed_at: null })]);
    }
    for (const { payload, at, changes } of each('DROP_CLOSED'))
      expect(changes).toEqual([
        updated('drops', { drop_id: payload.dropId }, { status: 'closed', seed: payload.seed, closed_at: at }),
      ]);
  });

  it('a code are the code, its claimant and its end', () => {
    for (const { payload, at, ids, changes } of each('CODE_CREATED')) {
      const { collectionId: collection_id, dropId: drop_id, batchId: batch_id } = payload;
      expect(changes).toMatchObject([
        inserted('codes', { code_id: ids.code_id, collection_id, drop_id, batch_id, status: 'open', created_at: at }),
      ]);
      expect(changes).toMatchObject([inserted('codes', { account_id: null, claim_event_id: null, revoked_at: null })]);
    }
    for (const { payload, eventId: claim_event_id, hash: claim_hash, at, ids, changes, redo } of each('CODE_CLAIMED')) {
      const { accountId: account_id, identityId: identity_id, bookId: book_id, generation } = payload;
      const claim = { claim_event_id, claim_hash, claimed_at: at };
      expect(changes).toEqual([
        updated('codes', { code_id: ids.code_id }, { status: 'claimed', account_id, identity_id, book_id, generation, ...claim }),
      ]);
      const target = prefixOf(pixbookStream(payload.accountId, payload.bookId));
      expect(redo).toEqual([{ target, kind: 'issue-code-pack' }]);
    }
    for (const { at, ids, changes } of each('CODE_REVOKED'))
      expect(changes).toEqual([updated('codes', { code_id: ids.code_id }, { status: 'revoked', revoked_at: at })]);
  });

  it('a pack are the pack with its copies by slot, and each copy as the book’s', () => {
    const packs = each('PACK_ISSUED');
    expect(new Set(packs.map(({ payload }) => payload.claim === null)).size).toBe(2);
    for (const { payload, eventId: event_id, at, ids, changes } of packs) {
      const { packId: pack_id, dropId: drop_id, claim, cards } = payload;
      const { account_id, book_id } = ids;
      const pack = { book_id, pack_id, account_id, drop_id, code_id: claim?.codeId ?? null, event_id };
      const unopened = { status: 'issued', cards: canonicalText(cards), issued_at: at, opened_at: null };
      expect(changes).toEqual([
        inserted('packs', { ...pack, ...unopened }),
        ...cards.map((card) => heldRow(ids, card, { source: 'pack', source_id: pack_id, since: at })),
      ]);
    }
    for (const { payload, at, ids, changes } of each('PACK_OPENED'))
      expect(changes).toEqual([
        updated('packs', { book_id: ids.book_id, pack_id: payload.packId }, { status: 'opened', opened_at: at }),
      ]);
  });

  it('a grant are the copies with the receipt they come from, and of a removal that they are gone', () => {
    for (const { payload, eventId, at, ids, changes } of each('CARD_ADDED'))
      expect(changes).toEqual(
        payload.cards.map((card) => heldRow(ids, card, { source: 'grant', source_id: eventId, since: at })),
      );
    for (const { payload, ids, changes } of each('CARD_REMOVED'))
      expect(changes).toEqual(payload.instanceIds.map((instance_id) => gone(ids, instance_id)));
  });

  it('an offer are its terms, and its copies in escrow', () => {
    for (const { payload, eventId, hash: offer_hash, at, ids, changes } of each('CARD_TRADE_OFFERED')) {
      const { to, give, want, expiresAt: expires_at } = payload;
      const trade_id = tradeIdOf(eventId);
      const row = {
        ...{ trade_id, account_id: ids.account_id, book_id: ids.book_id, status: 'offered' },
        ...{ to_account_id: to.accountId, to_identity_id: to.identityId, to_book_id: to.bookId, to_generation: to.generation },
        ...{ give: canonicalText(give), want: canonicalText(want), receive: null, offer_hash, offered_at: at, expires_at },
        ...{ ended_at: null, end_event_id: null, end_hash: null },
      };
      expect(changes).toEqual([inserted('trades', row), ...give.map(({ instanceId }) => escrowed(ids, instanceId, trade_id))]);
    }
  });

  it('a reservation are its terms, its copies in escrow, and that the trade must be completed in the offerer’s pixbook', () => {
    for (const { payload, eventId: event_id, hash, at, ids, changes, redo } of each('CARD_TRADE_RESERVED')) {
      const { tradeId: trade_id, offer, give, take } = payload;
      const row = {
        ...{ book_id: ids.book_id, trade_id, account_id: ids.account_id, status: 'reserved', event_id, hash },
        ...{ offer_account_id: offer.accountId, offer_book_id: offer.bookId, offer_hash: offer.hash },
        ...{ give: canonicalText(give), take: canonicalText(take), reserved_at: at, ended_at: null },
      };
      expect(changes).toEqual([
        inserted('trade_reservations', row),
        ...give.map(({ instanceId }) => escrowed(ids, instanceId, trade_id)),
      ]);
      expect(redo).toEqual([{ target: prefixOf(pixbookStream(offer.accountId, offer.bookId)), kind: 'complete-trade' }]);
    }
  });

  it('an acceptance and a settlement are the end of the trade in either pixbook, and copies that leave and come', () => {
    for (const { payload, eventId: end_event_id, hash: end_hash, at, ids, changes } of each('CARD_TRADE_ACCEPTED')) {
      const { tradeId: trade_id, give, receive } = payload;
      const end = { status: 'accepted', receive: canonicalText(receive), ended_at: at, end_event_id, end_hash };
      expect(changes).toEqual([
        updated('trades', { trade_id }, end),
        ...give.map((instance_id) => gone(ids, instance_id)),
        ...receive.map((card) => heldRow(ids, card, { source: 'trade', source_id: trade_id, since: at })),
      ]);
    }
    for (const { payload, at, ids, changes } of each('CARD_TRADE_SETTLED')) {
      const { tradeId: trade_id, give, take } = payload;
      expect(changes).toEqual([
        updated('trade_reservations', { book_id: ids.book_id, trade_id }, { status: 'settled', ended_at: at }),
        ...give.map((instance_id) => gone(ids, instance_id)),
        ...take.map((card) => heldRow(ids, card, { source: 'trade', source_id: trade_id, since: at })),
      ]);
    }
  });

  const withdrawals = [
    ['CARD_TRADE_DECLINED', 'declined'],
    ['CARD_TRADE_CANCELLED', 'cancelled'],
    ['CARD_TRADE_EXPIRED', 'expired'],
  ] as const;
  it.each(withdrawals)('a %s are that the offer is %s, and its copies free again', (type, status) => {
    for (const { payload, eventId: end_event_id, hash: end_hash, at, ids, changes } of each(type))
      expect(changes).toEqual([
        updated('trades', { trade_id: payload.tradeId }, { status, ended_at: at, end_event_id, end_hash }),
        ...payload.instanceIds.map((instance_id) => escrowed(ids, instance_id, null)),
      ]);
  });

  it('a release are that the reservation is released, and its copies free again', () => {
    for (const { payload, at, ids, changes } of each('CARD_TRADE_RELEASED')) {
      const key = { book_id: ids.book_id, trade_id: payload.tradeId };
      expect(changes).toEqual([
        updated('trade_reservations', key, { status: 'released', ended_at: at }),
        ...payload.instanceIds.map((instance_id) => escrowed(ids, instance_id, null)),
      ]);
    }
  });

  it('claims and reservations alone leave something to do in another stream', () => {
    const types = story.ledger.receipts.flatMap((stored) =>
      applicationOf(stored).projected.redo.length > 0 ? [stored.receipt.type] : [],
    );
    expect([...new Set(types)].sort()).toEqual(['CARD_TRADE_RESERVED', 'CODE_CLAIMED']);
  });

  const malformed: readonly [string, { type: string; payload: JsonObject }, string][] = [
    ['an event of another stream', { type: 'CODE_REVOKED', payload: {} }, 'event-unknown'],
    ['an event that nobody knows', { type: 'CARD_PAINTED', payload: {} }, 'event-unknown'],
    ['a payload without a member', { type: 'PACK_OPENED', payload: {} }, 'payload-malformed'],
  ];
  it.each(malformed)('%s are refused', async (_, event, code) => {
    expect(project(await story.ledger.forge(story.annas, event))).toMatchObject({ ok: false, error: { code } });
  });

  type Ids = { readonly account_id: string; readonly book_id: string };
  const heldRow = (
    { account_id, book_id }: Ids,
    { instanceId: instance_id, cardId: card_id }: { readonly instanceId: string; readonly cardId: string },
    from: Pick<Extract<RowChange, { op: 'insert'; table: 'card_instances' }>['row'], 'source' | 'source_id' | 'since'>,
  ) => inserted('card_instances', { book_id, instance_id, account_id, card_id, trade_id: null, ...from });
  const gone = ({ book_id }: Ids, instance_id: string) => deleted('card_instances', { book_id, instance_id });
  const escrowed = ({ book_id }: Ids, instance_id: string, trade_id: string | null) =>
    updated('card_instances', { book_id, instance_id }, { trade_id });
});
