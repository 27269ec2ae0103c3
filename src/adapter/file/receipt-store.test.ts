import { link, mkdir, readFile, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Outage } from '../../port/outage.ts';
import { room } from './room.fixture.ts';

const { directory, open } = room();
const bytes = Buffer.from('{"a":1}');
const KEY = 'pixpax/accounts/acc_1/events/e.json';

describe('the file of an object', () => {
  it('is the object, byte for byte, under the path that is its key, and not writable', async () => {
    const root = await directory();
    const store = await open(root);
    await store.create(KEY, bytes);
    expect(await readFile(join(root, KEY))).toEqual(bytes);
    expect((await stat(join(root, KEY))).mode & 0o222).toBe(0);
  });

  it('has one link and no temporary file beside it once the store is closed', async () => {
    const root = await directory();
    const store = await open(root);
    await Promise.all(Array.from({ length: 40 }, (_, at) => store.create(`a/${at % 30}.json`, bytes)));
    await store.close();
    expect(await readdir(join(root, '.tmp'))).toEqual([]);
    expect((await stat(join(root, 'a/0.json'))).nlink).toBe(1);
  });

  it('is read and listed as it is when its writer died before it removed the second link', async () => {
    const root = await directory();
    const store = await open(root);
    await store.create(KEY, bytes);
    await link(join(root, KEY), join(root, '.tmp', 'left-behind'));
    expect(await store.read(KEY)).toEqual(bytes);
    expect(await store.exists(KEY)).toBe(true);
    expect(await store.list({ prefix: '', limit: 10 })).toEqual([KEY]);
    expect(await store.create(KEY, bytes)).toBe('exists');
  });
});

describe('several stores on one directory', () => {
  it('see each other, and one of their rival creates wins', async () => {
    const root = await directory();
    const [first, second] = [await open(root), await open(root)];
    for (let round = 0; round < 50; round += 1) {
      const key = `streams/${round % 7}/events/${round}.json`;
      const outcomes = await Promise.all([first.create(key, Buffer.from('first')), second.create(key, Buffer.from('second'))]);
      expect(outcomes.toSorted()).toEqual(['created', 'exists']);
      const winner = outcomes[0] === 'created' ? 'first' : 'second';
      expect([`${await first.read(key)}`, `${await second.read(key)}`]).toEqual([winner, winner]);
    }
  });

  it('do not sweep what another one is writing', async () => {
    const root = await directory();
    const writer = await open(root);
    const keys = Array.from({ length: 60 }, (_, at) => `busy/${at}.json`);
    const creates = Promise.all(keys.map((key) => writer.create(key, bytes)));
    for (let round = 0; round < 5; round += 1) await open(root);
    expect(await creates).toEqual(keys.map(() => 'created'));
  });
});

describe('a read-only store', () => {
  it('reads and lists, blocking or not, and changes nothing on disk', async () => {
    const root = await directory();
    const writer = await open(join(root, 'receipts'));
    await writer.create(KEY, bytes);
    await writer.close();
    await rm(join(root, 'receipts/.tmp'), { recursive: true });
    for (const blockingReads of [true, false]) {
      const store = await open(join(root, 'receipts'), { readOnly: true, blockingReads });
      expect(await store.read(KEY)).toEqual(bytes);
      expect(await store.read('none.json')).toBeNull();
      expect(await store.exists(KEY)).toBe(true);
      expect(await store.list({ prefix: '', limit: 10 })).toEqual([KEY]);
      await expect(store.create('x.json', bytes)).rejects.toMatchObject({ code: 'store-refused' });
      await expect(store.discard('qualification/x.json')).rejects.toMatchObject({ code: 'store-refused' });
    }
    expect(await readdir(join(root, 'receipts'))).toEqual(['pixpax']);
  });

  it('is refused where there is no directory', async () => {
    const root = await directory();
    await expect(open(join(root, 'none'), { readOnly: true })).rejects.toMatchObject({ code: 'store-unavailable' });
    await writeFile(join(root, 'file'), 'x');
    await expect(open(join(root, 'file'), { readOnly: true })).rejects.toMatchObject({ code: 'store-refused' });
  });
});

describe('a directory that is not as it should be', () => {
  it('is made when it is missing, parents too', async () => {
    const root = await directory();
    const store = await open(join(root, 'a/b/c'));
    expect(await store.create(KEY, bytes)).toBe('created');
  });

  it('is named in the error when a file is in its place', async () => {
    const root = await directory();
    await writeFile(join(root, 'file'), 'x');
    const refused = open(join(root, 'file'));
    await expect(refused).rejects.toThrow(Outage);
    await expect(refused).rejects.toThrow(`${root}/file`);
    await expect(open(join(root, 'file/below'))).rejects.toMatchObject({ code: 'store-refused' });
  });

  it('may lose an emptied directory between two creates', async () => {
    const root = await directory();
    const store = await open(root);
    await store.create('a/b/1.json', bytes);
    await rm(join(root, 'a'), { recursive: true });
    expect(await store.create('a/b/2.json', bytes)).toBe('created');
    expect(await store.list({ prefix: '', limit: 10 })).toEqual(['a/b/2.json']);
  });

  it('is not begun anew when the whole store went away under a running process', async () => {
    const root = await directory();
    const store = await open(join(root, 'receipts'));
    await store.create('a/1.json', bytes);
    await rm(join(root, 'receipts'), { recursive: true });
    await mkdir(join(root, 'receipts'));
    await expect(store.create('a/2.json', bytes)).rejects.toMatchObject({ code: 'store-unavailable' });
  });

  it('answers neither "created" nor "exists" for a key that is taken by a directory', async () => {
    const store = await open(await directory());
    await store.create('a/b.json', bytes);
    await expect(store.create('a', bytes)).rejects.toMatchObject({ code: 'store-refused' });
    await expect(store.create('a/b.json/c.json', bytes)).rejects.toMatchObject({ code: 'store-refused' });
    expect(await store.list({ prefix: '', limit: 10 })).toEqual(['a/b.json']);
  });

  it('holds no objects in symbolic links, so a directory from a stranger cannot lead a verifier astray', async () => {
    const root = await directory();
    const store = await open(root);
    await store.create('a/b.json', bytes);
    await symlink(join(root, 'a/b.json'), join(root, 'a/link.json'));
    await symlink('/', join(root, 'a/root'));
    expect(await store.read('a/link.json')).toBeNull();
    expect(await store.exists('a/link.json')).toBe(false);
    expect(await store.list({ prefix: '', limit: 10 })).toEqual(['a/b.json']);
  });

  it('cannot make a reader hold a file larger than any object of ours', async () => {
    const root = await directory();
    const store = await open(root);
    await writeFile(join(root, 'huge.json'), Buffer.alloc(17 * 1024 * 1024));
    await expect(store.read('huge.json')).rejects.toMatchObject({ code: 'store-refused' });
  });
});
