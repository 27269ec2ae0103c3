import { beforeAll, describe, expect, it } from 'vitest';
import { limits } from '../limits.ts';
import { parseAccountId, parseBookId, parseEventId } from '../receipt/ids.ts';
import { eventIdAt, keyAt } from '../receipt/key-path.ts';
import { accountStream, pixbookStream } from '../receipt/stream.ts';
import { ADA, EVE, type Furniture, type World, furnish, makeWorld, refusal, said } from './ledger.fixture.ts';

const granted = <T>(parsed: { ok: true; value: T } | { ok: false }): T => {
  if (!parsed.ok) throw new Error('malformed');
  return parsed.value;
};
const bookStreamOf = ({ accountId, bookId }: Furniture) =>
  pixbookStream(granted(parseAccountId(accountId)), granted(parseBookId(bookId)));
const accountStreamOf = ({ accountId }: Furniture) => accountStream(granted(parseAccountId(accountId)));

/** A book saved `saves` times: position n holds the state {"n": n}. */
const savedBook = async (world: World, saves: number): Promise<Furniture & { readonly last: string }> => {
  const made = await furnish(world);
  let last = made.eventId;
  for (let n = 1; n <= saves; n++) {
    const path = `/v1/pixbooks/${made.bookId}/commands/save`;
    const answer = await world.ask('POST', path, { key: `save-${n}`, body: { state: { n }, baseEventId: last } });
    last = String((await said(answer)).eventId);
  }
  return { ...made, last };
};

const MISSING_ACCOUNT = 'acc_00000000000000000000000009';
const MISSING_BOOK = 'bk_00000000000000000000000009';

