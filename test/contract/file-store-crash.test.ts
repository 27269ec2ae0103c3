import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openFileStore } from '../../src/adapter/file/receipt-store.ts';
import type { ReceiptStore } from '../../src/port/receipt-store.ts';

const program = join(import.meta.dirname, 'creating-process.ts');
let directory: string;
const children: ChildProcess[] = [];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'crash '));
});
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await rm(directory, { recursive: true });
});

/** Starts a creating process, kills it in the middle of its work, and answers the keys that it had acknowledged. */
const createUntilKilled = async (name: string, acknowledgements: number): Promise<string[]> => {
  const child = spawn(process.execPath, [program, directory, name], { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  const ended = new Promise((resolve) => child.once('close', resolve));
  let printed = '';
  for await (const chunk of child.stdout) {
    printed += chunk;
    if (printed.split('\n').length > acknowledgements) child.kill('SIGKILL');
  }
  await ended;
  expect(child.signalCode).toBe('SIGKILL');
  return printed.split('\n').slice(0, -1);
};

const allKeys = async (store: ReceiptStore): Promise<string[]> => {
  const keys: string[] = [];
  for (;;) {
    const page = await store.list({ prefix: '', limit: 1000, startAfter: keys.at(-1) ?? '' });
    keys.push(...page);
    if (page.length < 1000) return keys;
  }
};

const expectWhole = async (store: ReceiptStore, acknowledged: readonly string[]): Promise<void> => {
  const keys = await allKeys(store);
  expect(keys).toEqual(expect.arrayContaining([...acknowledged]));
  for (const key of keys) {
    expect(Buffer.from((await store.read(key)) ?? []).toString(), key).toBe(key.repeat(100));
    expect((await stat(join(directory, key))).nlink, key).toBe(1);
  }
};

describe('a file store whose process is killed while it creates', () => {
  it('keeps every acknowledged object whole, shows no partial one, and is swept when it is opened again', async () => {
    const acknowledged: string[] = [];
    for (let life = 0; life < 5; life += 1) acknowledged.push(...(await createUntilKilled(`life-${life}`, 40 + 37 * life)));
    const store = await openFileStore(directory);
    expect(await readdir(join(directory, '.tmp'))).toEqual([]);
    await expectWhole(store, acknowledged);
    expect(await store.create(acknowledged[0] ?? '', Buffer.from('other'))).toBe('exists');
    await store.close();
  });

  it('does not disturb another process at work in the same directory', async () => {
    const store = await openFileStore(directory);
    const work = async (): Promise<string[]> => {
      const keys = Array.from({ length: 300 }, (_, at) => `survivor/${at % 3}/events/${at}.json`);
      for (const key of keys) expect(await store.create(key, Buffer.from(key.repeat(100)))).toBe('created');
      return keys;
    };
    const [survivor, ...killed] = await Promise.all([work(), createUntilKilled('a', 60), createUntilKilled('b', 90)]);
    await store.close();
    const again = await openFileStore(directory);
    expect(await readdir(join(directory, '.tmp'))).toEqual([]);
    await expectWhole(again, [...survivor, ...killed.flat()]);
    await again.close();
  });
});
