import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Outage } from '../../src/port/outage.ts';
import type { Application, ReadModel } from '../../src/port/read-model.ts';
import { publicKeyIdOf } from '../../src/receipt/hash.ts';
import { OPERATOR_ACCOUNT_ID, OPERATOR_IDENTITY_ID, bookIdFor, instantOf, parseReceiptHash } from '../../src/receipt/ids.ts';
import { prefixOf } from '../../src/receipt/key-path.ts';
import type { StoredReceipt } from '../../src/receipt/receipt.ts';
import { type Stream, type StreamOf, accountStream, pixbookStream } from '../../src/receipt/stream.ts';
import { noAccount } from '../../src/stream/account/evolve.ts';
import { noPixbook } from '../../src/stream/pixbook/state.ts';
import { type FixtureLedger, applicationOf, collectionId, fixtureLedger, granted, userId } from '../ledger-fixture.ts';
import { stories, told } from '../ledger-story.ts';
import {
  FRESH_KEY,
  type ReadModelUnderTest,
  applyAll,
  expectedDump,
  nothingOf,
  requestFor,
  shownOf,
  viewOf,
} from './read-model-under-test.ts';

const OWNER = userId('owner');
const STRANGER = userId('stranger');
const AXOLOTLS = collectionId('axolotls');
const BEETLES = collectionId('beetles');

/** A ledger with one account, its owner's identity and one book with a save in it. */
const smallLedger = async () => {
  const ledger = await fixtureLedger();
  const account = await ledger.createAccount(OWNER);
  const identityId = await ledger.createIdentity(account.accountId, OWNER);
  const book = await ledger.createPixbook(account.accountId, identityId, AXOLOTLS);
  await ledger.save(book, { page: 1 });
  return { ledger, account, identityId, book };
};

/** A ledger with this many books, each of its own account. */
const manyBooks = async (count: number) => {
  const ledger = await fixtureLedger();
  const books: StreamOf<'pixbook'>[] = [];
  for (let n = 0; n < count; n++) {
    const { accountId } = await ledger.createAccount(userId(`owner-${n}`));
    const identityId = await ledger.createIdentity(accountId, userId(`owner-${n}`));
    books.push(await ledger.createPixbook(accountId, identityId, AXOLOTLS));
  }
  return { ledger, books };
};

/** Another receipt in the same place: as if the ledger had forked. */
const forkOf = (application: Application): Application => ({
  ...application,
  head: { ...application.head, hash: granted(parseReceiptHash(`sha256:${'0'.repeat(64)}`)) },
});

