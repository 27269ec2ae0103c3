import { randomBytes, randomUUID } from 'node:crypto';
import pMap from 'p-map';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { qualifyStore } from '../../src/command/qualify.ts';
import { limits } from '../../src/limits.ts';
import { systemClock } from '../../src/port/clock.ts';
import { Outage } from '../../src/port/outage.ts';
import type { ReceiptStore } from '../../src/port/receipt-store.ts';
import { ok } from '../../src/result.ts';
import { describeListing } from './receipt-store-listing.ts';

/** A store to try, which may hold objects of others, and how to leave no trace of it. */
export type OpenedStore = { readonly store: ReceiptStore; readonly cleanup: () => Promise<void> };

export type ContractSize = {
  /** Rounds in which `rivals` writers race for one key. */
  readonly races: number;
  readonly rivals: number;
  /** Objects of the tests of paging. */
  readonly objects: number;
};

const text = (value: string): Uint8Array => Buffer.from(value);
const bytesOf = (value: Uint8Array | null): Buffer | null => value && Buffer.from(value);

/** Fixed, and of no pixbook: what may be replaced may not be discarded, so a bucket in use keeps these two objects. */
const DERIVED = 'pixpax/pixbooks/contract/one/snapshot.json';
const OTHER_DERIVED = 'pixpax/pixbooks/contract/other/snapshot.json';

/**
 * The contract of `port/receipt-store.ts`, sentence by sentence, for any adapter. Everything happens under a fresh prefix, so
 * it may run against a bucket that is in use.
 */
