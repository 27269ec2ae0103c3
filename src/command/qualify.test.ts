import { describe, expect, it } from 'vitest';
import { memoryStore } from '../adapter/memory/receipt-store.ts';
import { systemClock } from '../port/clock.ts';
import { Outage } from '../port/outage.ts';
import type { ReceiptStore } from '../port/receipt-store.ts';
import { ok } from '../result.ts';
import { qualifyStore } from './qualify.ts';

type Objects = Map<string, Uint8Array>;

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A good store in memory, and the same with some methods gone wrong. */
const broken = (breakIt: (good: ReceiptStore, objects: Objects) => Partial<ReceiptStore>) => {
  const objects: Objects = new Map();
  const good = memoryStore(objects);
  return { objects, store: { ...good, ...breakIt(good, objects) } };
};

const qualify = (store: ReceiptStore) => qualifyStore(store, systemClock, 'test');

describe('a store that keeps the contract', () => {
  it('is qualified, and holds nothing afterwards that it did not hold before', async () => {
    const objects: Objects = new Map([['pixpax/accounts/a/events/e.json', Buffer.from('{}')]]);
    expect(await qualify(memoryStore(objects))).toEqual(ok(undefined));
    expect([...objects.keys()]).toEqual(['pixpax/accounts/a/events/e.json']);
  });

  it('may answer "busy" to rivals, as S3 does', async () => {
    let calls = 0;
    const { store } = broken((good) => ({
      create: async (key, bytes) => {
        calls += 1;
        return key.endsWith('rivals.json') && calls % 2 === 0 ? 'busy' : good.create(key, bytes);
      },
    }));
    expect(await qualify(store)).toEqual(ok(undefined));
  });
});