describe('reading', () => {
  let world: World;
  let made: Furniture & { readonly last: string };
  beforeAll(async () => {
    world = await makeWorld();
    made = await savedBook(world, 3);
  });
  const get = (path: string, headers: Readonly<Record<string, string>> = {}, as: string | null = ADA) =>
    world.ask('GET', path, { as, headers });

  it('answers with the head’s hash as ETag, and 304 to who has it', async () => {
    const account = `/v1/accounts/${made.accountId}`;
    const head = await world.parts.queries.head(accountStreamOf(made));
    const paths = [
      account,
      `${account}/members`,
      `${account}/identities`,
      `${account}/identities/${made.identityId}`,
      `${account}/receipts`,
    ];
    for (const path of paths) {
      const answer = await get(path);
      const etag = answer.headers.get('etag') ?? '';
      expect([path, answer.status, etag]).toEqual([path, 200, `"${head?.hash}"`]);
      expect(answer.headers.get('cache-control')).toBe('no-store');
      const again = await get(path, { 'If-None-Match': `"x", W/${etag}` });
      expect([again.status, await again.text(), again.headers.get('etag')]).toEqual([304, '', etag]);
      expect((await get(path, { 'If-None-Match': '"x"' })).status).toBe(200);
    }
  });

  it('tags lists over many streams with the hash of what they say', async () => {
    for (const path of ['/v1/accounts', '/v1/pixbooks']) {
      const etag = (await get(path)).headers.get('etag') ?? '';
      expect(etag).toMatch(/^"sha256:[0-9a-f]{64}"$/);
      expect((await get(path, { 'If-None-Match': etag })).status).toBe(304);
    }
  });

  it('shows what the commands made', async () => {
    expect(await said(await get('/v1/accounts'))).toEqual({
      data: [{ accountId: made.accountId, role: 'owner' }],
      meta: { cursor: null, hasMore: false },
    });
    expect(await said(await get(`/v1/accounts/${made.accountId}/members`))).toMatchObject({
      data: [{ userId: ADA, role: 'owner' }],
    });
    const { accountId, bookId, collectionId, identityId } = made;
    const book = { accountId, bookId, collectionId, identityId, state: { n: 3 }, stateEventId: made.last, status: 'open' };
    expect(await said(await get(`/v1/pixbooks/${bookId}`))).toMatchObject(book);
    expect(await said(await get(`/v1/pixbooks/${bookId}?accountId=${accountId}`))).toMatchObject(book);
    expect(await said(await get(`/v1/pixbooks?accountId=${accountId}&identityId=${identityId}`))).toMatchObject({ data: [book] });
    expect(await said(await get('/v1/pixbooks?collectionId=col_00000000000000000000000009'))).toMatchObject({ data: [] });
  });

  it('says of a foreign resource what it says of a missing one, byte for byte', async () => {
    const event = granted(parseEventId(made.eventId));
    const pairs = [
      [`/v1/accounts/${made.accountId}`, `/v1/accounts/${MISSING_ACCOUNT}`],
      [`/v1/accounts/${made.accountId}/members`, `/v1/accounts/${MISSING_ACCOUNT}/members`],
      [`/v1/accounts/${made.accountId}/identities`, '/v1/accounts/acc_x/identities'],
      [`/v1/accounts/${made.accountId}/identities/${made.identityId}`, `/v1/accounts/${MISSING_ACCOUNT}/identities/idn_x`],
      [`/v1/accounts/${made.accountId}/receipts`, `/v1/accounts/${MISSING_ACCOUNT}/receipts`],
      [`/v1/accounts/${made.accountId}/verify`, `/v1/accounts/${MISSING_ACCOUNT}/verify`],
      [`/v1/pixbooks/${made.bookId}`, `/v1/pixbooks/${MISSING_BOOK}`],
      [`/v1/pixbooks/${made.bookId}?accountId=${made.accountId}`, `/v1/pixbooks/${MISSING_BOOK}?accountId=${made.accountId}`],
      [`/v1/pixbooks/${made.bookId}?minEventId=${event}`, `/v1/pixbooks/${MISSING_BOOK}?minEventId=${event}`],
      [`/v1/pixbooks/${made.bookId}/receipts`, `/v1/pixbooks/${MISSING_BOOK}/receipts`],
      [`/v1/pixbooks/${made.bookId}/verify`, `/v1/pixbooks/${MISSING_BOOK}/verify`],
      [`/v1/pixbooks?accountId=${made.accountId}`, `/v1/pixbooks?accountId=${MISSING_ACCOUNT}`],
      [`/v1/receipts/${made.eventId}`, '/v1/receipts/01HF7YAT00ZY2HFVSMAQJQ9NN0'],
    ] as const;
    const own = ['instance', 'requestId', 'traceId'];
    const seen = async (path: string) => {
      const answer = await get(path, {}, EVE);
      const body = Object.entries(await said(answer)).filter(([name]) => !own.includes(name));
      const fields = [...answer.headers].filter(([name]) => name !== 'x-request-id');
      return JSON.stringify([answer.status, fields, body]);
    };
    for (const [foreign, missing] of pairs) expect(await seen(foreign)).toBe(await seen(missing));
  });

  it.each([
    ['?asof=1', '/asof', 'unknown-member'],
    ['?asOf=-1', '/asOf', 'invalid'],
    ['?asOf=1.5', '/asOf', 'invalid'],
    ['?asOf=latest', '/asOf', 'invalid'],
    ['?accountId=acc_x', '/accountId', 'invalid'],
    ['?minEventId=1', '/minEventId', 'invalid'],
    ['?asOf=1&asOf=2', '/asOf', 'duplicate-member'],
    ['?__proto__=1', '/__proto__', 'unknown-member'],
  ])('refuses the query %s with a pointer', async (query, pointer, code) => {
    const body = await said(await get(`/v1/pixbooks/${made.bookId}${query}`));
    expect(body).toMatchObject({ status: 400, code: 'invalid-request', errors: [{ in: 'query', pointer, code }] });
  });

  it.each(['0', '101', '-1', '1.5', '10x', '', '1e1', '+5', ' 5'])('refuses limit=%j', async (limit) => {
    const body = await said(await get(`/v1/pixbooks?limit=${encodeURIComponent(limit)}`));
    expect(body).toMatchObject({ code: 'invalid-request', errors: [{ pointer: '/limit' }] });
  });
});

