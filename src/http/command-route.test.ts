import { beforeAll, describe, expect, it } from 'vitest';
import type { CommandRefusal } from '../command/ledger-commands.ts';
import { Outage } from '../port/outage.ts';
import { commandsThat, refusing } from './ending-commands.fixture.ts';
import { ADA, EVE, type World, furnish, makeWorld, refusal, said } from './ledger.fixture.ts';
import type { HttpParts } from './parts.ts';
import { problemKinds, spokenCode } from './problem-code.ts';

const save = (baseEventId: string, state: object = { theme: 'blue' }) => ({ state, baseEventId });

describe('a command', () => {
  it('answers 201 with the receipt, where the resource is, and the head to go on from', async () => {
    const { ask } = await makeWorld();
    const answer = await ask('POST', '/v1/accounts', { key: 'k1' });
    const body = await said(answer);
    expect(answer.status).toBe(201);
    expect(Object.keys(body)).toEqual(['eventId', 'hash', 'position', 'projection', 'accountId']);
    expect(body).toMatchObject({ position: 0, projection: 'applied' });
    expect(answer.headers.get('location')).toBe(`/v1/accounts/${String(body.accountId)}`);
    expect(answer.headers.get('etag')).toBe(`"${String(body.hash)}"`);
    expect(answer.headers.get('idempotency-replayed')).toBeNull();
    expect(answer.headers.get('cache-control')).toBe('no-store');
  });

  it('gives the very same answer when it is repeated with its key, and says so', async () => {
    const { ask } = await makeWorld();
    const [first, again] = [await ask('POST', '/v1/accounts', { key: 'k1' }), await ask('POST', '/v1/accounts', { key: 'k1' })];
    expect(await again.text()).toBe(await first.text());
    expect([first.headers.get('idempotency-replayed'), again.headers.get('idempotency-replayed')]).toEqual([null, 'true']);
    expect(again.headers.get('location')).toBe(first.headers.get('location'));
  });

  it('carries an identity and a pixbook through their lives', async () => {
    const world = await makeWorld();
    const { accountId, identityId, bookId, eventId } = await furnish(world);
    const identity = `/v1/accounts/${accountId}/identities/${identityId}`;
    const book = `/v1/pixbooks/${bookId}`;
    const members = `/v1/accounts/${accountId}/members`;
    const steps: readonly (readonly [path: string, location: string, body?: unknown])[] = [
      [`${book}/commands/save`, book, save(eventId)],
      [`${identity}/commands/rotate-key`, identity],
      [`${book}/commands/close`, book, {}],
      [members, members, { userId: 'usr_ben', role: 'member' }],
      [`${members}/usr_ben/commands/change-role`, members, { role: 'viewer' }],
      [`${members}/usr_ben/commands/remove`, members],
      [`${identity}/commands/revoke`, identity],
      [`/v1/accounts/${accountId}/commands/close`, `/v1/accounts/${accountId}`],
    ];
    for (const [i, [path, location, body]] of steps.entries()) {
      const answer = await world.ask('POST', path, { key: `step-${i}`, body });
      expect([path, answer.status, answer.headers.get('location')]).toEqual([path, 201, location]);
    }
    expect(await said(await world.ask('GET', book))).toMatchObject({ status: 'closed', state: { theme: 'blue' } });
    expect(await said(await world.ask('GET', identity))).toMatchObject({ status: 'revoked', keyGeneration: 2 });
    expect(await said(await world.ask('GET', `/v1/accounts/${accountId}`))).toMatchObject({ status: 'closed' });
  });

  it.each([
    [{}, 400, 'idempotency-key-missing'],
    [{ 'Idempotency-Key': '' }, 400, 'idempotency-key-missing'],
    [{ 'Idempotency-Key': 'two words' }, 400, 'idempotency-key-malformed'],
    [{ 'Idempotency-Key': 'k'.repeat(256) }, 400, 'idempotency-key-malformed'],
    [{ 'Idempotency-Key': 'schlüssel' }, 400, 'idempotency-key-malformed'],
    [{ 'Idempotency-Key': 'k', 'If-Match': 'sha256:5e' }, 400, 'if-match-malformed'],
    [{ 'Idempotency-Key': 'k', 'If-Match': '"sha256:5e"' }, 400, 'if-match-malformed'],
    [{ 'Idempotency-Key': 'k', 'If-Match': `W/"sha256:${'5e'.repeat(32)}"` }, 400, 'if-match-malformed'],
    [
      { 'Idempotency-Key': 'k', 'If-Match': `"sha256:${'5e'.repeat(32)}", "sha256:${'5f'.repeat(32)}"` },
      400,
      'if-match-malformed',
    ],
    [{ 'Idempotency-Key': 'k', 'If-Match': `"sha256:${'5e'.repeat(32)}"` }, 412, 'head-mismatch'],
  ])('with %j is refused with %i %s', async (headers, status, code) => {
    const world = await makeWorld();
    const { bookId, eventId } = await furnish(world);
    const answer = await world.ask('POST', `/v1/pixbooks/${bookId}/commands/save`, { body: save(eventId), headers });
    expect(await refusal(answer)).toEqual([status, code]);
  });

  it.each(['the ETag of the head', '*'])('goes through when If-Match is %s', async (ifMatch) => {
    const world = await makeWorld();
    const { bookId, eventId } = await furnish(world);
    const etag = (await world.ask('GET', `/v1/pixbooks/${bookId}`)).headers.get('etag') ?? '';
    const headers = { 'If-Match': ifMatch === '*' ? '*' : etag };
    const answer = await world.ask('POST', `/v1/pixbooks/${bookId}/commands/save`, { key: 'k', body: save(eventId), headers });
    expect(answer.status).toBe(201);
  });

  it('refuses the same key for another request, and a stale base', async () => {
    const world = await makeWorld();
    const { bookId, eventId } = await furnish(world);
    const path = `/v1/pixbooks/${bookId}/commands/save`;
    expect((await world.ask('POST', path, { key: 'k', body: save(eventId) })).status).toBe(201);
    expect(await refusal(await world.ask('POST', path, { key: 'k', body: save(eventId, { theme: 'red' }) }))).toEqual([
      422,
      'idempotency-key-reused',
    ]);
    expect(await refusal(await world.ask('POST', path, { key: 'k2', body: save(eventId) }))).toEqual([409, 'stale-base']);
  });

  /** A command that may be refused with a code: path, query, body. */
  const commandRefusedWith = (code: string): readonly [string, string, unknown] => {
    const [accountId, bookId] = ['acc_00000000000000000000000001', 'bk_00000000000000000000000001'];
    const [identityId, collectionId] = ['idn_00000000000000000000000001', 'col_00000000000000000000000001'];
    if (code === 'pixbook-exists' || code === 'too-many-pixbooks')
      return ['/v1/pixbooks', '', { accountId, identityId, collectionId }];
    const [verb, body] = code.startsWith('sta') && code !== 'stream-stopped' ? ['save', save('0'.repeat(26))] : ['close', {}];
    return [`/v1/pixbooks/${bookId}/commands/${verb}`, `?accountId=${accountId}`, body];
  };

  const codes: readonly CommandRefusal['code'][] = [
    ...(['not-found', 'forbidden', 'head-mismatch', 'receipt-too-large', 'queue-full', 'contended', 'outcome-unknown'] as const),
    ...(['stream-stopped', 'account-closed', 'pixbook-closed', 'stale-base', 'state-too-large', 'identity-revoked'] as const),
    ...(['pixbook-missing', 'account-missing', 'identity-missing', 'pixbook-exists', 'too-many-pixbooks'] as const),
  ];
  it.each(codes)('refused with %s is answered by the table, and says when to come back exactly when that helps', async (code) => {
    const { ask } = await makeWorld(() => ({ commands: commandsThat(() => Promise.resolve(refusing(code))) }));
    const [path, query, body] = commandRefusedWith(code);
    const answer = await ask('POST', `${path}${query}`, { key: 'k', body });
    const spoken = spokenCode(code);
    expect(answer.headers.get('retry-after') !== null).toBe(answer.status === 503);
    expect(await said(answer)).toMatchObject({
      type: `/problems/${spoken}`,
      title: problemKinds[spoken].title,
      status: answer.status,
      code: spoken,
      instance: path,
    });
  });

  it('answers 503 with the name of what is missing, and keeps to itself what that said', async () => {
    const lost = () => Promise.reject(new Outage('signer', 'signer-unavailable', 'vault at 10.0.0.7 said no'));
    const { ask, lines } = await makeWorld(() => ({ commands: commandsThat(lost) }));
    const answer = await ask('POST', '/v1/accounts', { key: 'k' });
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '5']);
    const body = await answer.text();
    expect(JSON.parse(body)).toMatchObject({ code: 'signer-unavailable', dependency: 'signer' });
    expect(body).not.toContain('10.0.0.7');
    expect(lines).toContainEqual(expect.objectContaining({ msg: 'outage', reason: 'vault at 10.0.0.7 said no' }));
  });

  it('that broke in a way nobody foresaw is a bare 500, and the reason is in the log under the same request', async () => {
    const broken = () => Promise.reject(new Error('select * from secrets'));
    const { ask, lines } = await makeWorld(() => ({ commands: commandsThat(broken) }));
    const answer = await ask('POST', '/v1/accounts', { key: 'k' });
    const body = await answer.text();
    expect(answer.status).toBe(500);
    expect(body).not.toContain('secrets');
    const { requestId } = JSON.parse(body) as { requestId: string };
    expect(lines.find((line) => line.msg === 'request failed')).toMatchObject({
      requestId,
      err: { message: 'select * from secrets' },
    });
  });

  it('is acknowledged once its receipt is durable, even when log and metrics fail', async () => {
    const failing = (parts: HttpParts): Partial<HttpParts> => ({
      log: Object.assign(Object.create(parts.log) as HttpParts['log'], {
        info: () => {
          throw new Error('disk full');
        },
      }),
    });
    const { ask } = await makeWorld(failing);
    expect((await ask('POST', '/v1/accounts', { key: 'k' })).status).toBe(201);
  });
});

