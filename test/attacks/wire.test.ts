import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { MEMBER, OWNER } from '../../src/http/crowded.fixture.ts';
import { type Room, codeIn, openRoom } from './room.ts';

/** Requests as bytes, and header fields as no client would send them. */

let room: Room;
let objects: number;
beforeAll(async () => {
  room = await openRoom();
});
beforeEach(() => {
  objects = room.crowd.world.objects.size;
});
afterAll(() => room.stop());

/** A second request, hidden in the body of the first: whoever is fooled answers twice, and opens an account. */
const HIDDEN = [
  ...['POST /v1/accounts HTTP/1.1', 'Host: localhost', `Authorization: Bearer ${OWNER}`, 'Idempotency-Key: smuggled'],
  ...['Content-Length: 0', 'Connection: close', '', ''],
].join('\r\n');

const post = (fields: readonly string[], body: string): string =>
  ['POST /v1/accounts HTTP/1.1', 'Host: localhost', 'Content-Type: application/json', ...fields, '', body].join('\r\n');

const statusLines = (answer: string): readonly string[] => answer.match(/HTTP\/1\.1 \d{3}/g) ?? [];

describe('a request hidden in another', () => {
  it.each([
    ['two lengths', ['Content-Length: 5', `Content-Length: ${5 + HIDDEN.length}`], `{}   ${HIDDEN}`],
    ['two lengths in one field', [`Content-Length: 5, ${5 + HIDDEN.length}`], `{}   ${HIDDEN}`],
    ['the same length twice', ['Content-Length: 5', 'Content-Length: 5'], `{}   ${HIDDEN}`],
    ['a length and chunks', ['Content-Length: 5', 'Transfer-Encoding: chunked'], `0\r\n\r\n${HIDDEN}`],
    ['chunks and a length', ['Transfer-Encoding: chunked', 'Content-Length: 5'], `0\r\n\r\n${HIDDEN}`],
    ['chunks that are not last', ['Transfer-Encoding: chunked, identity'], `0\r\n\r\n${HIDDEN}`],
    ['chunks twice', ['Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'], `0\r\n\r\n${HIDDEN}`],
    ['a coding that is none', ['Transfer-Encoding: xchunked'], `0\r\n\r\n${HIDDEN}`],
    ['a blank before the colon', ['Transfer-Encoding : chunked', 'Content-Length: 5'], `0\r\n\r\n${HIDDEN}`],
    ['a control character before the coding', ['Transfer-Encoding: \u000bchunked', 'Content-Length: 5'], `0\r\n\r\n${HIDDEN}`],
    ['a folded field', ['Transfer-Encoding:', ' chunked', 'Content-Length: 5'], `0\r\n\r\n${HIDDEN}`],
    ['a folded length', ['Content-Length: 5', ` ${HIDDEN.length}`], `{}   ${HIDDEN}`],
    ['a length below nothing', ['Content-Length: -1'], HIDDEN],
    ['a length with a sign', ['Content-Length: +5'], `{}   ${HIDDEN}`],
    ['a hexadecimal length', ['Content-Length: 0x5'], `{}   ${HIDDEN}`],
    ['a length beyond all numbers', ['Content-Length: 99999999999999999999'], HIDDEN],
    ['a chunk of a size that is none', ['Transfer-Encoding: chunked'], `zz\r\n{}\r\n0\r\n\r\n${HIDDEN}`],
    ['a chunk of a size below nothing', ['Transfer-Encoding: chunked'], `-1\r\n{}\r\n0\r\n\r\n${HIDDEN}`],
    ['a chunk of a size beyond all numbers', ['Transfer-Encoding: chunked'], `ffffffffffffffffff\r\n{}\r\n0\r\n\r\n${HIDDEN}`],
    ['a chunk longer than it says', ['Transfer-Encoding: chunked'], `2\r\n{}x\r\n0\r\n\r\n${HIDDEN}`],
    ['a line that ends too soon', ['X: a\nTransfer-Encoding: chunked', 'Content-Length: 5'], `0\r\n\r\n${HIDDEN}`],
    ['a carriage return alone', ['X: a\rTransfer-Encoding: chunked', 'Content-Length: 5'], `0\r\n\r\n${HIDDEN}`],
    ['a NUL in a field', ['X: a\u0000b', 'Content-Length: 5'], `{}   ${HIDDEN}`],
    ['a field without a name', [': x', 'Content-Length: 5'], `{}   ${HIDDEN}`],
  ])('by %s is not found', async (_, fields, body) => {
    const answer = await room.raw(post(fields, body));
    // The first may be answered before its body is found to be broken: nobody is signed in.
    expect(['HTTP/1.1 400', 'HTTP/1.1 401,HTTP/1.1 400']).toContain(statusLines(answer).join(','));
    expect(answer).toMatch(/connection: close/i);
    expect(answer).toContain('"code":"malformed-request"');
    expect(room.crowd.world.objects.size).toBe(objects);
  });

  it('goes through in the open: the attacks above fail for what they are', async () => {
    expect(statusLines(await room.raw(HIDDEN))).toEqual(['HTTP/1.1 201']);
    expect(room.crowd.world.objects.size).toBeGreaterThan(objects);
  });
});

