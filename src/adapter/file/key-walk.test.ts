import { mkdir, readdir, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { limits } from '../../limits.ts';
import { compareKeys } from '../../port/key-order.ts';
import { directoryReader } from './directory-reader.ts';
import { keyPage } from './key-walk.ts';
import { room } from './room.fixture.ts';

const { directory } = room();

const plant = async (root: string, keys: readonly string[]): Promise<void> => {
  for (const key of keys) {
    await mkdir(dirname(join(root, key)), { recursive: true });
    await writeFile(join(root, key), '');
  }
};

describe('a page of keys', () => {
  it('is what filtering and sorting all keys gives, for any tree, prefix, start and limit', async () => {
    const folder = fc.constantFrom('a', 'a!', 'a0', 'aa', 'B', 'b', '-', '~', 'é', '\uffee', '\u{1f0a1}');
    const file = fc.tuple(folder, fc.constantFrom('.json', '-.json', '0.json', '.j')).map((parts) => parts.join(''));
    const key = fc.tuple(fc.array(folder, { maxLength: 3 }), file).map(([path, name]) => [...path, name].join('/'));
    const probe = fc.oneof(
      key,
      fc.string({ maxLength: 3 }),
      fc.tuple(key, fc.nat(12)).map(([text, length]) => text.slice(0, length)),
    );
    const cases = fc.array(fc.tuple(probe, fc.option(probe, { nil: undefined }), fc.integer({ min: 1, max: 8 })), {
      minLength: 20,
    });

    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(key, { minLength: 1, maxLength: 25 }), cases, async (keys, requests) => {
        const root = await directory();
        await plant(root, keys);
        for (const [prefix, startAfter, limit] of requests) {
          if (!prefix.isWellFormed() || !(startAfter ?? '').isWellFormed()) continue;
          const request = { prefix, limit, ...(startAfter === undefined ? {} : { startAfter }) };
          const expected = keys
            .filter((each) => each.startsWith(prefix) && (startAfter === undefined || compareKeys(each, startAfter) > 0))
            .sort(compareKeys)
            .slice(0, limit);
          expect(await keyPage(root, directoryReader(Date.now), request), JSON.stringify(request)).toEqual(expected);
        }
      }),
      { numRuns: 25 },
    );
  });

  it('reads no directory that lies wholly before its start or beyond its end', async () => {
    const root = await directory();
    await plant(root, ['a/1.json', 'b/1.json', 'b/2.json', 'c/1.json', 'd/1.json', 'bb/1.json']);
    const seen: string[] = [];
    const reader = directoryReader(Date.now);
    const watched = (path: string): Promise<readonly string[]> => {
      seen.push(path.slice(root.length));
      return reader(path);
    };
    const page = await keyPage(root, watched, { prefix: '', startAfter: 'b/1.json', limit: 2 });
    expect(page).toEqual(['b/2.json', 'bb/1.json']);
    expect(seen).toEqual(['', '/b/', '/bb/']);
  });

  it.each(['../', '/', 'a//', './', 'a/../', '.tmp/', '\0/'])(
    'is empty for the prefix %j, which no key can have',
    async (prefix) => {
      const root = await directory();
      await plant(root, ['a/1.json', '.tmp/x']);
      expect(await keyPage(join(root, 'a'), directoryReader(Date.now), { prefix, limit: 10 })).toEqual([]);
      expect(await keyPage(root, directoryReader(Date.now), { prefix, limit: 10 })).toEqual([]);
    },
  );
});

describe('a large directory', () => {
  const names = Array.from({ length: limits.listPageKeys + 5 }, (_, at) => `${at}.json`);
  const later = (): number => Date.now() + 60_000;

  it('is remembered only when it has been at rest, and then not read again', async () => {
    const root = await directory();
    await plant(root, names);
    const hasty = directoryReader(Date.now);
    expect(await hasty(root)).not.toBe(await hasty(root));
    const patient = directoryReader(later);
    expect(await patient(root)).toBe(await patient(root));
    expect(await patient(root)).toEqual((await readdir(root)).sort(compareKeys));
  });

  it('is read again as soon as anything in it changed, even if somebody sets its time back', async () => {
    const root = await directory();
    await plant(root, names);
    const reader = directoryReader(later);
    const before = await reader(root);
    const then = new Date(Date.now() - 100_000);
    await utimes(root, then, then);
    await reader(root);
    await plant(root, ['zz.json']);
    await utimes(root, then, then);
    expect(await reader(root)).toHaveLength(before.length + 1);
  });
});
