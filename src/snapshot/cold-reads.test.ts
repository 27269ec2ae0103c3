import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type DomainLedger, domainLedger } from '../../test/domain-ledger.ts';
import { fixtureLedger, userId } from '../../test/ledger-fixture.ts';
import { accountIn, liveBookIn } from '../../test/ledger-state.ts';
import { limits } from '../limits.ts';
import { systemClock } from '../port/clock.ts';
import { Outage } from '../port/outage.ts';
import type { KeyName } from '../port/signer.ts';
import { OPERATOR_ACCOUNT_ID, OPERATOR_IDENTITY_ID } from '../receipt/ids.ts';
import { keyAt, snapshotKeyOf } from '../receipt/key-path.ts';
import { type BookAt, resourceOf } from './book-at.ts';
import { type Book, type ColdWorld, coldWorld } from './cold-world.fixture.ts';
import { sealSnapshot } from './seal-snapshot.ts';
import { formOfState } from './snapshot-book.ts';

/** Everything a book is, as text. */
const told = (book: BookAt | null): string =>
  JSON.stringify(book === null ? null : [resourceOf(book), formOfState(book.state), book.state.openTrades, book.state.head]);

let d: DomainLedger;
beforeAll(async () => {
  d = await domainLedger();
});
const books = (): readonly Book[] => [d.a, d.b, d.c, d.idle].map(({ book }) => book);
const lastOf = (book: Book): number => d.ledger.receiptsOf(book).length - 1;

describe('a pixbook from the store alone', () => {
  let world: ColdWorld;
  beforeEach(() => {
    world = coldWorld(d.ledger);
  });

  it('is what its receipts give, with a snapshot at any position and without one', async () => {
    for (const book of books()) {
      const expected = told(world.bookAt(book, lastOf(book)));
      const without = world.open();
      expect(told(await without.begin().book(book))).toBe(expected);
      expect(without.outcomes).toEqual(['absent']);
      for (let position = 0; position <= lastOf(book); position++) {
        await world.put(book, position);
        const reads = world.open();
        expect(told(await reads.snapshot(book))).toBe(told(world.bookAt(book, position)));
        expect(told(await reads.begin().book(book))).toBe(expected);
        expect(reads.outcomes).toEqual(['used', 'used']);
      }
    }
  });

  it('has the very state that the rules have', async () => {
    for (const book of books()) {
      await world.put(book, lastOf(book));
      const cold = await world.open().begin().book(book);
      expect(cold?.state).toEqual(liveBookIn(d.ledger, book));
    }
  });

  it('is read without a look at what a snapshot stands for', async () => {
    const { book } = d.a;
    await world.put(book, lastOf(book) - 1);
    for (let position = 0; position < lastOf(book) - 1; position++) world.objects.delete(keyAt(book, position));
    const reads = world.open();
    expect(told(await reads.begin().book(book))).toBe(told(world.bookAt(book, lastOf(book))));
  });

  it('is not there when it has no receipt', async () => {
    for (let position = 0; position <= lastOf(d.a.book); position++) world.objects.delete(keyAt(d.a.book, position));
    await world.put(d.a.book, lastOf(d.a.book));
    const reads = world.open();
    expect(await reads.begin().book(d.a.book)).toBeNull();
    expect(reads.outcomes).toEqual(['head-missing']);
  });

  it('cannot be told when a receipt behind the snapshot is not true, though the snapshot is', async () => {
    const { book } = d.a;
    await world.put(book, 1);
    const forged = await d.ledger.forge(book, { type: 'PIXBOOK_CLOSED', payload: {} });
    world.objects.set(keyAt(book, lastOf(book)), forged.bytes);
    const reads = world.open();
    expect(await reads.begin().book(book)).toBeNull();
    expect(reads.outcomes).toEqual(['used', 'tail-untrue', 'read-untrue']);
  });

  it('is read from its first receipt when the snapshot leads elsewhere than the receipts behind it go', async () => {
    const { book } = d.a;
    // Signed by the operator and at a receipt that is there, but with a state that no receipts give: as a bug of ours would.
    const right = world.bookAt(book, 2);
    world.objects.set(
      snapshotKeyOf(book),
      await world.seal({ ...right, state: { ...right.state, cards: right.state.cards.clear() } }),
    );
    const reads = world.open();
    expect(told(await reads.begin().book(book))).toBe(told(world.bookAt(book, lastOf(book))));
    expect(reads.outcomes).toEqual(['used', 'tail-untrue']);
  });

  it('whose stream grows while it is read knows the keys that were introduced meanwhile', async () => {
    const { book, account } = d.b;
    const last = d.ledger.receiptsOf(account).length - 1;
    const rotation = keyAt(account, last);
    const bytes = world.objects.get(rotation) ?? new Uint8Array();
    world.objects.delete(rotation);
    let looked = false;
    const growing = {
      read: async (key: string) => {
        const found = await world.store.read(key);
        // It comes right after the reader has seen that it is not there.
        if (key === rotation && !looked) {
          looked = true;
          world.objects.set(rotation, bytes);
        }
        return found;
      },
    };
    expect(told(await world.open(growing).begin().book(book))).toBe(told(world.bookAt(book, lastOf(book))));
    expect(looked).toBe(true);
  });
});