const BROKEN: readonly [string, RegExp, (good: ReceiptStore, objects: Objects) => Partial<ReceiptStore>][] = [
  [
    'overwrites without a condition',
    /second create .* answered "created" instead of "exists": the condition is ignored/,
    (_, objects) => ({ create: async (key, bytes) => (objects.set(key, bytes) ? 'created' : 'exists') }),
  ],
  [
    'refuses a second create with the same bytes only',
    /second create with other bytes/,
    (_, objects) => ({
      create: async (key, bytes) => {
        if (objects.has(key) && Buffer.compare(objects.get(key) ?? bytes, bytes) === 0) return 'exists';
        objects.set(key, bytes);
        return 'created';
      },
    }),
  ],
  [
    'refuses a second create but overwrites all the same',
    /second create was refused but changed the object/,
    (good, objects) => ({
      create: async (key, bytes) => {
        const outcome = await good.create(key, bytes);
        objects.set(key, bytes);
        return outcome;
      },
    }),
  ],
  [
    'looks before it writes, so that rivals win together',
    /32 concurrent creates had 32 winners instead of exactly one/,
    (_, objects) => ({
      create: async (key, bytes) => {
        const taken = objects.has(key);
        await turn();
        if (taken) return 'exists';
        objects.set(key, bytes);
        return 'created';
      },
    }),
  ],
  [
    'lets a loser of a race overwrite the winner',
    /does not hold the bytes of the one create that won/,
    (good, objects) => ({
      create: async (key, bytes) => {
        const outcome = await good.create(key, bytes);
        if (key.endsWith('rivals.json')) objects.set(key, bytes);
        return outcome;
      },
    }),
  ],
  [
    'lets nobody win a race',
    /32 concurrent creates had 0 winners/,
    (good) => ({ create: async (key, bytes) => (key.endsWith('rivals.json') ? 'exists' : good.create(key, bytes)) }),
  ],
  ['is always busy', /first create .* answered "busy"/, () => ({ create: async () => 'busy' })],
  [
    'reads what was there before',
    /could not be read: reads are not consistent/,
    (good) => {
      const seen = new Set<string>();
      return { read: async (key) => (seen.has(key) ? good.read(key) : seen.add(key) && null) };
    },
  ],
  ['forgets on read', /could not be read/, () => ({ read: async () => null })],
  ['denies what exists', /said not to exist: HEAD/, () => ({ exists: async () => false })],
  ['claims what does not exist', /in use before its first create/, () => ({ exists: async () => true })],
  ['lists late', /missing from the listing: LIST/, () => ({ list: async () => [] })],
  [
    'lists with one object missing',
    /listing right after creates lacked .*a0\.json/,
    (good) => ({ list: async (request) => (await good.list(request)).filter((key) => !key.endsWith('a0.json')) }),
  ],
  [
    'lists more than was asked for',
    /held keys that do not belong there: .*list\.json/,
    (good) => ({
      list: async (request) => good.list({ ...request, prefix: request.prefix.replace(/\/list\/$/, '/list') }),
    }),
  ],
  [
    'lists unsorted',
    /not sorted by the bytes of its keys/,
    (good) => ({ list: async (request) => [...(await good.list(request))].reverse() }),
  ],
  [
    'lists as a tree walk does, a directory beside its name',
    /not sorted by the bytes of its keys/,
    (good) => {
      const asTree = (a: string, b: string): number => (a.replaceAll('/', '\0') < b.replaceAll('/', '\0') ? -1 : 1);
      return { list: async (request) => [...(await good.list(request))].sort(asTree) };
    },
  ],
  [
    'repeats the start key on the next page',
    /paging by start-after repeats or skips keys/,
    (good) => ({
      list: async (request) => {
        const { startAfter, limit } = request;
        const page = await good.list(request);
        return startAfter === undefined ? page : [startAfter, ...page].slice(0, limit);
      },
    }),
  ],
  [
    'skips a key between pages',
    /paging by start-after repeats or skips keys/,
    (good) => ({
      list: async (request) => {
        const page = await good.list({ ...request, limit: 1000 });
        return page.slice(request.startAfter === undefined ? 0 : 1).slice(0, request.limit);
      },
    }),
  ],
  [
    'ignores a start key that is not there',
    /start-after with a key that does not exist/,
    (good, objects) => ({
      list: async ({ prefix, limit, startAfter }) =>
        good.list({ prefix, limit, ...(startAfter !== undefined && objects.has(startAfter) ? { startAfter } : {}) }),
    }),
  ],
  [
    'ends pages early',
    /paging by start-after/,
    (good) => ({ list: async (request) => (await good.list(request)).slice(0, request.limit === 3 ? 2 : request.limit) }),
  ],
  [
    'decodes bytes as text',
    /bytes were altered by the round trip: 256 bytes were written, 512 came back/,
    (good) => ({ create: async (key, bytes) => good.create(key, Buffer.from(Buffer.from(bytes).toString())) }),
  ],
  [
    'flips a bit',
    /bytes were altered by the round trip: byte 200 came back changed/,
    (good) => ({
      read: async (key) => {
        const bytes = await good.read(key);
        if (bytes && bytes.length > 200) bytes[200] = (bytes[200] ?? 0) ^ 1;
        return bytes;
      },
    }),
  ],
  [
    'normalises line ends in text',
    /bytes were altered/,
    (good) => ({
      read: async (key) => {
        const bytes = await good.read(key);
        return bytes && key.endsWith('receipt.json') ? Buffer.from(Buffer.from(bytes).toString().normalize('NFD')) : bytes;
      },
    }),
  ],
];

describe('a store is refused, with a finding that names the fault, when it', () => {
  it.each(BROKEN)('%s', async (_, finding, breakIt) => {
    const { store, objects } = broken(breakIt);
    const verdict = await qualify(store);
    expect(verdict).toEqual({ ok: false, error: { code: 'store-not-qualified', finding: expect.stringMatching(finding) } });
    expect([...objects.keys()]).toEqual([]);
  });
});

describe('a store that cannot be asked', () => {
  it('is an outage, not a verdict, and what was made is cleared away as far as possible', async () => {
    const { store, objects } = broken((good) => ({
      exists: async () => {
        throw new Outage('store', 'store-unavailable', 'down');
      },
      discard: async (key) => {
        if (key.includes('bytes')) throw new Outage('store', 'store-refused', 'no');
        await good.discard(key);
      },
    }));
    await expect(qualify(store)).rejects.toThrow('down');
    expect([...objects.keys()].every((key) => key.includes('bytes'))).toBe(true);
  });

  it('does not hold up the start for ever', async () => {
    const { store } = broken(() => ({ create: () => new Promise(() => undefined), discard: () => new Promise(() => undefined) }));
    const impatient = { ...systemClock, sleep: turn };
    await expect(qualifyStore(store, impatient, 'test')).rejects.toMatchObject({ code: 'deadline-exceeded' });
  });
});

it.each(['', 'a/b', '..', 'ä', 'x'.repeat(65)])('refuses the nonce %j, for the bug it is', async (nonce) => {
  await expect(qualifyStore(memoryStore(), systemClock, nonce)).rejects.toThrow(TypeError);
});
