import type { KeyObject } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { memoryTables } from '../adapter/memory/projection-tables.ts';
import { memorySigner } from '../adapter/memory/signer.ts';
import { limits } from '../limits.ts';
import type { Batch } from '../port/batches.ts';
import { systemClock } from '../port/clock.ts';
import { Outage } from '../port/outage.ts';
import type { Run } from '../port/runs.ts';
import type { KeyName } from '../port/signer.ts';
import { keyNameOf } from '../port/signer.ts';
import { OPERATOR_ACCOUNT_ID, OPERATOR_IDENTITY_ID, parseAccountId, parseBookId } from '../receipt/ids.ts';
import { emptyKeyHistory, keyRecordOf } from '../receipt/key-history.ts';
import { isDerivedKey, keyAt, snapshotKeyOf } from '../receipt/key-path.ts';
import { accountStream, pixbookStream } from '../receipt/stream.ts';
import { verifyGenesis } from '../receipt/verify.ts';
import { coldReads } from '../snapshot/cold-reads.ts';
import { sealSnapshot } from '../snapshot/seal-snapshot.ts';
import { boundedColdReads } from './cold-read-if-free.ts';
import { ADA, EVE, type Furniture, OPERATOR, type World, furnish, makeWorld, refusal, said } from './ledger.fixture.ts';
import type { HttpParts } from './parts.ts';

const BOB = 'usr_bob';
const MISSING_ACCOUNT = 'acc_00000000000000000000000009';
const MISSING_BOOK = 'bk_00000000000000000000000009';

const newGround = () => ({
  objects: new Map<string, Uint8Array>(),
  tables: memoryTables(),
  custody: new Map<KeyName, KeyObject>(),
  batches: new Map<string, Batch>(),
  runs: new Map<string, Run>(),
  nowMs: Date.UTC(2026, 0, 2),
});
type Ground = ReturnType<typeof newGround>;

/** Another process, whose Postgres was wiped, on the same store. It starts as every process does. */
const wiped = (ground: Ground, override: (parts: HttpParts) => Partial<HttpParts> = () => ({})): Promise<World> =>
  makeWorld(override, { ...ground, tables: memoryTables() });

const granted = <T>(parsed: { ok: true; value: T } | { ok: false }): T => {
  if (!parsed.ok) throw new Error('malformed');
  return parsed.value;
};
const bookOf = ({ accountId, bookId }: Furniture) =>
  pixbookStream(granted(parseAccountId(accountId)), granted(parseBookId(bookId)));

/** Puts a snapshot of the book as it is into the store, as the projector would. */
const putSnapshot = async ({ parts, objects }: World, ground: Ground, book: ReturnType<typeof bookOf>): Promise<void> => {
  const keys = emptyKeyHistory();
  const operator = accountStream(OPERATOR_ACCOUNT_ID);
  const genesis = granted(verifyGenesis(objects.get(keyAt(operator, 0)) ?? new Uint8Array(), keyAt(operator, 0), keys, null));
  const record = keyRecordOf(keys, { identityId: OPERATOR_IDENTITY_ID, publicKeyId: genesis.fingerprint });
  const now = await parts.cold.begin().book(book);
  if (record === null || now === null) throw new Error('there is no such book');
  expect(ground.custody.has(keyNameOf(OPERATOR_IDENTITY_ID, 1))).toBe(true);
  const sealed = await sealSnapshot(
    { signer: memorySigner(ground.custody), clock: systemClock },
    { record, keyGeneration: 1 },
    now,
  );
  await parts.store.replaceDerived(snapshotKeyOf(book), granted(sealed));
};

const answered = async (answer: Response) => [answer.status, answer.headers.get('etag'), await answer.text()] as const;