export const describeReceiptStore = (name: string, open: () => Promise<OpenedStore>, size: ContractSize): void => {
  describe(`the receipt store contract on ${name}`, () => {
    let opened: OpenedStore;
    let store: ReceiptStore;
    let prefix: string;

    beforeEach(async () => {
      opened = await open();
      store = opened.store;
      prefix = `qualification/contract-${randomUUID()}/`;
    });
    afterEach(async () => {
      const keys = await listAll(prefix, 1000).catch(() => []);
      await pMap(keys, (key) => store.discard(key), { concurrency: 64 });
      await opened.cleanup();
    });

    /** Pages through everything under `under`, as every reader does. */
    const listAll = async (under: string, limit: number): Promise<string[]> => {
      const keys: string[] = [];
      for (;;) {
        const last = keys.at(-1);
        const page = await store.list({ prefix: under, limit, ...(last === undefined ? {} : { startAfter: last }) });
        keys.push(...page);
        if (page.length < limit) return keys;
      }
    };

    const createAll = async (keys: readonly string[]): Promise<void> => {
      const outcomes = await pMap(keys, (key) => store.create(key, text(key)), { concurrency: 64 });
      expect(outcomes).toEqual(keys.map(() => 'created'));
    };

    it('gives back exactly the bytes it was given', async () => {
      const bodies: [string, Uint8Array][] = [
        ['empty', new Uint8Array()],
        ['all', Uint8Array.from({ length: 256 }, (_, byte) => byte)],
        ['text', text('{"name":"Ä œuvre — 漢字 🂡","line":"\\r\\n"}\r\n')],
        ['large', randomBytes(limits.receiptBytes)],
        ['larger', randomBytes(1024 * 1024)],
        ['view', Buffer.from('....inside....').subarray(4, 10)],
      ];
      for (const [label, bytes] of bodies) {
        expect(await store.create(`${prefix}${label}.json`, bytes)).toBe('created');
        expect(bytesOf(await store.read(`${prefix}${label}.json`))).toEqual(Buffer.from(bytes));
      }
    });

    it('answers null and false for what is not there', async () => {
      await store.create(`${prefix}a/b.json`, text('b'));
      for (const key of ['none.json', 'a', 'a/b', 'a/b.json/c', 'a/b.jsonx']) {
        expect(await store.read(prefix + key)).toBeNull();
        expect(await store.exists(prefix + key)).toBe(false);
      }
    });

    it('shows an object to read, exists and list as soon as create has answered', async () => {
      for (let round = 0; round < 20; round += 1) {
        const key = `${prefix}fresh/${round}.json`;
        await store.create(key, text(key));
        const [bytes, exists, listed] = await Promise.all([
          store.read(key),
          store.exists(key),
          store.list({ prefix: key, limit: 1 }),
        ]);
        expect([bytesOf(bytes)?.toString(), exists, listed]).toEqual([key, true, [key]]);
      }
    });

    it('refuses a second create and leaves the object as it was', async () => {
      const key = `${prefix}once.json`;
      expect(await store.create(key, text('first'))).toBe('created');
      expect(await store.create(key, text('second, and longer'))).toBe('exists');
      expect(await store.create(key, text('first'))).toBe('exists');
      expect(bytesOf(await store.read(key))?.toString()).toBe('first');
    });

    it('lets exactly one of many concurrent creates win, whose bytes are the ones stored', { timeout: 600_000 }, async () => {
      for (let round = 0; round < size.races; round += 1) {
        const key = `${prefix}race-${round}.json`;
        const outcomes = await Promise.all(
          Array.from({ length: size.rivals }, (_, rival) => store.create(key, text(`rival ${rival} of round ${round}`))),
        );
        expect(outcomes.filter((outcome) => outcome === 'created')).toHaveLength(1);
        const winner = outcomes.indexOf('created');
        expect(bytesOf(await store.read(key))?.toString()).toBe(`rival ${winner} of round ${round}`);
      }
    });

    it('never shows part of an object to those who read while it is made', async () => {
      const bytes = randomBytes(256 * 1024);
      const key = `${prefix}whole.json`;
      let done = false;
      const watch = async (): Promise<void> => {
        while (!done) {
          const seen = await store.read(key);
          if (seen !== null) expect(Buffer.compare(seen, bytes)).toBe(0);
        }
      };
      const create = store.create(key, bytes).finally(() => {
        done = true;
      });
      await Promise.all([create, watch(), watch(), watch()]);
      expect(bytesOf(await store.read(key))).toEqual(bytes);
    });

    it('makes many objects at once', async () => {
      const keys = Array.from({ length: 64 }, (_, at) => `${prefix}stream-${at % 8}/events/${at}.json`);
      await createAll(keys);
      for (const key of keys) expect(bytesOf(await store.read(key))?.toString()).toBe(key);
    });

    describeListing({ prefix: () => prefix, store: () => store, createAll, listAll, objects: size.objects });

    it('discards scratch objects, and a discarded key can be made again', async () => {
      const key = `${prefix}scratch/deep/x.json`;
      await store.create(key, text('x'));
      await store.discard(key);
      await store.discard(key);
      expect([await store.exists(key), await store.list({ prefix, limit: 10 })]).toEqual([false, []]);
      expect(await store.create(key, text('y'))).toBe('created');
      expect(bytesOf(await store.read(key))?.toString()).toBe('y');
    });

    it('discards segments, and nothing beside them', async () => {
      const nonce = randomUUID();
      const keys = [`segments/data/contract-${nonce}.zst`, `segments/index/contract-${nonce}.json`];
      await createAll(keys);
      const [first = '', second = ''] = keys;
      await store.discard(first);
      expect([await store.exists(first), await store.exists(second)]).toEqual([false, true]);
      await store.discard(second);
      expect(await store.list({ prefix: `segments/index/contract-${nonce}`, limit: 10 })).toEqual([]);
      expect(await store.create(second, text('again'))).toBe('created');
      await store.discard(second);
    });

    it('discards nothing else', async () => {
      for (const key of [
        'pixpax/accounts/a/events/x.json',
        `art/sha256/${'0'.repeat(64)}`,
        'qualification',
        'qualificationx/y',
        'qualification/../pixpax/a.json',
        'segments',
        'segmentsx/y',
        'segments/../pixpax/a.json',
      ])
        await expect(store.discard(key)).rejects.toThrow(TypeError);
    });

    it('puts a derived object in the place of another, and shows it to read, exists and list at once', async () => {
      for (const body of [randomBytes(1024), new Uint8Array(), randomBytes(1024 * 1024), Buffer.from('..in..').subarray(2, 4)]) {
        await store.replaceDerived(DERIVED, body);
        const [bytes, exists, listed] = await Promise.all([
          store.read(DERIVED),
          store.exists(DERIVED),
          store.list({ prefix: DERIVED, limit: 10 }),
        ]);
        expect([bytesOf(bytes), exists, listed]).toEqual([Buffer.from(body), true, [DERIVED]]);
      }
      // Its key is taken for whoever would make it.
      expect(await store.create(DERIVED, text('other'))).toBe('exists');
    });

    it('shows a derived object whole, old or new, to those who read while many put theirs in its place', async () => {
      const bodies = Array.from({ length: 16 }, () => randomBytes(128 * 1024));
      const [first] = bodies;
      await store.replaceDerived(OTHER_DERIVED, first ?? new Uint8Array());
      let done = false;
      const isOneOfThem = (seen: Uint8Array | null): boolean =>
        bodies.some((body) => Buffer.compare(body, seen ?? new Uint8Array()) === 0);
      const watch = async (): Promise<void> => {
        while (!done) expect(isOneOfThem(await store.read(OTHER_DERIVED))).toBe(true);
      };
      const writes = Promise.all(bodies.map((body) => store.replaceDerived(OTHER_DERIVED, body))).finally(() => {
        done = true;
      });
      await Promise.all([writes, watch(), watch()]);
      expect(isOneOfThem(await store.read(OTHER_DERIVED))).toBe(true);
    });

    it('replaces no receipt, nor anything else that is not derived', async () => {
      const key = `${prefix}pixpax/pixbooks/a/b/events/x.json`;
      await store.create(key, text('the truth'));
      for (const refused of [
        key,
        'pixpax/pixbooks/a/b/events/x.json',
        'pixpax/pixbooks/a/b/events/snapshot.json',
        'pixpax/accounts/a/events/x.json',
        'pixpax/accounts/a/snapshot.json',
        'pixpax/pixbooks/a/b/c/snapshot.json',
        'pixpax/pixbooks/a/../snapshot.json',
        'pixpax/pixbooks/a/b/snapshot.jsonx',
        'pixpax/pixbooks/a/b/snapshot.json/events/x.json',
        'x/pixpax/pixbooks/a/b/snapshot.json',
        'qualification/x.json',
        '',
      ])
        await expect(store.replaceDerived(refused, text('a lie'))).rejects.toThrow(TypeError);
      expect(bytesOf(await store.read(key))?.toString()).toBe('the truth');
    });

    it.each([
      ['nothing', ''],
      ['a slash', '/'],
      ['an absolute path', '/absolute'],
      ['an empty segment', 'a//b'],
      ['an empty last segment', 'a/'],
      ['a dot', 'a/./b'],
      ['two dots', 'a/../b'],
      ['only two dots', '..'],
      ['a NUL', 'a\0b'],
      ['a backslash', 'a\\b'],
      ['a lone surrogate', '\ud800.json'],
      ['the reserved corner', '.tmp/x'],
      ['more than 1024 bytes', Array.from({ length: 103 }, () => 'x'.repeat(9)).join('/')],
      ['a segment of more than 255 bytes', 'ä'.repeat(128)],
    ])('refuses %s as a key, for the bug it is', async (_, key) => {
      await expect(store.create(key, text('x'))).rejects.toThrow(TypeError);
      await expect(store.read(key)).rejects.toThrow(TypeError);
      await expect(store.exists(key)).rejects.toThrow(TypeError);
    });

    it.each([0, -1, 1001, 1.5, Number.NaN])('refuses a page of %d keys, for the bug it is', async (limit) => {
      await expect(store.list({ prefix, limit })).rejects.toThrow(TypeError);
      await expect(store.survey({ prefix, limit })).rejects.toThrow(TypeError);
    });

    it('passes the start-up qualification and leaves nothing behind', async () => {
      const nonce = `contract-${randomUUID()}`;
      expect(await qualifyStore(store, systemClock, nonce)).toEqual(ok(undefined));
      expect(await store.list({ prefix: `qualification/${nonce}/`, limit: 10 })).toEqual([]);
    });

    it('throws Outage after it was closed', async () => {
      await store.close();
      const key = `${prefix}late.json`;
      const page = { prefix, limit: 1 };
      for (const late of [
        store.create(key, text('x')),
        store.replaceDerived(DERIVED, text('x')),
        store.read(key),
        store.exists(key),
        store.list(page),
        store.survey(page),
      ])
        await expect(late).rejects.toThrow(Outage);
    });
  });
};