/** `runs`: how many random stories a property tells. */
export const describeReadModel = (name: string, open: () => Promise<ReadModelUnderTest>, { runs }: { runs: number }): void => {
  describe(`the read model, ${name}`, () => {
    let subject: ReadModelUnderTest;
    let model: ReadModel;
    beforeAll(async () => {
      subject = await open();
      model = subject.model;
    });
    beforeEach(() => subject.wipe());
    afterAll(() => subject.close());

    describe('applying', () => {
      it('moves the head from the predecessor and writes the rows', async () => {
        const { ledger } = await smallLedger();
        for (const stored of ledger.receipts) expect(await model.apply(applicationOf(stored))).toBe('applied');
        expect(await subject.dump()).toEqual(expectedDump(ledger.receipts));
      });

      const outcomes: readonly [string, (small: Awaited<ReturnType<typeof smallLedger>>) => Application, string][] = [
        ['the receipt that is the head', ({ ledger, book }) => applied(ledger, book, 1), 'already'],
        ['a receipt before the head', ({ ledger, book }) => applied(ledger, book, 0), 'already'],
        ['another receipt at the head', ({ ledger, book }) => forkOf(applied(ledger, book, 1)), 'different'],
        ['another receipt before the head', ({ ledger, book }) => forkOf(applied(ledger, book, 0)), 'different'],
        ['the receipt after the next', ({ ledger, book }) => applied(ledger, book, 3), 'behind'],
        [
          'the first receipt of a book that another account has',
          ({ ledger, book }) => ({ ...applied(ledger, book, 0), stream: pixbookStream(OPERATOR_ACCOUNT_ID, book.bookId) }),
          'different',
        ],
        [
          'a later receipt of a book that another account has',
          ({ ledger, book }) => ({ ...applied(ledger, book, 2), stream: pixbookStream(OPERATOR_ACCOUNT_ID, book.bookId) }),
          'different',
        ],
      ];
      const applied = (ledger: FixtureLedger, stream: Stream, position: number): Application => {
        const stored = ledger.receiptsOf(stream)[position];
        if (stored === undefined) throw new RangeError(`no receipt ${position}`);
        return applicationOf(stored);
      };

      it.each(outcomes)('answers for %s and changes nothing', async (_, chosen, outcome) => {
        const small = await smallLedger();
        await applyAll(model, small.ledger.receipts);
        const before = await subject.dump();
        await small.ledger.save(small.book, { page: 2 });
        await small.ledger.save(small.book, { page: 3 });
        expect(await model.apply(chosen(small))).toBe(outcome);
        expect(await subject.dump()).toEqual(before);
      });

      it('is behind when nothing of the stream is applied', async () => {
        const { ledger, book } = await smallLedger();
        expect(await model.apply(applied(ledger, book, 1))).toBe('behind');
        expect(await subject.dump()).toEqual(expectedDump([]));
      });

      it('applies 64 streams at once', async () => {
        const { ledger, books } = await manyBooks(64);
        await applyAll(model, ledger.receipts);
        const saves = await Promise.all(books.map((book, n) => ledger.save(book, { n })));
        expect(new Set(await applyAll(model, saves))).toEqual(new Set(['applied']));
        expect(await subject.dump()).toEqual(expectedDump(ledger.receipts));
      });

      it('applies receipts of one stream that come at once one after the other', async () => {
        const { ledger, book } = await smallLedger();
        for (let page = 2; page < 10; page++) await ledger.save(book, { page });
        expect(new Set(await applyAll(model, ledger.receipts))).toEqual(new Set(['applied']));
        expect(await subject.dump()).toEqual(expectedDump(ledger.receipts));
      });

      it('applies a receipt once, however often and by whomever it comes at once', async () => {
        const { ledger } = await smallLedger();
        const rivals = [model, subject.rival(), subject.rival()];
        for (const stored of ledger.receipts) {
          const outcomes = await Promise.all([...rivals, ...rivals].map((rival) => rival.apply(applicationOf(stored))));
          expect(outcomes.sort()).toEqual(['already', 'already', 'already', 'already', 'already', 'applied']);
        }
        expect(await subject.dump()).toEqual(expectedDump(ledger.receipts));
      });

      it('lets rivals apply the same streams at the same time', async () => {
        const { ledger, books } = await manyBooks(16);
        for (let round = 0; round < 5; round++) await Promise.all(books.map((book) => ledger.save(book, { round })));
        const rivals = [model, subject.rival(), subject.rival()];
        const outcomes = await Promise.all(
          rivals.map(async (rival) => {
            const mine = [];
            // As a catch-up does: a stream in order, streams side by side.
            for (const prefix of new Set(ledger.receipts.map(({ receipt }) => prefixOf(receipt.stream))))
              mine.push(
                inOrder(
                  rival,
                  ledger.receipts.filter(({ receipt }) => prefixOf(receipt.stream) === prefix),
                ),
              );
            return (await Promise.all(mine)).flat();
          }),
        );
        const counts = Object.groupBy(outcomes.flat(), (outcome) => outcome);
        expect(Object.keys(counts).sort()).toEqual(['already', 'applied']);
        expect(counts.applied).toHaveLength(ledger.receipts.length);
        expect(await subject.dump()).toEqual(expectedDump(ledger.receipts));
      });
      const inOrder = async (rival: ReadModel, receipts: readonly StoredReceipt[]) => {
        const outcomes = [];
        for (const stored of receipts) outcomes.push(await rival.apply(applicationOf(stored)));
        return outcomes;
      };

      const poisons: readonly [string, (save: Application, book: StreamOf<'pixbook'>) => Application][] = [
        [
          'inserts a row that is there',
          (save, { accountId }) =>
            withChange(save, { op: 'insert', table: 'account_members', row: memberRow(accountId, 'owner-0') }),
        ],
        [
          'updates a row that is missing',
          (save) => withChange(save, { op: 'update', table: 'pixbooks', key: { book_id: 'bk_none' }, set: { status: 'closed' } }),
        ],
        [
          'deletes a row that is missing',
          (save) =>
            withChange(save, { op: 'delete', table: 'account_members', key: { account_id: 'acc_none', user_id: 'none' } }),
        ],
      ];
      const withChange = (save: Application, change: Application['projected']['changes'][number]): Application => ({
        ...save,
        projected: { ...save.projected, changes: [...save.projected.changes, change] },
      });
      const memberRow = (account_id: string, user_id: string) => ({ account_id, user_id, role: 'viewer', since: instantOf(0) });

      it.each(poisons)('keeps a receipt that %s from failing those beside it', async (_, poisoned) => {
        const { ledger, books } = await manyBooks(12);
        await applyAll(model, ledger.receipts);
        const applied = [...ledger.receipts];
        const saves = await Promise.all(books.map((book, n) => ledger.save(book, { n })));
        const [bad, ...good] = saves;
        const [book] = books;
        if (bad === undefined || book === undefined) throw new RangeError('no books');
        const [badly, ...well] = await Promise.allSettled([
          model.apply(poisoned(applicationOf(bad), book)),
          ...good.map((stored) => model.apply(applicationOf(stored))),
        ]);
        expect(badly.status).toBe('rejected');
        expect(badly.status === 'rejected' && badly.reason).not.toBeInstanceOf(Outage);
        expect(well.map((outcome) => outcome.status === 'fulfilled' && outcome.value)).toEqual(good.map(() => 'applied'));
        expect(await subject.dump()).toEqual(expectedDump([...applied, ...good]));
        // The stream is not blocked by what failed in it.
        expect(await model.apply(applicationOf(bad))).toBe('applied');
      });

      it('refuses a second receipt under an idempotency key of its stream', async () => {
        const { ledger, book } = await smallLedger();
        await applyAll(model, ledger.receipts);
        const before = await subject.dump();
        const first = ledger.receiptsOf(book)[1];
        const again = await ledger.save(book, { page: 2 }, first && { key: first.receipt.idempotencyKey });
        await expect(model.apply(applicationOf(again))).rejects.toThrow();
        expect(await subject.dump()).toEqual(before);
      });

      it('writes what must follow to the redo outbox, once, also after the projection was made anew', async () => {
        const { ledger, account } = await smallLedger();
        const [genesis, created] = ledger.receipts.map(applicationOf);
        if (genesis === undefined || created === undefined) throw new RangeError('no receipts');
        const projected = { ...created.projected, redo: [{ target: prefixOf(account), kind: 'complete-trade' as const }] };
        const follow = `${prefixOf(account)} complete-trade ${created.head.eventId}`;
        expect(await model.apply(genesis)).toBe('applied');
        expect(await model.apply({ ...created, projected })).toBe('applied');
        expect(await model.apply({ ...created, projected })).toBe('already');
        expect(await subject.redo()).toEqual([follow]);
        await subject.wipe();
        expect(await model.apply({ ...created, projected })).toBe('applied');
        expect(await subject.redo()).toEqual([follow]);
      });
    });

    describe('viewing', () => {
      it('shows nothing of what is not there', async () => {
        const { account, book, identityId } = await smallLedger();
        const nothing = { head: null, seen: null, accountStatus: 'absent', role: null, identity: null, operator: null };
        expect(await model.accountView(requestFor(account, { userId: OWNER }))).toMatchObject({ ...nothing, state: noAccount });
        expect(await model.pixbookView(requestFor(book, { userId: OWNER, identityId }))).toMatchObject({
          ...nothing,
          state: noPixbook,
        });
        expect(await model.head(account)).toBeNull();
        expect(await model.head(book)).toBeNull();
      });

      it('shows head, state, role and operator of an account', async () => {
        const { ledger, account } = await smallLedger();
        await applyAll(model, ledger.receipts);
        const view = await model.accountView(requestFor(account, { userId: OWNER }));
        expect(view.state).toEqual(shownOf(ledger.stateOf(account)));
        expect(view).toMatchObject({
          head: ledger.headOf(account),
          accountStatus: 'open',
          role: 'owner',
          identity: null,
          seen: null,
        });
        expect(view.operator).toMatchObject({ identityId: OPERATOR_IDENTITY_ID, publicKeyId: ledger.trust, controller: null });
        expect(await model.head(account)).toEqual(ledger.headOf(account));
      });

      it('shows head, state, role and identity of a pixbook', async () => {
        const { ledger, account, book, identityId } = await smallLedger();
        await applyAll(model, ledger.receipts);
        const view = await model.pixbookView(requestFor(book, { userId: OWNER }));
        const publicKey = await ledger.publicKeyOf(identityId, 1);
        expect(view).toMatchObject({
          head: ledger.headOf(book),
          state: shownOf(ledger.stateOf(book)),
          accountStatus: 'open',
          role: 'owner',
          identity: {
            ...{ identityId, accountId: account.accountId, status: 'active', controller: OWNER, keyGeneration: 1 },
            ...{ publicKey, publicKeyId: publicKeyIdOf(Buffer.from(publicKey, 'base64')) },
          },
          operator: { identityId: OPERATOR_IDENTITY_ID },
        });
      });

      it('shows the identity that a new pixbook is for, and of an existing one its own, whatever is asked', async () => {
        const { ledger, account, book, identityId } = await smallLedger();
        const other = await ledger.createIdentity(account.accountId, OWNER);
        await applyAll(model, ledger.receipts);
        const unborn = pixbookStream(account.accountId, bookIdFor(other, BEETLES, 1));
        expect((await model.pixbookView(requestFor(unborn, { identityId: other }))).identity).toMatchObject({
          identityId: other,
        });
        expect((await model.pixbookView(requestFor(book, { identityId: other }))).identity).toMatchObject({ identityId });
      });

      it('shows a book or an identity of another account as missing', async () => {
        const { ledger, book, identityId } = await smallLedger();
        const foreign = await ledger.createAccount(STRANGER);
        await applyAll(model, ledger.receipts);
        const through = pixbookStream(foreign.accountId, book.bookId);
        const view = await model.pixbookView(requestFor(through, { userId: STRANGER, identityId }));
        expect(view).toMatchObject({ head: null, state: noPixbook, accountStatus: 'open', role: 'owner', identity: null });
        expect(await model.head(through)).toBeNull();
      });

      it('shows no role to strangers, to the service itself and to removed members', async () => {
        const { ledger, account, book } = await smallLedger();
        const gone = userId('gone');
        granted(await ledger.account(account.accountId, { type: 'add-member', userId: gone, role: 'member', by: OWNER }));
        granted(await ledger.account(account.accountId, { type: 'remove-member', userId: gone, by: OWNER }));
        await applyAll(model, ledger.receipts);
        for (const stream of [account, book])
          for (const who of [STRANGER, gone, null]) expect((await viewOf(model, stream, { userId: who })).role).toBeNull();
      });

      it('recognises the idempotency keys of the stream and of no other', async () => {
        const { ledger, account, book } = await smallLedger();
        await applyAll(model, ledger.receipts);
        for (const stored of ledger.receipts) {
          const { receipt, position } = stored;
          const { changes } = applicationOf(stored).projected;
          const lookup = changes.find((change) => change.table === 'receipts');
          const fingerprint = lookup?.op === 'insert' && 'fingerprint' in lookup.row ? lookup.row.fingerprint : null;
          for (const stream of [account, book]) {
            const { seen } = await viewOf(model, stream, { idempotencyKey: receipt.idempotencyKey });
            const isOurs = prefixOf(receipt.stream) === prefixOf(stream);
            expect(seen && { ...seen, fingerprint: Buffer.from(seen.fingerprint) }).toEqual(
              isOurs ? { eventId: receipt.eventId, hash: receipt.hash, position, fingerprint } : null,
            );
          }
        }
      });

      it('answers each of many views at once with its own', async () => {
        const { ledger, books } = await manyBooks(40);
        await applyAll(model, ledger.receipts);
        const accounts = books.map(({ accountId }) => accountStream(accountId));
        const views = await Promise.all(
          [...books, ...accounts].map((stream, n) => viewOf(model, stream, { userId: userId(`owner-${n % 40}`) })),
        );
        for (const [n, stream] of [...books, ...accounts].entries())
          expect(views[n]).toMatchObject({
            head: ledger.headOf(stream),
            state: shownOf(ledger.stateOf(stream)),
            role: 'owner',
            operator: { identityId: OPERATOR_IDENTITY_ID },
          });
      });

      it('is one snapshot: head, state and recognised key never disagree while rivals apply', async () => {
        const { ledger, account, book } = await smallLedger();
        for (let page = 2; page <= 60; page++) {
          await ledger.save(book, { page });
          const member = userId(`member-${page}`);
          granted(await ledger.account(account.accountId, { type: 'add-member', userId: member, role: 'member', by: OWNER }));
        }
        await applyAll(model, ledger.receipts.slice(0, 4));
        const rival = subject.rival();
        let applying = true;
        const appliers = [account, book].map(async (stream) => {
          for (const stored of ledger.receiptsOf(stream)) await rival.apply(applicationOf(stored));
        });
        const done = Promise.all(appliers).then(() => (applying = false));
        const watch = async (stream: Stream, n: number) => {
          const receipts = ledger.receiptsOf(stream);
          let looked = 0;
          do {
            const stored = receipts[(looked++ * 7 + n) % receipts.length];
            if (stored === undefined) throw new RangeError('no receipts');
            const view = await viewOf(model, stream, { idempotencyKey: stored.receipt.idempotencyKey });
            const position = view.head?.position ?? -1;
            expect(view.seen?.position ?? null).toBe(position >= stored.position ? stored.position : null);
            if (stream.type === 'pixbook') expect(view.state).toMatchObject({ head: view.head?.eventId });
            const members =
              view.state !== null && typeof view.state === 'object' && 'members' in view.state && view.state.members;
            // Position 1 is the identity; every later receipt of the account adds one member to the owner.
            if (members instanceof Map) expect(members.size).toBe(Math.max(1, position));
          } while (applying);
        };
        await Promise.all([...Array.from({ length: 6 }, (_, n) => watch(n % 2 === 0 ? account : book, n)), done]);
        expect(await subject.dump()).toEqual(expectedDump(ledger.receipts));
      });

      it('has one epoch for all until the projection is made anew', async () => {
        const { ledger, account, book } = await smallLedger();
        await applyAll(model, ledger.receipts);
        const epochs = await Promise.all(
          [model, subject.rival()].flatMap((one) => [viewOf(one, account), viewOf(one, book), viewOf(one, book)]),
        );
        expect(new Set(epochs.map(({ epoch }) => epoch)).size).toBe(1);
        await subject.wipe();
        const after = await viewOf(model, book);
        expect(after.head).toBeNull();
        expect(after.epoch).not.toBe(epochs[0]?.epoch);
      });
    });

    describe('looking things up', () => {
      it('knows every key an identity had, and from when to when', async () => {
        const { ledger, account, identityId } = await smallLedger();
        const rotated = await ledger.rotateKey(account.accountId, identityId, OWNER);
        const revoked = granted(await ledger.account(account.accountId, { type: 'revoke-identity', identityId, by: OWNER }));
        const created = ledger.receiptsOf(account)[1];
        await applyAll(model, ledger.receipts);
        const place = (stored: StoredReceipt | undefined) =>
          stored === undefined ? null : { position: stored.position, at: stored.receipt.createdAt };
        const spans = [
          [place(created), place(rotated)],
          [place(rotated), place(revoked)],
        ] as const;
        for (const [n, [from, until]] of spans.entries()) {
          const publicKey = await ledger.publicKeyOf(identityId, n + 1);
          const publicKeyId = publicKeyIdOf(Buffer.from(publicKey, 'base64'));
          const record = await model.keyRecord(identityId, publicKeyId);
          expect(record).toMatchObject({ publicKeyId, identityId, accountId: account.accountId, publicKey, from, until });
          expect(record?.key.export({ type: 'spki', format: 'der' }).toString('base64')).toBe(publicKey);
          expect(await model.keyRecord(OPERATOR_IDENTITY_ID, publicKeyId)).toBeNull();
        }
        expect(await model.keyRecord(OPERATOR_IDENTITY_ID, ledger.trust)).toMatchObject({ from: { position: 0 }, until: null });
      });

      it('knows the highest generation of an identity’s books of a collection', async () => {
        const { ledger, account, identityId, book } = await smallLedger();
        granted(await ledger.pixbook(book, { type: 'close' }));
        await ledger.createPixbook(account.accountId, identityId, AXOLOTLS, 2);
        const other = await ledger.createIdentity(account.accountId, OWNER);
        await applyAll(model, ledger.receipts);
        expect(await model.latestGeneration(identityId, AXOLOTLS)).toBe(2);
        expect(await model.latestGeneration(identityId, BEETLES)).toBeNull();
        expect(await model.latestGeneration(other, AXOLOTLS)).toBeNull();
      });

      it('finds the stream whose idempotency key it is, among those given', async () => {
        const { ledger, account, book, identityId } = await smallLedger();
        await applyAll(model, ledger.receipts);
        const generations = [1, 2, 3].map((n) => pixbookStream(account.accountId, bookIdFor(identityId, AXOLOTLS, n)));
        const created = ledger.receiptsOf(book)[0]?.receipt.idempotencyKey ?? FRESH_KEY;
        expect(await model.streamWithKey(generations, created)).toEqual(book);
        expect(await model.streamWithKey(generations.slice(1), created)).toBeNull();
        expect(await model.streamWithKey(generations, FRESH_KEY)).toBeNull();
        expect(await model.streamWithKey([], created)).toBeNull();
      });
    });

    it('shows what evolve makes of the same receipts, whatever the story', async () => {
      await fc.assert(
        fc.asyncProperty(stories(40), async (steps) => {
          const ledger = await told(steps);
          await subject.wipe();
          expect(new Set(await applyAll(model, ledger.receipts))).toEqual(new Set(['applied']));
          expect(await subject.dump()).toEqual(expectedDump(ledger.receipts));
          const streams = new Map(ledger.receipts.map(({ receipt }) => [prefixOf(receipt.stream), receipt.stream]));
          for (const stream of streams.values()) {
            const view = await viewOf(model, stream);
            expect(view.state).toEqual(shownOf(ledger.stateOf(stream)));
            expect(view.head).toEqual(ledger.headOf(stream));
            expect(view.state).not.toEqual(nothingOf(stream));
          }
        }),
        { numRuns: runs },
      );
    });

    it('says that it is well, and after closing that it is not there', async () => {
      const rival = subject.rival();
      await expect(rival.check()).resolves.toBeUndefined();
      await rival.close();
      const { book } = await smallLedger();
      for (const call of [() => rival.check(), () => rival.head(book), () => viewOf(rival, book)])
        await expect(call()).rejects.toMatchObject({ code: 'postgres-unavailable', dependency: 'postgres' });
    });
  });
};