describe('a pixbook that the projection does not have', () => {
  let ground: Ground;
  let live: World;
  let made: Furniture;
  let last: string;
  const hinted = (query = '') => `/v1/pixbooks/${made.bookId}?accountId=${made.accountId}${query}`;
  const save = async (n: number): Promise<void> => {
    const body = { state: { n, ä: ['☃', null] }, baseEventId: last };
    const answer = await live.ask('POST', `/v1/pixbooks/${made.bookId}/commands/save`, { key: `save-${n}`, body });
    last = String((await said(answer)).eventId);
  };
  const member = async (userId: string, role: string): Promise<void> => {
    await live.ask('POST', `/v1/accounts/${made.accountId}/members`, { key: `add-${userId}`, body: { userId, role } });
  };
  beforeAll(async () => {
    ground = newGround();
    live = await makeWorld(() => ({}), ground);
    made = await furnish(live);
    last = made.eventId;
    await member(BOB, 'viewer');
    for (let n = 1; n <= 3; n++) await save(n);
  });

  it('is the same resource with the same ETag, with a snapshot and without, and stays so as the book grows', async () => {
    const same = async (): Promise<void> => {
      const cold = await wiped(ground);
      for (const as of [ADA, BOB]) {
        const expected = await answered(await live.ask('GET', hinted(), { as }));
        expect(expected[0]).toBe(200);
        expect(await answered(await cold.ask('GET', hinted(), { as }))).toEqual(expected);
      }
      for (const moment of [0, 1, 3]) {
        const then = await answered(await live.ask('GET', hinted(`&asOf=${moment}`)));
        expect(await answered(await cold.ask('GET', hinted(`&asOf=${moment}`)))).toEqual(then);
      }
      expect(await refusal(await cold.ask('GET', hinted('&asOf=999')))).toEqual([404, 'as-of-not-found']);
    };
    await same();
    await putSnapshot(live, ground, bookOf(made));
    await same();
    await save(4);
    const body = { cardIds: ['only-card', 'only-card'], reason: 'a gift' };
    const added = await live.ask('POST', `/v1/pixbooks/${made.bookId}/commands/add-cards?accountId=${made.accountId}`, {
      as: OPERATOR,
      key: 'add',
      body,
    });
    expect(added.status).toBe(201);
    last = String((await said(added)).eventId);
    await same();
    ground.objects.set(snapshotKeyOf(bookOf(made)), Buffer.from('{}'));
    await same();
    ground.objects.delete(snapshotKeyOf(bookOf(made)));
  });

  it('is answered 304 to who has it', async () => {
    const cold = await wiped(ground);
    const etag = (await cold.ask('GET', hinted())).headers.get('etag') ?? '';
    expect((await cold.ask('GET', hinted(), { headers: { 'If-None-Match': etag } })).status).toBe(304);
  });

  it('is not found without the hint: nobody knows whose it is', async () => {
    const cold = await wiped(ground);
    const path = `/v1/pixbooks/${made.bookId}`;
    expect(await refusal(await cold.ask('GET', path))).toEqual([404, 'not-found']);
  });

  it('is written nowhere', async () => {
    const cold = await wiped(ground);
    const before = [...ground.objects.keys()].sort();
    expect((await cold.ask('GET', hinted())).status).toBe(200);
    expect([...ground.objects.keys()].sort()).toEqual(before);
    expect(before.filter(isDerivedKey)).toEqual([]);
    expect(await cold.parts.queries.head(bookOf(made))).toBeNull();
    expect(await cold.parts.queries.pixbook(bookOf(made))).toBeNull();
  });

  it('is to a stranger, to who was removed and to a missing book’s reader the same 404, byte for byte', async () => {
    await member('usr_carol', 'viewer');
    await live.ask('POST', `/v1/accounts/${made.accountId}/members/usr_carol/commands/remove`, { key: 'remove-carol' });
    await putSnapshot(live, ground, bookOf(made));
    const cold = await wiped(ground);
    const own = ['instance', 'requestId', 'traceId'];
    const seen = async (path: string, as: string) => {
      const answer = await cold.ask('GET', path, { as });
      const body = Object.entries(await said(answer)).filter(([name]) => !own.includes(name));
      return JSON.stringify([answer.status, [...answer.headers].filter(([name]) => name !== 'x-request-id'), body]);
    };
    const missing = await seen(`/v1/pixbooks/${MISSING_BOOK}?accountId=${MISSING_ACCOUNT}`, EVE);
    expect(missing).toContain('404');
    for (const [path, as] of [
      [hinted(), EVE],
      [hinted('&asOf=0'), EVE],
      [hinted(), 'usr_carol'],
      [hinted(`&minEventId=${last}`), EVE],
      [`/v1/pixbooks/${MISSING_BOOK}?accountId=${made.accountId}`, ADA],
      [`/v1/pixbooks/${made.bookId}?accountId=${MISSING_ACCOUNT}`, ADA],
    ] as const)
      expect(await seen(path, as)).toBe(missing);
    ground.objects.delete(snapshotKeyOf(bookOf(made)));
  });

  it('that is not true in the store is not found, rather than shown', async () => {
    const objects = new Map(ground.objects);
    objects.set(keyAt(bookOf(made), 1), Buffer.from('{"poison":1}'));
    const cold = await wiped({ ...ground, objects });
    expect(await refusal(await cold.ask('GET', hinted()))).toEqual([404, 'not-found']);
  });

  it('is found by minEventId, as far as the store has it, where the projection lags behind', async () => {
    const { rows } = ground.tables;
    const copied = Object.fromEntries(
      Object.entries(rows).map(([name, each]) => [name, new Map(each)]),
    ) as unknown as typeof rows;
    const tables = { rows: copied, redo: new Map(ground.tables.redo), made: ground.tables.made };
    const behind = await makeWorld(() => ({}), { ...ground, tables });
    await save(50);
    const expected = await answered(await live.ask('GET', hinted()));
    expect(await answered(await behind.ask('GET', hinted(`&minEventId=${last}`)))).toEqual(expected);
    // Whose it is need not be said where the projection tells.
    expect(await answered(await behind.ask('GET', `/v1/pixbooks/${made.bookId}?minEventId=${last}`))).toEqual(expected);
  });

  it('is refused as before when the store does not answer, or too many such readings go on', async () => {
    const away = () => Promise.reject(new Outage('store', 'store-unavailable', 'away'));
    const failing = await wiped(ground, ({ store }) => ({ store: { ...store, exists: away } }));
    expect(await refusal(await failing.ask('GET', hinted()))).toEqual([404, 'not-found']);

    const gate = Promise.withResolvers<void>();
    const slow = await wiped(ground, ({ store, clock, ledger }) => {
      const read = async (key: string) => gate.promise.then(() => store.read(key));
      return { cold: coldReads({ store: { read }, clock: systemClock, trust: ledger.fingerprint, noted: () => clock.now() }) };
    });
    const underWay = Array.from({ length: limits.concurrentColdReads + 2 }, () => slow.ask('GET', hinted()));
    const refused = await Promise.race(underWay);
    expect(refused.status).toBe(404);
    gate.resolve();
    const statuses = (await Promise.all(underWay)).map(({ status }) => status).sort();
    expect(statuses).toEqual([...Array.from({ length: limits.concurrentColdReads }, () => 200), 404, 404]);
  });

  it('costs who asks for what is not theirs one look at the store, where the projection is whole', async () => {
    const calls: string[] = [];
    const counting = await makeWorld(
      ({ store }) => ({
        store: {
          ...store,
          read: (key) => {
            calls.push(`read ${key}`);
            return store.read(key);
          },
          exists: (key) => {
            calls.push(`exists ${key}`);
            return store.exists(key);
          },
        },
      }),
      ground,
    );
    calls.length = 0;
    expect((await counting.ask('GET', hinted(), { as: EVE })).status).toBe(404);
    expect(calls).toEqual([expect.stringMatching(/^exists pixpax\/accounts\//)]);
    calls.length = 0;
    expect((await counting.ask('GET', hinted())).status).toBe(200);
    expect(calls).toEqual([]);
  });
});

describe('readings from the store alone', () => {
  it('are bounded, and free again when one ends, well or not', async () => {
    const cold = { begin: () => ({ account: () => Promise.resolve(null), book: () => Promise.resolve(null) }) };
    const ifFree = boundedColdReads(cold);
    const gates = Array.from({ length: limits.concurrentColdReads }, () => Promise.withResolvers<string>());
    const running = gates.map((gate) => ifFree(() => gate.promise));
    expect(await ifFree(() => Promise.resolve('one too many'))).toBeNull();
    gates[0]?.resolve('done');
    expect(await running[0]).toBe('done');
    expect(await ifFree(() => Promise.resolve('the next'))).toBe('the next');
    gates[1]?.reject(new Error('failed'));
    await expect(running[1]).rejects.toThrow('failed');
    expect(await ifFree(() => Promise.resolve('and the next'))).toBe('and the next');
    for (const gate of gates) gate.resolve('done');
    await Promise.all(running.filter((_, i) => i !== 1));
  });
});