describe('a list', () => {
  it('comes in pages that are its elements, each once and in order', async () => {
    const world = await makeWorld();
    const { accountId } = await furnish(world);
    for (let n = 2; n <= 7; n++)
      await world.ask('POST', `/v1/accounts/${accountId}/identities`, { key: `identity-${n}`, body: { controller: ADA } });
    const ids: string[] = [];
    let cursor: string | null = null;
    do {
      const path: string = `/v1/accounts/${accountId}/identities?limit=3${cursor === null ? '' : `&cursor=${cursor}`}`;
      const page = (await said(await world.ask('GET', path))) as {
        data: { identityId: string }[];
        meta: { cursor: string | null; hasMore: boolean };
      };
      expect(page.data.length).toBeLessThanOrEqual(3);
      expect(page.meta.hasMore).toBe(page.meta.cursor !== null);
      ids.push(...page.data.map(({ identityId }) => identityId));
      cursor = page.meta.cursor;
    } while (cursor !== null);
    expect(ids).toEqual([...new Set(ids)].sort());
    expect(ids).toHaveLength(7);
  });

  it('refuses a cursor that is not one of its own', async () => {
    const world = await makeWorld();
    const { accountId, identityId, bookId } = await furnish(world);
    const good = Buffer.from(identityId).toString('base64url');
    const tampered = [good.slice(0, -1), `${good}=`, `${good}A`, Buffer.from(bookId).toString('base64url'), 'x', '%20', '!!', ''];
    for (const cursor of tampered) {
      const answer = await world.ask('GET', `/v1/accounts/${accountId}/identities?cursor=${cursor}`);
      expect([cursor, await said(answer)]).toMatchObject([
        cursor,
        { status: 400, errors: [{ in: 'query', pointer: '/cursor' }] },
      ]);
    }
    expect((await world.ask('GET', `/v1/accounts/${accountId}/identities?cursor=${good}`)).status).toBe(200);
    expect(
      (
        await world.ask(
          'GET',
          `/v1/pixbooks/${bookId}/receipts?cursor=${Buffer.from('01HF7YAT00ZY2HFVSMAQJQ9NN0').toString('base64url')}`,
        )
      ).status,
    ).toBe(400);
  });

  it('of accounts and of pixbooks goes on from its cursor', async () => {
    const world = await makeWorld();
    for (const key of ['a', 'b', 'c']) await world.ask('POST', '/v1/accounts', { key });
    const first = (await said(await world.ask('GET', '/v1/accounts?limit=2'))) as { data: object[]; meta: { cursor: string } };
    const second = (await said(await world.ask('GET', `/v1/accounts?limit=2&cursor=${first.meta.cursor}`))) as {
      data: object[];
      meta: object;
    };
    expect([first.data.length, second.data.length, second.meta]).toEqual([2, 1, { cursor: null, hasMore: false }]);
    const whole = (await said(await world.ask('GET', '/v1/accounts'))) as { data: object[] };
    expect([...first.data, ...second.data]).toEqual(whole.data);
  });
});

describe('receipts over HTTP', () => {
  let world: World;
  let made: Furniture & { readonly last: string };
  beforeAll(async () => {
    world = await makeWorld();
    made = await savedBook(world, 4);
  });
  const stored = (position: number): Buffer => Buffer.from(world.objects.get(keyAt(bookStreamOf(made), position)) ?? []);
  const bytesOf = async (answer: Response): Promise<Buffer> => Buffer.from(await answer.arrayBuffer());

  it('are the very bytes of the store, kept by nobody on the way', async () => {
    const answer = await world.ask('GET', `/v1/receipts/${made.eventId}`);
    expect(answer.headers.get('content-type')).toBe('application/json');
    expect(answer.headers.get('etag')).toBe(`"${made.hash}"`);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect((await bytesOf(answer)).equals(stored(0))).toBe(true);
    const again = await world.ask('GET', `/v1/receipts/${made.eventId}`, { headers: { 'If-None-Match': `"${made.hash}"` } });
    expect(again.status).toBe(304);
  });

  it('are spliced into a page byte for byte', async () => {
    const answer = await world.ask('GET', `/v1/pixbooks/${made.bookId}/receipts?limit=2`);
    const cursor = Buffer.from(eventIdAt(bookStreamOf(made), 1)).toString('base64url');
    const expected = `{"data":[${stored(0).toString()},${stored(1).toString()}],"meta":{"cursor":"${cursor}","hasMore":true}}`;
    expect((await bytesOf(answer)).equals(Buffer.from(expected))).toBe(true);
    const rest = await said(await world.ask('GET', `/v1/pixbooks/${made.bookId}/receipts?cursor=${cursor}`));
    expect(rest).toMatchObject({ data: [{ type: 'PIXBOOK_SAVE' }, {}, {}], meta: { cursor: null, hasMore: false } });
  });

  it('come one a line for who asks so, with a link to the next page', async () => {
    const headers = { Accept: 'application/x-ndjson' };
    const answer = await world.ask('GET', `/v1/pixbooks/${made.bookId}/receipts?limit=3`, { headers });
    expect(answer.headers.get('content-type')).toBe('application/x-ndjson');
    expect(answer.headers.get('vary')).toBe('Accept, Origin');
    expect((await answer.text()).split('\n')).toEqual([...[0, 1, 2].map((position) => stored(position).toString()), '']);
    const next = /^<([^>]+)>; rel="next"$/.exec(answer.headers.get('link') ?? '')?.[1] ?? '';
    const rest = await world.ask('GET', next, { headers });
    expect(await rest.text()).toBe(`${stored(3).toString()}\n${stored(4).toString()}\n`);
    expect(rest.headers.get('link')).toBeNull();
    expect(rest.headers.get('etag')).not.toBe(
      (await world.ask('GET', `/v1/pixbooks/${made.bookId}/receipts`)).headers.get('etag'),
    );
  });

  it('of a page never read more at once than the limit', async () => {
    let running = 0;
    let most = 0;
    const busy = await makeWorld(({ store }) => ({
      store: {
        ...store,
        read: async (key) => {
          most = Math.max(most, ++running);
          await new Promise(setImmediate);
          running--;
          return store.read(key);
        },
      },
    }));
    const { bookId } = await savedBook(busy, limits.parallelReads + 8);
    await busy.ask('GET', `/v1/pixbooks/${bookId}/receipts?limit=100`);
    expect(most).toBe(limits.parallelReads);
  });

  it('that the store lost are named as lost, not skipped', async () => {
    const lossy = await makeWorld();
    const book = await savedBook(lossy, 2);
    lossy.objects.delete(keyAt(bookStreamOf(book), 1));
    const event = eventIdAt(bookStreamOf(book), 1);
    for (const path of [`/v1/receipts/${event}`, `/v1/pixbooks/${book.bookId}/receipts`, `/v1/pixbooks/${book.bookId}?asOf=1`])
      expect(await refusal(await lossy.ask('GET', path))).toEqual([500, 'receipt-lost']);
  });
});

