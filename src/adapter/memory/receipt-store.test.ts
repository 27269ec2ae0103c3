import { expect, it } from 'vitest';
import { memoryStore } from './receipt-store.ts';

it('shares its objects with another store on the same bucket, and outlives the first', async () => {
  const objects = new Map<string, Uint8Array>();
  const first = memoryStore(objects);
  await first.create('a.json', Buffer.from('a'));
  await first.close();
  expect(Buffer.from((await memoryStore(objects).read('a.json')) ?? []).toString()).toBe('a');
});

it('keeps its own copy of the bytes, given and handed out', async () => {
  const store = memoryStore();
  const given = Buffer.from('a');
  await store.create('a.json', given);
  given[0] = 0;
  const handedOut = await store.read('a.json');
  handedOut?.fill(0);
  expect(Buffer.from((await store.read('a.json')) ?? []).toString()).toBe('a');
});