describe('bytes that are another protocol', () => {
  it.each([
    ['HTTP/2 by prior knowledge', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['HTTP/0.9', 'GET /\r\n\r\n'],
    ['a version to come', 'GET / HTTP/9.9\r\nHost: localhost\r\n\r\n'],
    ['TLS', Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03, 0x03, 0x0d, 0x0a, 0x0d, 0x0a])],
    ['a proxy’s own', 'PROXY TCP4 203.0.113.1 203.0.113.2 1 2\r\nGET / HTTP/1.1\r\nHost: localhost\r\n\r\n'],
    ['a method that is none', 'G@T / HTTP/1.1\r\nHost: localhost\r\n\r\n'],
  ])('%s is told so, and the connection is closed', async (_, bytes) => {
    const answer = await room.raw(bytes);
    expect(statusLines(answer)).toEqual(['HTTP/1.1 400']);
    expect(answer).not.toMatch(/\r\nserver:/i);
  });

  it.each(['TRACE', 'DELETE', 'PATCH', 'PROPFIND', 'TRACK'])('%s is not taken, and shows nothing back', async (method) => {
    const answer = await room.send(method, '/v1/accounts', { as: OWNER, headers: { 'X-Canary': 'canary' } });
    expect([
      [405, 'method-not-allowed'],
      [400, 'malformed-request'],
    ]).toContainEqual([answer.status, codeIn(answer)]);
    expect(answer.body).not.toContain('canary');
  });

  it('CONNECT is no way through to another host', async () => {
    const answer = await room.raw('CONNECT internal.example:5432 HTTP/1.1\r\nHost: internal.example:5432\r\n\r\n');
    expect(statusLines(answer).filter((line) => line.includes(' 2'))).toEqual([]);
  });

  it('an upgrade is not taken', async () => {
    const fields = ['Upgrade: websocket', 'Connection: Upgrade, close', 'Sec-WebSocket-Key: x', 'Sec-WebSocket-Version: 13'];
    const answer = await room.raw(['GET /health HTTP/1.1', 'Host: localhost', ...fields, '', ''].join('\r\n'));
    expect(statusLines(answer)).toEqual(['HTTP/1.1 200']);
  });
});

