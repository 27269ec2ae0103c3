import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ReadModel } from '../../src/port/read-model.ts';
import { OPERATOR_ACCOUNT_ID, OPERATOR_IDENTITY_ID, bookIdFor, tradeIdOf } from '../../src/receipt/ids.ts';
import { prefixOf } from '../../src/receipt/key-path.ts';
import { type Stream, type StreamOf, codeStream, collectionStream, pixbookStream } from '../../src/receipt/stream.ts';
import { eventOf } from '../../src/stream/event.ts';
import { type StreamState, emptyStream, evolveStream, isPixbookEvent } from '../../src/stream/fold.ts';
import { type Concerns, concernsOfEvent, noConcerns } from '../../src/stream/pixbook/concerns.ts';
import { type FixtureLedger, applicationOf, codeId, collectionId, granted, userId } from '../ledger-fixture.ts';
import { liveBookIn } from '../ledger-state.ts';
import { stories, told } from '../ledger-story.ts';
import { tradeIn } from '../ledger-trade.ts';
import { type WholeStory, wholeStory } from '../whole-story.ts';
import { describeActing } from './acting-views.ts';
import {
  FRESH_KEY,
  type ReadModelUnderTest,
  applyAll,
  expectedDump,
  nothingOf,
  requestFor,
  shownOf,
  streamsOf,
  viewOf,
} from './read-model-under-test.ts';

const booksOf = (ledger: FixtureLedger): readonly StreamOf<'pixbook'>[] =>
  streamsOf(ledger).flatMap((stream) => (stream.type === 'pixbook' ? [stream] : []));

const tradesOf = ({ receipts }: FixtureLedger): Concerns['tradeIds'] =>
  receipts.flatMap(({ receipt }) => (receipt.type === 'CARD_TRADE_OFFERED' ? [tradeIdOf(receipt.eventId)] : []));

/** Whatever any book holds, each once. */
const allIn = (ledger: FixtureLedger): Concerns => {
  const books = booksOf(ledger).map((book) => liveBookIn(ledger, book));
  return {
    instanceIds: [...new Set(books.flatMap(({ cards }) => [...cards.keys()]))],
    packIds: [...new Set(books.flatMap(({ packs }) => [...packs.keys()]))],
    tradeIds: tradesOf(ledger),
    openTrades: true,
  };
};

/** Some of them, as these numbers say. */
const someOf = (all: Concerns, picks: readonly number[], openTrades: boolean): Concerns => {
  const some = <T>(from: readonly T[], salt: number): readonly T[] =>
    from.filter((_, n) => picks.some((pick) => (pick + salt) % from.length === n));
  return {
    instanceIds: some(all.instanceIds, 0),
    packIds: some(all.packIds, 1),
    tradeIds: some(all.tradeIds, 2),
    openTrades,
  };
};