describe('a pixbook command', () => {
  it('with ?accountId= reaches its stream when the projection is gone, and heals it', async () => {
    const world = await makeWorld();
    const { accountId, bookId, eventId } = await furnish(world);
    const fresh = await makeWorld((parts) => ({
      ...parts,
      commands: world.parts.commands,
      store: world.parts.store,
      queries: world.parts.queries,
    }));
    world.readModel.wipe();
    const path = `/v1/pixbooks/${bookId}/commands/save`;
    expect(await refusal(await fresh.ask('POST', path, { key: 'k', body: save(eventId) }))).toEqual([404, 'not-found']);
    const answer = await fresh.ask('POST', `${path}?accountId=${accountId}`, { key: 'k', body: save(eventId) });
    expect(answer.status).toBe(201);
    expect((await fresh.ask('GET', `/v1/pixbooks/${bookId}`)).status).toBe(200);
  });

  it('knows the account of every book it has written to, projection or not', async () => {
    const world = await makeWorld();
    const { bookId, eventId } = await furnish(world);
    world.readModel.wipe();
    const answer = await world.ask('POST', `/v1/pixbooks/${bookId}/commands/save`, { key: 'k', body: save(eventId) });
    expect(answer.status).toBe(201);
  });

  it.each([
    ['a foreign book', EVE, (bookId: string) => bookId],
    ['a missing book', ADA, () => 'bk_00000000000000000000000009'],
    ['what is no book id', ADA, () => 'bk_9'],
  ])('on %s is told that there is none', async (_what, as, id) => {
    const world = await makeWorld();
    const { bookId, eventId } = await furnish(world);
    const answer = await world.ask('POST', `/v1/pixbooks/${id(bookId)}/commands/save`, { as, key: 'k', body: save(eventId) });
    expect(await refusal(answer)).toEqual([404, 'not-found']);
  });
});