describe('a pixbook as of a moment', () => {
  let world: World;
  let made: Furniture & { readonly last: string };
  beforeAll(async () => {
    world = await makeWorld();
    made = await savedBook(world, 3);
    await world.ask('POST', `/v1/pixbooks/${made.bookId}/commands/close`, { key: 'close' });
  });
  const asOf = async (moment: string | number) => world.ask('GET', `/v1/pixbooks/${made.bookId}?asOf=${moment}`);

  it.each([
    [0, { status: 'open', state: null, stateEventId: null, savedAt: null, closedAt: null }],
    [1, { status: 'open', state: { n: 1 }, closedAt: null }],
    [3, { status: 'open', state: { n: 3 }, closedAt: null }],
    [4, { status: 'closed', state: { n: 3 } }],
  ])('at position %i is what it was then', async (position, expected) => {
    const body = await said(await asOf(position));
    const eventId = eventIdAt(bookStreamOf(made), position);
    expect(body).toMatchObject({ ...expected, bookId: made.bookId, generation: 1, head: { position, eventId } });
    expect(await said(await asOf(eventId))).toEqual(body);
  });

  it('at its head is what it is now', async () => {
    expect(await said(await asOf(4))).toEqual(await said(await world.ask('GET', `/v1/pixbooks/${made.bookId}`)));
  });

  it('has the ETag of the head of then', async () => {
    const answer = await asOf(2);
    const { head } = (await said(answer)) as { head: { hash: string } };
    expect(answer.headers.get('etag')).toBe(`"${head.hash}"`);
  });

  it.each([5, 999_999_999_999_999, '01HF7YAT00ZY2HFVSMAQJQ9NN0', '7ZZZZZZZZZZZZZZZZZZZZZZZZZ'])(
    '%s, which it never had, is refused',
    async (moment) => {
      expect(await refusal(await asOf(moment))).toEqual([404, 'as-of-not-found']);
    },
  );

  it('is refused when the store’s bytes are not a receipt any more', async () => {
    const key = keyAt(bookStreamOf(made), 2);
    const bytes = world.objects.get(key) ?? new Uint8Array();
    world.objects.set(key, Uint8Array.from([...bytes, 0x20]));
    expect(await refusal(await asOf(2))).toEqual([500, 'receipt-lost']);
    world.objects.set(key, bytes);
    expect((await asOf(2)).status).toBe(200);
  });
});