describe('a snapshot under the eyes of its readers', () => {
  it('may be deleted at any moment of a reading: the answer is the same', async () => {
    const { book } = d.c;
    const world = coldWorld(d.ledger);
    const expected = told(world.bookAt(book, lastOf(book)));
    for (let moment = 0; moment < 12; moment++) {
      await world.put(book, 3);
      let reads = 0;
      const deleting = {
        read: (key: string) => {
          if (reads++ === moment) world.objects.delete(snapshotKeyOf(book));
          return world.store.read(key);
        },
      };
      expect(told(await world.open(deleting).begin().book(book))).toBe(expected);
    }
  });

  it('may be overwritten with another at any moment of a reading, older or newer: the answer is the same', async () => {
    const { book } = d.c;
    const world = coldWorld(d.ledger);
    const expected = told(world.bookAt(book, lastOf(book)));
    const [older, newer] = [await world.seal(world.bookAt(book, 1)), await world.seal(world.bookAt(book, lastOf(book)))];
    for (const [first, then] of [
      [older, newer],
      [newer, older],
    ] as const)
      for (let moment = 0; moment < 12; moment++) {
        await world.store.replaceDerived(snapshotKeyOf(book), first);
        let reads = 0;
        const overwriting = {
          read: async (key: string) => {
            if (reads++ === moment) await world.store.replaceDerived(snapshotKeyOf(book), then);
            return world.store.read(key);
          },
        };
        expect(told(await world.open(overwriting).begin().book(book))).toBe(expected);
      }
  });

  it('that cannot be read is none, where the receipts can', async () => {
    const { book } = d.c;
    const world = coldWorld(d.ledger);
    await world.put(book, 3);
    const failing = {
      read: (key: string) =>
        key === snapshotKeyOf(book) ? Promise.reject(new Outage('store', 'store-refused', 'no')) : world.store.read(key),
    };
    const reads = world.open(failing);
    expect(await reads.snapshot(book)).toBeNull();
    expect(told(await reads.begin().book(book))).toBe(told(world.bookAt(book, lastOf(book))));
    expect(reads.outcomes).toEqual(['unavailable', 'unavailable']);
  });
});

describe('an account from the store alone', () => {
  it('is what its receipts give, and reads on where it was', async () => {
    const world = coldWorld(d.ledger);
    const { accountId } = d.b.account;
    const last = keyAt(d.b.account, d.ledger.receiptsOf(d.b.account).length - 1);
    const bytes = world.objects.get(last) ?? new Uint8Array();
    world.objects.delete(last);
    let asked: string[] = [];
    const watched = {
      read: (key: string) => {
        asked.push(key);
        return world.store.read(key);
      },
    };
    const reads = world.open(watched);
    expect(await reads.begin().account(accountId)).not.toEqual(accountIn(d.ledger, accountId));
    world.objects.set(last, bytes);
    asked = [];
    expect(await reads.begin().account(accountId)).toEqual(accountIn(d.ledger, accountId));
    expect(asked).toContain(last);
    expect(asked).not.toContain(keyAt(d.b.account, 0));
    expect(await reads.begin().account(OPERATOR_ACCOUNT_ID)).toEqual(accountIn(d.ledger, OPERATOR_ACCOUNT_ID));
  });

  it('is the same for many who ask at once', async () => {
    const world = coldWorld(d.ledger);
    const reads = world.open();
    const { accountId } = d.a.account;
    const told = await Promise.all(Array.from({ length: 8 }, () => reads.begin().account(accountId)));
    for (const each of told) expect(each).toEqual(accountIn(d.ledger, accountId));
  });

  it('is not there when it has no receipts, when one is not true, and when the ledger is another', async () => {
    const { accountId } = d.a.account;
    const absent = coldWorld(d.ledger);
    for (let position = 0; position < 3; position++) absent.objects.delete(keyAt(d.a.account, position));
    expect(await absent.open().begin().account(accountId)).toBeNull();

    const untrue = coldWorld(d.ledger);
    const removal = { type: 'MEMBER_ADDED', payload: { userId: userId('eve'), role: 'owner' } };
    const identity = { accountId, identityId: d.a.identityId };
    const forged = await d.ledger.forge(d.a.account, removal, { signer: identity });
    untrue.objects.set(keyAt(d.a.account, forged.position), forged.bytes);
    expect(await untrue.open().begin().account(accountId)).toBeNull();

    const other = coldWorld({
      ...d.ledger,
      trust: d.a.identityId.replace(/.*/, `sha256:${'0'.repeat(64)}`) as typeof d.ledger.trust,
    });
    expect(await other.open().begin().account(accountId)).toBeNull();
  });

  it('that takes more receipts than one answer may cost is told by a later one', { timeout: 60_000 }, async () => {
    const ledger = await fixtureLedger();
    const owner = userId('owner');
    const account = await ledger.createAccount(owner);
    const identityId = await ledger.createIdentity(account.accountId, owner);
    const rotations = limits.coldReadReceipts;
    for (let n = 0; n < rotations; n++) await ledger.rotateKey(account.accountId, identityId, owner);
    const reads = coldWorld(ledger).open();
    expect(await reads.begin().account(account.accountId)).toBeNull();
    expect(await reads.begin().account(account.accountId)).toEqual(accountIn(ledger, account.accountId));
  });
});