describe('a body', () => {
  // One world for all of them: a refused body writes nothing, which each of them checks.
  let world: World;
  let bookId: string;
  beforeAll(async () => {
    world = await makeWorld();
    ({ bookId } = await furnish(world));
  });
  const post = async (body: unknown, headers: Readonly<Record<string, string>> = {}) => {
    const before = world.objects.size;
    const answer = await world.ask('POST', `/v1/pixbooks/${bookId}/commands/save`, { key: 'k', body, headers });
    expect(world.objects.size).toBe(before);
    const { code, errors } = await said(answer);
    return { status: answer.status, code, errors };
  };
  const B = '\\';
  const EVENT = '01HF7YAT00ZY2HFVSMAQJQ9NN0';
  const around = (state: string) => `{"state":${state},"baseEventId":"${EVENT}"}`;

  it.each([
    [around('{"a":1,"a":2}'), 'duplicate-member', '/state/a'],
    [around(`{"a":1,"${B}u0061":2}`), 'duplicate-member', '/state/a'],
    [around('{"__proto__":{}}'), 'forbidden-member', '/state/__proto__'],
    [around('{"x":{"constructor":1}}'), 'forbidden-member', '/state/x/constructor'],
    [around(`{"a":"${B}ud800"}`), 'lone-surrogate', '/state/a'],
    [around('{"a":1e999}'), 'number-out-of-range', '/state/a'],
    [around('{"a":9007199254740993}'), 'number-out-of-range', '/state/a'],
    [around(`{"a":${'['.repeat(30)}${']'.repeat(30)}}`), 'too-deep', `/state/a${'/0'.repeat(29)}`],
    [`\ufeff${around('{}')}`, 'byte-order-mark', ''],
    ['{"state":', 'not-json', '/state'],
    [`${around('{}')}x`, 'not-json', ''],
    [' ', 'empty', ''],
  ])('%.60j is refused with 400 and a pointer', async (body, code, pointer) => {
    const { status, code: outer, errors } = await post(body);
    expect([status, outer]).toEqual([400, 'invalid-json']);
    expect(errors).toEqual([{ in: 'body', pointer, code, detail: expect.any(String) }]);
  });

  it('that is not UTF-8 is refused with 400', async () => {
    expect(await post(Uint8Array.from([0x7b, 0xff, 0x7d]))).toMatchObject({
      status: 400,
      errors: [{ code: 'not-utf8', pointer: '' }],
    });
  });

  it.each([
    [{ state: {} }, [{ pointer: '/baseEventId', code: 'missing' }]],
    [{ state: {}, baseEventId: 'x' }, [{ pointer: '/baseEventId', code: 'invalid' }]],
    [{ state: [], baseEventId: EVENT }, [{ pointer: '/state', code: 'invalid' }]],
    [
      { state: {}, baseEventId: EVENT, 'a/b': 1, c: 2 },
      [
        { pointer: '/a~1b', code: 'unknown-member' },
        { pointer: '/c', code: 'unknown-member' },
      ],
    ],
    ['null', [{ pointer: '', code: 'invalid' }]],
    ['[]', [{ pointer: '', code: 'invalid' }]],
  ])('%j is refused with 400 and every member at fault', async (body, faults) => {
    expect(await post(body)).toMatchObject({
      status: 400,
      code: 'invalid-request',
      errors: faults.map((fault) => ({ in: 'body', ...fault })),
    });
  });

  it('that is missing is refused where one is needed', async () => {
    expect(await post(undefined)).toMatchObject({ status: 400, code: 'invalid-request' });
  });

  it.each([
    [{ 'Content-Type': 'text/plain' }],
    [{ 'Content-Type': 'application/x-www-form-urlencoded' }],
    [{ 'Content-Type': 'application/json; charset=latin1' }],
    [{ 'Content-Encoding': 'gzip' }],
  ])('with %j is refused with 415', async (headers) => {
    expect(await post(around('{}'), headers)).toMatchObject({ status: 415, code: 'unsupported-media-type' });
  });

  it('over the limit is refused with 413, declared or not', async () => {
    const large = around(JSON.stringify({ a: 'x'.repeat(200_000) }));
    expect(await post(large)).toMatchObject({ status: 413, code: 'body-too-large' });
    expect(await post(large, { 'Content-Length': String(large.length) })).toMatchObject({ status: 413, code: 'body-too-large' });
    expect(await post(large, { 'Transfer-Encoding': 'chunked' })).toMatchObject({ status: 413, code: 'body-too-large' });
  });

  it('within the limit but too large a state is refused by the rules of the pixbook', async () => {
    const world = await makeWorld();
    const { bookId, eventId } = await furnish(world);
    const body = save(eventId, { a: 'x'.repeat(40_000) });
    const answer = await world.ask('POST', `/v1/pixbooks/${bookId}/commands/save`, { key: 'k', body });
    expect(await refusal(answer)).toEqual([413, 'state-too-large']);
  });

  it('that a command does not take is refused by name', async () => {
    const { ask } = await makeWorld();
    const answer = await ask('POST', '/v1/accounts', { key: 'k', body: { name: 'Lovelace' } });
    expect(await said(answer)).toMatchObject({ code: 'invalid-request', errors: [{ pointer: '/name', code: 'unknown-member' }] });
  });

  it('of the deepest state that is taken makes a receipt that can be read', async () => {
    const world = await makeWorld();
    const { bookId, eventId } = await furnish(world);
    const state = `{"a":${'['.repeat(29)}${']'.repeat(29)}}`;
    const body = `{"state":${state},"baseEventId":"${eventId}"}`;
    expect((await world.ask('POST', `/v1/pixbooks/${bookId}/commands/save`, { key: 'k', body })).status).toBe(201);
    expect((await world.ask('GET', `/v1/pixbooks/${bookId}?asOf=1`)).status).toBe(200);
  });
});