/** Views of parts of pixbooks, of collections and codes, and of whoever acts. `runs`: how many random stories a property tells. */
export const describeDomainViews = (name: string, open: () => Promise<ReadModelUnderTest>, { runs }: { runs: number }): void => {
  describe(`views of the domain, ${name}`, () => {
    let subject: ReadModelUnderTest;
    let model: ReadModel;
    let story: WholeStory;
    let ledger: FixtureLedger;
    beforeAll(async () => {
      subject = await open();
      model = subject.model;
      story = await wholeStory();
      ledger = story.ledger;
    });
    afterAll(() => subject.close());

    describe('of nothing', () => {
      beforeEach(() => subject.wipe());

      it('are empty, whatever is asked for', async () => {
        for (const stream of streamsOf(ledger)) {
          const view = await viewOf(model, stream, { concerns: allIn(ledger), userId: userId('anna') });
          const empty = { head: null, seen: null, state: nothingOf(stream), accountStatus: 'absent', role: null };
          expect(view).toMatchObject({ ...empty, identity: null, operator: null, acting: null });
          expect(await model.head(stream)).toBeNull();
        }
        for (const { bookId } of booksOf(ledger)) expect(await model.book(bookId)).toBeNull();
      });

      it('take no stream for another', async () => {
        await applyAll(model, ledger.receipts);
        const strange: readonly Stream[] = [
          collectionStream(collectionId('none')),
          codeStream(codeId('none')),
          pixbookStream(OPERATOR_ACCOUNT_ID, story.annas.bookId),
        ];
        for (const stream of strange) {
          const view = await viewOf(model, stream, { concerns: allIn(ledger) });
          expect(view).toMatchObject({ head: null, state: nothingOf(stream) });
          expect(await model.head(stream)).toBeNull();
        }
      });
    });

    describe('applying the whole story', () => {
      beforeEach(() => subject.wipe());

      it('makes the rows that project says, whichever streams come first', async () => {
        const streams = streamsOf(ledger);
        const orders = [ledger.receipts, [...streams].reverse().flatMap((stream) => ledger.receiptsOf(stream))];
        for (const receipts of orders) {
          await subject.wipe();
          expect(new Set(await applyAll(model, receipts))).toEqual(new Set(['applied']));
          expect(await subject.dump()).toEqual(expectedDump(ledger.receipts));
        }
      });

      it('writes to the outbox what must follow from claims and reservations, once, also after the projection was made anew', async () => {
        const following = ledger.receipts.flatMap((stored) =>
          applicationOf(stored).projected.redo.map(({ target, kind }) => `${target} ${kind} ${stored.receipt.eventId}`),
        );
        expect(following.length).toBeGreaterThan(5);
        for (let time = 0; time < 2; time++) {
          await subject.wipe();
          await applyAll(model, ledger.receipts);
          await applyAll(model, ledger.receipts);
          expect([...(await subject.redo())].sort()).toEqual([...following].sort());
        }
      });

      it('folds each receipt of a pixbook onto no more than what the receipt concerns', async () => {
        for (const stored of ledger.receipts) {
          const { receipt } = stored;
          const event = granted(eventOf(receipt));
          if (receipt.stream.type === 'pixbook' && isPixbookEvent(event)) {
            const concerns = concernsOfEvent(event);
            const { state } = await model.pixbookView({ ...requestFor(receipt.stream), concerns });
            const place = { eventId: receipt.eventId, hash: receipt.hash, at: receipt.createdAt };
            const after = granted(evolveStream({ type: 'pixbook', state }, receipt.stream, event, place));
            await model.apply(applicationOf(stored));
            if (event.type !== 'PIXBOOK_CREATED')
              expect(await viewOf(model, receipt.stream, { concerns })).toMatchObject({ state: shownOf(after, concerns) });
          } else await model.apply(applicationOf(stored));
        }
      });

      it('shows collections and codes after each of their receipts as evolve has them', async () => {
        const states = new Map<string, StreamState>();
        for (const stored of ledger.receipts) {
          const { stream, eventId, hash, createdAt: at } = stored.receipt;
          await model.apply(applicationOf(stored));
          if (stream.type !== 'collection' && stream.type !== 'code') continue;
          const before = states.get(prefixOf(stream)) ?? emptyStream(stream);
          const after = granted(evolveStream(before, stream, granted(eventOf(stored.receipt)), { eventId, hash, at }));
          states.set(prefixOf(stream), after);
          expect((await viewOf(model, stream)).state).toEqual(after.state);
        }
      });
    });

    describe('of the whole story', () => {
      beforeAll(async () => {
        await subject.wipe();
        await applyAll(model, ledger.receipts);
      });

      it('show the head of every stream, and so does the head alone', async () => {
        for (const stream of streamsOf(ledger)) {
          expect((await viewOf(model, stream)).head).toEqual(ledger.headOf(stream));
          expect(await model.head(stream)).toEqual(ledger.headOf(stream));
        }
      });

      it('hold nothing of what is in a pixbook where nothing is asked for', async () => {
        for (const book of booksOf(ledger)) {
          const { state } = await model.pixbookView(requestFor(book));
          expect(state).toEqual(shownOf(ledger.stateOf(book)));
          expect(state).toMatchObject({ cards: { size: 0 }, packs: { size: 0 }, trades: { size: 0 }, openTrades: null });
        }
      });

      const parts: readonly [string, (all: Concerns) => Concerns][] = [
        ['nothing at all', () => noConcerns],
        ['copies', ({ instanceIds }) => ({ ...noConcerns, instanceIds })],
        ['one copy', ({ instanceIds }) => ({ ...noConcerns, instanceIds: instanceIds.slice(0, 1) })],
        ['packs', ({ packIds }) => ({ ...noConcerns, packIds })],
        ['trades', ({ tradeIds }) => ({ ...noConcerns, tradeIds })],
        ['one trade', ({ tradeIds }) => ({ ...noConcerns, tradeIds: tradeIds.slice(-1) })],
        ['how many trades are open', () => ({ ...noConcerns, openTrades: true })],
        ['copies and trades, each named twice', (all) => ({ ...all, instanceIds: [...all.instanceIds, ...all.instanceIds] })],
        ['everything', (all) => all],
      ];
      it.each(parts)('hold of each pixbook just its part where %s is asked for', async (_, part) => {
        const concerns = part(allIn(ledger));
        for (const book of booksOf(ledger)) {
          const { state } = await model.pixbookView({ ...requestFor(book), concerns });
          expect(state).toEqual(shownOf(ledger.stateOf(book), concerns));
        }
      });

      it('are whole where everything is asked for', async () => {
        for (const book of booksOf(ledger)) {
          const { state } = await model.pixbookView({ ...requestFor(book), concerns: allIn(ledger) });
          expect(state).toEqual(liveBookIn(ledger, book));
        }
      });

      it('show the copies that a named trade keeps in escrow, each in the pixbook that keeps it', async () => {
        for (const tradeId of tradesOf(ledger)) {
          const { from, to, offer, reservation } = tradeIn(ledger, tradeId);
          const kept: readonly [StreamOf<'pixbook'>, readonly { readonly instanceId: string }[]][] = [
            [from, offer.status === 'offered' ? offer.give : []],
            [to, reservation?.status === 'reserved' ? reservation.give : []],
          ];
          for (const [book, copies] of kept) {
            const { state } = await model.pixbookView({ ...requestFor(book), concerns: { ...noConcerns, tradeIds: [tradeId] } });
            const shown = state.status === 'absent' ? [] : [...state.cards.keys()];
            expect(shown.sort()).toEqual(copies.map(({ instanceId }) => instanceId).sort());
          }
        }
      });

      it('answer each of many at once with its own part', async () => {
        const all = allIn(ledger);
        const asked = booksOf(ledger).flatMap((book) =>
          Array.from({ length: 12 }, (_, n) => ({ book, concerns: someOf(all, [n, 3 * n], n % 3 === 0) })),
        );
        const views = await Promise.all(
          asked.map(({ book, concerns }, n) => model.pixbookView({ ...requestFor(book), ...(n % 5 > 0 && { concerns }) })),
        );
        for (const [n, { book, concerns }] of asked.entries())
          expect(views[n]?.state).toEqual(shownOf(ledger.stateOf(book), n % 5 > 0 ? concerns : noConcerns));
      });

      it('belong to no tenant where they are of collections and codes, and recognise their keys', async () => {
        const streams = streamsOf(ledger).filter(({ type }) => type === 'collection' || type === 'code');
        expect(streams).toHaveLength(5);
        for (const stream of streams) {
          const [first] = ledger.receiptsOf(stream);
          const idempotencyKey = first?.receipt.idempotencyKey ?? FRESH_KEY;
          expect(await viewOf(model, stream, { idempotencyKey, userId: userId('iris') })).toMatchObject({
            ...{ state: ledger.stateOf(stream).state, accountStatus: 'absent', role: null, identity: null, acting: null },
            ...{ seen: { position: 0, eventId: first?.receipt.eventId, hash: first?.receipt.hash } },
            operator: { identityId: OPERATOR_IDENTITY_ID },
          });
        }
      });

      it('find a pixbook by its id, whoever’s it is', async () => {
        for (const { accountId, bookId } of booksOf(ledger)) {
          const { identityId, collectionId: id, generation, status } = liveBookIn(ledger, { type: 'pixbook', accountId, bookId });
          const book = { accountId, bookId, identityId, collectionId: id, generation, status };
          expect(await model.book(bookId)).toEqual(book);
        }
        expect(await model.book(bookIdFor(OPERATOR_IDENTITY_ID, story.collectionId, 7))).toBeNull();
      });
    });

    describe('of who acts', () => {
      beforeAll(async () => {
        await subject.wipe();
        await applyAll(model, ledger.receipts);
      });
      describeActing(() => ({ model, story }));
    });

    it('show of any part what evolve makes of the same receipts, whatever the story', async () => {
      const part = fc.record({ picks: fc.array(fc.nat({ max: 500 }), { maxLength: 6 }), openTrades: fc.boolean() });
      await fc.assert(
        fc.asyncProperty(stories(60), part, async (steps, { picks, openTrades }) => {
          const random = await told(steps);
          await subject.wipe();
          await applyAll(model, random.receipts);
          for (const concerns of [allIn(random), someOf(allIn(random), picks, openTrades)])
            for (const stream of streamsOf(random)) {
              const { state, head } = await viewOf(model, stream, { concerns });
              expect(state).toEqual(shownOf(random.stateOf(stream), concerns));
              expect(head).toEqual(random.headOf(stream));
            }
        }),
        { numRuns: runs },
      );
    });
  });
};