describe('a pixbook that is too long', () => {
  it('is told with a snapshot and not without', { timeout: 60_000 }, async () => {
    const ledger = await fixtureLedger();
    const owner = userId('owner');
    const account = await ledger.createAccount(owner);
    const identityId = await ledger.createIdentity(account.accountId, owner);
    const book = await ledger.createPixbook(account.accountId, identityId, d.collectionId);
    for (let n = 1; n <= limits.coldReadReceipts; n++) await ledger.save(book, { n });
    const world = coldWorld(ledger);
    const reads = world.open();
    expect(await reads.begin().book(book)).toBeNull();
    await world.put(book, limits.coldReadReceipts - 10);
    expect(told(await reads.begin().book(book))).toBe(told(world.bookAt(book, limits.coldReadReceipts)));
    expect(reads.outcomes).toEqual(['absent', 'read-too-far', 'used']);
  });
});

describe('the operator’s key', () => {
  it('that was retired signs no snapshot any more, and the new one does', async () => {
    const ledger = await fixtureLedger();
    const owner = userId('owner');
    const account = await ledger.createAccount(owner);
    const identityId = await ledger.createIdentity(account.accountId, owner);
    const book = await ledger.createPixbook(account.accountId, identityId, d.collectionId);
    await ledger.save(book, { n: 1 });
    const early = coldWorld(ledger);
    await early.put(book, 1);
    expect(await early.open().snapshot(book)).not.toBeNull();
    await ledger.rotateKey(OPERATOR_ACCOUNT_ID, OPERATOR_IDENTITY_ID, owner);
    const world = coldWorld(ledger);
    world.objects.set(snapshotKeyOf(book), await world.seal(world.bookAt(book, 1), world.operatorKey(1)));
    const reads = world.open();
    expect(await reads.snapshot(book)).toBeNull();
    await world.put(book, 1);
    expect(told(await reads.snapshot(book))).toBe(told(world.bookAt(book, 1)));
    expect(reads.outcomes).toEqual(['key-not-current', 'used']);
  });
});

describe('a book that no snapshot has room for', () => {
  it('is not sealed, nor signed', async () => {
    const world = coldWorld(d.ledger);
    const book = world.bookAt(d.a.book, 3);
    const filled = (chars: number): BookAt => ({ ...book, shown: { ...book.shown, state: { filled: 'x'.repeat(chars) } } });
    let signed = 0;
    const signer = {
      sign: (name: KeyName, message: Uint8Array) => {
        signed += 1;
        return world.signWith(name, message);
      },
    };
    const seal = (chars: number) => sealSnapshot({ signer, clock: systemClock }, world.operatorKey(), filled(chars));
    expect(await seal(limits.snapshotBytes)).toEqual({ ok: false, error: { code: 'too-large' } });
    expect(signed).toBe(0);
    const smallest = await seal(0);
    if (!smallest.ok) throw new Error(smallest.error.code);
    const room = limits.snapshotBytes - smallest.value.length;
    expect(await seal(room + 1)).toEqual({ ok: false, error: { code: 'too-large' } });
    const largest = await seal(room);
    world.objects.set(snapshotKeyOf(d.a.book), largest.ok ? largest.value : new Uint8Array());
    expect((await world.open().snapshot(d.a.book))?.shown.state).toEqual({ filled: 'x'.repeat(room) });
  });
});
