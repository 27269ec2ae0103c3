import { isDeepStrictEqual } from 'node:util';
import { expect, it } from 'vitest';
import { compareKeys } from '../../src/port/key-order.ts';
import type { ReceiptStore } from '../../src/port/receipt-store.ts';

/** What the tests of listing borrow from the suite around them: the store and prefix of the test that runs. */
export type ListingBench = {
  readonly store: () => ReceiptStore;
  readonly prefix: () => string;
  readonly createAll: (keys: readonly string[]) => Promise<void>;
  readonly listAll: (under: string, limit: number) => Promise<string[]>;
  readonly objects: number;
};

/** The part of the contract that is about order and paging. */
export const describeListing = ({ store, prefix, createAll, listAll, objects }: ListingBench): void => {
  it('lists by the bytes of whole keys, not by directories', async () => {
    const names = [
      'a!.json',
      'a',
      'a-b.json',
      'a.json',
      'a.json.d/x.json',
      'a/.json',
      'a/A.json',
      'a/a.json',
      'a/b/c.json',
      'a/b0.json',
      'a/b.json',
      'a0.json',
      'aa/a.json',
      'B.json',
      'b.json',
      '_.json',
      '~.json',
      'z/..json',
      'ä.json',
      '漢.json',
      '\uffee.json',
      '\u{1f0a1}.json',
      'with space+plus&amp;%20.json',
    ].filter((name) => name !== 'a');
    const keys = names.map((name) => prefix() + name);
    await createAll(keys);
    expect(await store().list({ prefix: prefix(), limit: 1000 })).toEqual(
      [...keys].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))),
    );
  });

  it('lists only what begins with the prefix, wherever the prefix ends', async () => {
    const names = ['p/a.json', 'p/ab.json', 'p/a/x.json', 'p/b.json', 'pa.json', 'pp/x.json', 'q.json'];
    await createAll(names.map((name) => prefix() + name));
    const under = async (part: string): Promise<string[]> =>
      (await store().list({ prefix: prefix() + part, limit: 1000 })).map((key) => key.slice(prefix().length));
    expect(await under('p/a')).toEqual(['p/a.json', 'p/a/x.json', 'p/ab.json']);
    expect(await under('p')).toEqual(['p/a.json', 'p/a/x.json', 'p/ab.json', 'p/b.json', 'pa.json', 'pp/x.json']);
    expect(await under('p/b.json')).toEqual(['p/b.json']);
    expect(await under('p/b.json/')).toEqual([]);
    expect(await under('nothing')).toEqual([]);
    expect(await under('')).toHaveLength(names.length);
  });

  it('goes on strictly after any key, there or not, in pages of any size', async () => {
    const names = ['a.json', 'a/1.json', 'a/2.json', 'a/b/1.json', 'a0.json', 'b/1.json', 'c-.json', 'c.json', 'c/1.json'];
    const keys = names.map((name) => prefix() + name);
    await createAll(keys);
    const positions = [
      ...keys,
      `${prefix()}a`,
      `${prefix()}a/`,
      `${prefix()}a/1.jsoz`,
      `${prefix()}a/b`,
      `${prefix()}a/zz`,
      `${prefix()}b0`,
    ];
    for (const startAfter of [...positions, `${prefix()}!`, `${prefix()}~`, '!', '~']) {
      const expected = keys.filter((key) => compareKeys(key, startAfter) > 0);
      for (const limit of [1, 3, 1000])
        expect(await store().list({ prefix: prefix(), startAfter, limit }), startAfter).toEqual(expected.slice(0, limit));
    }
  });

  it('pages through many objects without loss or repetition, new ones included', { timeout: 600_000 }, async () => {
    const made = Array.from({ length: objects }, (_, at) => `${prefix()}${at % 5}/events/${at}.json`);
    await createAll(made);
    const sorted = [...made].sort(compareKeys);
    for (const limit of [7, 100, 1000]) expect(await listAll(prefix(), limit)).toEqual(sorted);
    const first = await store().list({ prefix: prefix(), limit: 10 });
    const late = `${prefix()}5/late.json`;
    await store().create(late, Buffer.from('late'));
    const rest = await store().list({ prefix: prefix(), startAfter: first.at(-1) ?? '', limit: 1000 });
    expect([...first, ...rest]).toEqual([...sorted, late].slice(0, 1010));
  });

  it('surveys what it lists, page by page, each key with a tag', async () => {
    const keys = Array.from({ length: 12 }, (_, at) => `${prefix()}${at % 3}/events/${at}.json`);
    await createAll(keys);
    for (const limit of [5, 1000])
      for (const startAfter of [`${prefix()}!`, `${prefix()}1/`, `${prefix()}~`]) {
        const request = { prefix: prefix(), startAfter, limit };
        const surveyed = await store().survey(request);
        expect(surveyed.map(({ key }) => key)).toEqual(await store().list(request));
        for (const { tag } of surveyed) expect(tag).toMatch(/^[^\0]+$/);
      }
  });

  it('gives an object another tag when it is another one, and the same as long as it is not', { timeout: 30_000 }, async () => {
    const [kept, changed] = [`${prefix()}kept.json`, `${prefix()}changed.json`];
    await createAll([kept, changed]);
    const tags = async () => {
      const surveyed = await store().survey({ prefix: prefix(), limit: 10 });
      return new Map(surveyed.map(({ key, tag }) => [key, tag]));
    };
    // At first a store may be unable to tell: then it says something else each time.
    await expect.poll(async () => isDeepStrictEqual(await tags(), await tags()), { timeout: 20_000 }).toBe(true);
    const before = await tags();
    await store().discard(changed);
    await store().create(changed, Buffer.from('x'.repeat(changed.length)));
    const after = await tags();
    expect(after.get(kept)).toBe(before.get(kept));
    expect(after.get(changed)).not.toBe(before.get(changed));
  });
};