describe('header fields that say who we are, or what was meant', () => {
  const seen = async (target: string, headers: Readonly<Record<string, string>>, method = 'GET') => {
    const { status, fields, body } = await room.send(method, target, { as: MEMBER, headers });
    const { date: _d, 'x-request-id': _r, ...rest } = fields;
    return { status, fields: rest, body: body.replaceAll(/"(requestId|traceId)":"[^"]*"/g, '') };
  };

  it.each([
    ['Host', { Host: 'evil.example' }],
    ['Host with a port', { Host: 'localhost:1' }],
    ['X-Forwarded-Host', { 'X-Forwarded-Host': 'evil.example' }],
    ['X-Forwarded-Proto', { 'X-Forwarded-Proto': 'https', 'X-Forwarded-Port': '443' }],
    ['Forwarded', { Forwarded: 'host=evil.example;proto=https;for=127.0.0.1' }],
    ['X-Original-URL', { 'X-Original-URL': '/v1/admin/runs', 'X-Rewrite-URL': '/v1/admin/runs' }],
    ['addresses of ours', { 'X-Forwarded-For': '127.0.0.1', 'X-Real-IP': '127.0.0.1', 'X-Client-IP': '127.0.0.1' }],
    ['a user', { 'X-User-Id': 'usr_operator', 'X-Forwarded-User': 'usr_operator', 'X-Remote-User': 'usr_operator' }],
    ['a method', { 'X-HTTP-Method-Override': 'DELETE', 'X-Method-Override': 'PUT', 'X-HTTP-Method': 'POST' }],
    ['a tenant', { 'X-Account-Id': 'acc_operator', 'X-Tenant': 'acc_operator' }],
  ])('%s changes nothing', async (_, headers) => {
    const { bookId, accountId } = room.crowd;
    for (const target of [
      `/v1/pixbooks/${bookId}`,
      `/v1/accounts/${accountId}/usage`,
      '/v1/admin/runs',
      '/',
      '/.well-known/pixpax-ledger.json',
    ])
      expect(await seen(target, headers)).toEqual(await seen(target, {}));
    expect(room.crowd.world.objects.size).toBe(objects);
  });

  it.each([
    ['our own', 'http://localhost'],
    ['another', 'http://evil.example'],
    ['one with a name and a password', 'http://a:b@evil.example'],
  ])('a target with a host before its path (%s) is the path', async (_, host) => {
    const { bookId } = room.crowd;
    expect(await seen(`${host}/v1/pixbooks/${bookId}`, {})).toEqual(await seen(`/v1/pixbooks/${bookId}`, {}));
    expect((await seen(`${host}/nothing`, {})).status).toBe(404);
  });

  it.each([
    ['a blank', 'a b'],
    ['letters beyond ASCII', Buffer.from('schlüssel').toString('latin1')],
    ['a tab', 'a\tb'],
    ['256 letters', 'k'.repeat(256)],
    ['nothing', ''],
  ])('an Idempotency-Key of %s is refused', async (_, key) => {
    const answer = await room.send('POST', '/v1/accounts', { as: MEMBER, headers: { 'Idempotency-Key': key } });
    expect(answer.status).toBe(400);
    expect(room.crowd.world.objects.size).toBe(objects);
  });

  it('two Idempotency-Keys are none', async () => {
    const answer = await room.send('POST', '/v1/accounts', { as: MEMBER, headers: { 'Idempotency-Key': ['a', 'b'] } });
    expect([answer.status, codeIn(answer)]).toEqual([400, 'idempotency-key-malformed']);
  });

  it.each(['X-Request-Id', 'traceparent', 'Accept', 'Origin', 'If-None-Match', 'Idempotency-Key', 'If-Match'])(
    'a line break that %s is asked to carry ends where it begins',
    async (name) => {
      const twisted = [
        'POST /v1/accounts HTTP/1.1',
        'Host: localhost',
        `Authorization: Bearer ${MEMBER}`,
        `${name}: a%0d%0aX-Evil: 1\u2028\u560d\u560aX-Evil: 2`,
      ];
      const answer = await room.raw(
        Buffer.from([...twisted, 'Content-Length: 0', 'Connection: close', '', ''].join('\r\n'), 'utf8'),
      );
      expect(statusLines(answer)).toHaveLength(1);
      expect(answer).not.toMatch(/^x-evil/im);
    },
  );

  it('two Authorization fields are not two chances', async () => {
    const answer = await room.raw(
      [
        'GET /v1/accounts HTTP/1.1',
        'Host: localhost',
        'Authorization: Bearer nobody.nobody',
        `Authorization: Bearer ${MEMBER}`,
        'Connection: close',
        '',
        '',
      ].join('\r\n'),
    );
    expect(statusLines(answer)).toEqual(['HTTP/1.1 401']);
  });

  it('a thousand fields are too many', async () => {
    const fields = Array.from({ length: 3_000 }, (_, i) => `X-${i}: 1`);
    const answer = await room.raw(
      ['GET /health HTTP/1.1', 'Host: localhost', ...fields, 'Connection: close', '', ''].join('\r\n'),
    );
    expect(statusLines(answer)).toEqual(['HTTP/1.1 431']);
  });
});
