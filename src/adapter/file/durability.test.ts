import { link, mkdir, readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { Outage } from '../../port/outage.ts';
import { calls } from './file-calls.ts';
import { room } from './room.fixture.ts';

/**
 * What survives loss of power cannot be tried here, but what is asked of the operating system, and in which order, can be
 * watched: the real calls are made, and noted when they have come back.
 */
const { directory, open } = room();
const bytes = Buffer.from('{"a":1}');

const watch = (root: string) => {
  const log: string[] = [];
  const pathOf = new Map<number, string>();
  const name = (path: unknown): string =>
    String(path)
      .replace(root, '')
      .replace(/^\/\.tmp\/.*/, 'temporary');
  const real = { ...calls };
  vi.spyOn(calls, 'open').mockImplementation(async (path, ...rest) => {
    const descriptor = await real.open(path, ...rest);
    pathOf.set(descriptor, name(path));
    return descriptor;
  });
  vi.spyOn(calls, 'fsync').mockImplementation(async (descriptor) => {
    await real.fsync(descriptor);
    log.push(`fsync ${pathOf.get(descriptor)}`);
  });
  vi.spyOn(calls, 'mkdir').mockImplementation(async (path) => {
    await real.mkdir(path);
    log.push(`mkdir ${name(path)}`);
    return undefined;
  });
  vi.spyOn(calls, 'link').mockImplementation(async (from, to) => {
    await real.link(from, to);
    log.push(`link ${name(to)}`);
  });
  vi.spyOn(calls, 'rename').mockImplementation(async (from, to) => {
    await real.rename(from, to);
    log.push(`rename ${name(from)} to ${name(to)}`);
  });
  vi.spyOn(calls, 'unlink').mockImplementation(async (path) => {
    await real.unlink(path);
    log.push(`unlink ${name(path)}`);
  });
  return log;
};

describe('a create', () => {
  it('answers after the bytes, the name and every new directory are on disk, in an order that no crash can spoil', async () => {
    const root = await directory();
    const store = await open(root);
    const log = watch(root);
    await store.create('a/b/1.json', bytes);
    log.push('created');
    await store.close();

    const at = (entry: string): number => {
      expect(log, entry).toContain(entry);
      return log.indexOf(entry);
    };
    expect(at('fsync temporary')).toBeLessThan(at('link /a/b/1.json'));
    expect(at('mkdir /a')).toBeLessThan(at('fsync '));
    expect(at('mkdir /a/b')).toBeLessThan(at('fsync /a'));
    expect(at('link /a/b/1.json')).toBeLessThan(at('fsync /a/b'));
    for (const entry of ['fsync ', 'fsync /a', 'fsync /a/b']) expect(at(entry)).toBeLessThan(at('created'));
    expect(at('fsync /a/b')).toBeLessThan(at('unlink temporary'));
    expect(log.filter((entry) => entry.startsWith('fsync'))).toHaveLength(4);
  });

  it('costs two fsyncs in a directory that it knows', async () => {
    const root = await directory();
    const store = await open(root);
    await store.create('a/1.json', bytes);
    const log = watch(root);
    await store.create('a/2.json', bytes);
    await store.close();
    expect(log).toEqual(['fsync temporary', 'link /a/2.json', expect.stringMatching(/^fsync/), 'unlink temporary']);
  });

  it('shares the fsync of a directory with others that wait for it', async () => {
    const root = await directory();
    const store = await open(root);
    await store.create('a/first.json', bytes);
    const log = watch(root);
    const descriptors = vi.mocked(calls.fsync);
    await Promise.all(Array.from({ length: 50 }, (_, at) => store.create(`a/${at}.json`, bytes)));
    const ofFiles = log.filter((entry) => entry === 'fsync temporary').length;
    expect(ofFiles).toBe(50);
    expect(descriptors.mock.calls.length - ofFiles).toBeLessThan(50);
  });

  it('makes sure of directories that others made and maybe left unsafe', async () => {
    const root = await directory();
    const store = await open(root);
    await mkdir(join(root, 'a/b'), { recursive: true });
    const log = watch(root);
    await store.create('a/b/1.json', bytes);
    expect(log).toEqual(expect.arrayContaining(['fsync ', 'fsync /a', 'fsync /a/b']));
  });

  it('answers "exists" only after what exists is on disk, whoever put it there', async () => {
    const root = await directory();
    const [first, second] = [await open(root), await open(root)];
    await first.create('a/1.json', bytes);
    const log = watch(root);
    expect(await second.create('a/1.json', bytes)).toBe('exists');
    expect(log).toContain('fsync /a');
  });
});

describe('a derived object that replaces another', () => {
  const key = 'pixpax/pixbooks/a/b/snapshot.json';

  it('is on disk, whole, before it takes the name, and the name before the answer', async () => {
    const root = await directory();
    const store = await open(root);
    await store.replaceDerived(key, Buffer.from('old'));
    const log = watch(root);
    await store.replaceDerived(key, bytes);
    log.push('answered');
    await store.close();
    expect(log).toEqual(['fsync temporary', `rename temporary to /${key}`, expect.stringMatching(/^fsync/), 'answered']);
    expect(await readdir(join(root, '.tmp'))).toEqual([]);
  });

  it('leaves the old one, and nothing that the next open would not sweep, when its writer fails or dies before the rename', async () => {
    const root = await directory();
    const store = await open(root);
    await store.replaceDerived(key, bytes);
    const dead = Promise.withResolvers<never>();
    const renamed = vi.spyOn(calls, 'rename').mockReturnValueOnce(dead.promise);
    const unanswered = store.replaceDerived(key, Buffer.from('new')).catch(() => 'died');
    await vi.waitUntil(() => renamed.mock.calls.length === 1);
    // As a process that is gone leaves it.
    const [temporary = ''] = await readdir(join(root, '.tmp'));
    await rename(join(root, '.tmp', temporary), join(root, '.tmp', temporary.replace(/-[0-9a-f]{8}-/, '-00000000-')));
    renamed.mockRejectedValueOnce(Object.assign(new Error('no space'), { code: 'ENOSPC', errno: -28 }));
    await expect(store.replaceDerived(key, Buffer.from('new'))).rejects.toThrow(Outage);
    dead.reject(new Error('died'));
    await unanswered;
    await store.close();
    vi.restoreAllMocks();
    const next = await open(root);
    expect(Buffer.from((await next.read(key)) ?? [])).toEqual(bytes);
    expect(await readdir(join(root, '.tmp'))).toEqual([]);
  });
});

describe('a reader', () => {
  it('settles an object that its writer has not settled, before it hands it out', async () => {
    const root = await directory();
    const store = await open(root);
    await store.create('a/1.json', bytes);
    await store.close();
    await link(join(root, 'a/1.json'), join(root, '.tmp/of-a-dead-process'));
    for (const call of ['read', 'exists'] as const) {
      const reader = await open(root);
      const log = watch(root);
      await reader[call]('a/1.json');
      expect(log, call).toEqual(['fsync /a']);
      vi.restoreAllMocks();
    }
  });

  it('changes nothing on a read-only store, and asks for nothing when there is nothing to settle', async () => {
    const root = await directory();
    const store = await open(root);
    await store.create('a/1.json', bytes);
    await store.close();
    const log = watch(root);
    await (await open(root, { readOnly: true })).read('a/1.json');
    expect(log).toEqual([]);
  });
});

describe('a disk that fails to write a directory', () => {
  it('is not trusted again, because a second fsync would succeed over the loss', async () => {
    const root = await directory();
    const store = await open(root);
    await store.create('a/1.json', bytes);
    const { fsync } = calls;
    const failure = Object.assign(new Error('EIO'), { code: 'EIO', errno: -5 });
    vi.spyOn(calls, 'fsync').mockImplementationOnce(fsync).mockRejectedValueOnce(failure);
    for (const key of ['a/2.json', 'a/2.json', 'b/3.json'])
      await expect(store.create(key, bytes)).rejects.toMatchObject({
        code: 'store-unavailable',
        message: expect.stringContaining('EIO'),
      });
    vi.restoreAllMocks();
    await expect(store.create('a/4.json', bytes)).rejects.toMatchObject({ code: 'store-unavailable' });
    const restarted = await open(root);
    expect(await restarted.create('a/2.json', bytes)).toBe('exists');
  });
});