describe('?minEventId=', () => {
  /** A ledger whose projection can be told to show a receipt only at the n-th look after now. */
  const laggingWorld = async (): Promise<World & { readonly lag: (looks: number) => void }> => {
    let blind = 0;
    const later = async <T>(look: () => Promise<T | null>): Promise<T | null> => {
      if (blind === 0) return look();
      blind--;
      return null;
    };
    const world = await makeWorld(({ queries }) => ({
      queries: {
        ...queries,
        head: (stream) => later(() => queries.head(stream)),
        receipt: (eventId) => later(() => queries.receipt(eventId)),
      },
    }));
    const lag = (looks: number): void => {
      blind = looks;
    };
    return { ...world, lag };
  };

  it('waits until the projection has reached the event', async () => {
    const world = await laggingWorld();
    const { bookId, eventId } = await furnish(world);
    world.lag(5);
    expect((await world.ask('GET', `/v1/pixbooks/${bookId}?minEventId=${eventId}`)).status).toBe(200);
    world.lag(5);
    expect((await world.ask('GET', `/v1/pixbooks?minEventId=${eventId}`)).status).toBe(200);
  });

  it('answers 503 with Retry-After when that takes too long', async () => {
    const world = await laggingWorld();
    const { bookId, eventId } = await furnish(world);
    world.lag(1_000_000);
    const started = world.parts.clock.now();
    const answer = await world.ask('GET', `/v1/pixbooks/${bookId}/packs?minEventId=${eventId}`);
    expect(answer.headers.get('retry-after')).toBe('1');
    expect(await refusal(answer)).toEqual([503, 'projection-behind']);
    expect(world.parts.clock.now() - started).toBeGreaterThanOrEqual(limits.readYourWritesMs);
    expect(await refusal(await world.ask('GET', `/v1/accounts?minEventId=${eventId}`))).toEqual([503, 'projection-behind']);
  });

  it('of a pixbook is answered from the store when that takes too long', async () => {
    const world = await laggingWorld();
    const { bookId, eventId } = await furnish(world);
    const expected = await said(await world.ask('GET', `/v1/pixbooks/${bookId}`));
    world.lag(1_000_000);
    const started = world.parts.clock.now();
    expect(await said(await world.ask('GET', `/v1/pixbooks/${bookId}?minEventId=${eventId}`))).toEqual(expected);
    expect(world.parts.clock.now() - started).toBeGreaterThanOrEqual(limits.readYourWritesMs);
  });

  it('refuses an event that is not of the stream that is read', async () => {
    const world = await makeWorld();
    const { accountId, bookId, eventId } = await furnish(world);
    const wrong = await world.ask('GET', `/v1/accounts/${accountId}?minEventId=${eventId}`);
    expect(await said(wrong)).toMatchObject({ status: 400, errors: [{ in: 'query', pointer: '/minEventId' }] });
    expect((await world.ask('GET', `/v1/pixbooks/${bookId}?minEventId=7ZZZZZZZZZZZZZZZZZZZZZZZZZ`)).status).toBe(400);
  });

  it('of somebody else’s event is waited for in vain', async () => {
    const world = await makeWorld();
    const { eventId } = await furnish(world);
    expect(await refusal(await world.ask('GET', `/v1/accounts?minEventId=${eventId}`, { as: EVE }))).toEqual([
      503,
      'projection-behind',
    ]);
  });
});

describe('verify', () => {
  it('answers whether the stream is valid; an invalid one is an answer, not an error', async () => {
    const fault = { key: 'pixpax/x.json', code: 'hash-mismatch', detail: 'not the hash' };
    const asked: unknown[] = [];
    const world = await makeWorld(() => ({
      verifyStream: (stream) => {
        asked.push(stream);
        return Promise.resolve(
          stream.type === 'account' ? { valid: true, receipts: 3, head: null } : { valid: false, receipts: 1, head: null, fault },
        );
      },
    }));
    const made = await furnish(world);
    expect(await said(await world.ask('GET', `/v1/accounts/${made.accountId}/verify`))).toEqual({
      valid: true,
      receipts: 3,
      head: null,
      fault: null,
    });
    expect(await said(await world.ask('GET', `/v1/pixbooks/${made.bookId}/verify`))).toEqual({
      valid: false,
      receipts: 1,
      head: null,
      fault,
    });
    expect(asked).toEqual([accountStreamOf(made), bookStreamOf(made)]);
  });

  it('runs a few at a time and sends the others away until later', async () => {
    const gates: (() => void)[] = [];
    const world = await makeWorld(() => ({
      verifyStream: () => new Promise((resolve) => gates.push(() => resolve({ valid: true, receipts: 0, head: null }))),
    }));
    const { accountId } = await furnish(world);
    const ask = () => world.ask('GET', `/v1/accounts/${accountId}/verify`);
    const running = Array.from({ length: limits.concurrentVerifications }, ask);
    while (gates.length < limits.concurrentVerifications) await new Promise(setImmediate);
    expect(await refusal(await ask())).toEqual([503, 'too-busy']);
    for (const open of gates) open();
    expect((await Promise.all(running)).map(({ status }) => status)).toEqual(running.map(() => 200));
  });
});
