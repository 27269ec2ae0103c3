import { once } from 'node:events';
import { type Socket, connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { pino } from 'pino';
import { afterEach, describe, expect, it } from 'vitest';
import { limits } from '../limits.ts';
import { createApp } from './app.ts';
import { ADA, type World, furnish, makeWorld } from './ledger.fixture.ts';
import { type ServeOptions, type Served, type Serving, serve } from './serve.ts';

const host = '127.0.0.1';
const open: Serving[] = [];
const sockets: Socket[] = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await Promise.all(open.splice(0).map((serving) => serving.stop()));
});

const serving = async (fetch: Served, bounds: ServeOptions['bounds'] = {}): Promise<Serving> => {
  const started = await serve(fetch, { host, port: 0, log: pino({ level: 'silent' }), bounds });
  open.push(started);
  return started;
};

/** Little time for requests to arrive in. */
const HURRY = { requestHeadersMs: 100, requestArrivalMs: 200, refusedConnectionMs: 100 };

/** The service over memory parts, on a socket. */
const service = async (bounds?: ServeOptions['bounds']): Promise<World & Serving> => {
  const world = await makeWorld();
  return { ...world, ...(await serving(createApp({ ...world.parts, metrics: new (await registry())() }).fetch, bounds)) };
};
const registry = async () => (await import('prom-client')).Registry;

const dial = (port: number, allowHalfOpen = false): Socket => {
  const socket = connect({ port, host, allowHalfOpen });
  sockets.push(socket);
  return socket;
};

/** Resolves when it is closed, by whom and however rudely. */
const closed = (socket: Socket): Promise<void> =>
  new Promise((resolve) => {
    socket.on('error', () => undefined);
    socket.once('close', () => resolve());
  });

/** Says `first`, and then `more` again and again until the connection is closed; answers what came back. */
const dripping = async (socket: Socket, first: string, more: string): Promise<string> => {
  let heard = '';
  socket.setEncoding('utf8').on('data', (part: string) => (heard += part));
  socket.write(first);
  const drip = setInterval(() => socket.write(more), 10);
  await closed(socket);
  clearInterval(drip);
  return heard;
};

const head = (path: string, ...fields: readonly string[]): string =>
  [
    `POST ${path} HTTP/1.1`,
    'Host: localhost',
    `Authorization: Bearer ${ADA}`,
    `Idempotency-Key: ${crypto.randomUUID()}`,
    'Content-Type: application/json',
    ...fields,
    '\r\n',
  ].join('\r\n');

const told = (answer: string): readonly [number, unknown] => {
  const [fields = '', body = ''] = answer.split('\r\n\r\n');
  return [Number(fields.split(' ')[1]), (JSON.parse(body) as { code: unknown }).code];
};

/** What the server says to these bytes, until it closes or has said all. */
const answerTo = async (port: number, bytes: string): Promise<readonly [number, unknown]> => {
  const socket = dial(port);
  socket.on('error', () => undefined); // it may close before it has heard all
  socket.write(bytes);
  return told(await text(socket));
};

describe('a request that takes its time', () => {
  it.each([
    ['a body of known length, a byte at a time', head('/v1/accounts', 'Content-Length: 100000'), ' '],
    ['a body in chunks, a byte at a time', head('/v1/accounts', 'Transfer-Encoding: chunked'), '1\r\n \r\n'],
    ['a header without end', 'GET / HTTP/1.1\r\nHost: localhost\r\n', 'X: y\r\n'],
    ['nothing but half a line', 'GET /', ''],
  ])('is cut: %s', async (_name, first, more) => {
    const { port } = await service(HURRY);
    expect(told(await dripping(dial(port), first, more))).toEqual([408, 'request-timeout']);
  });

  it('is cut also when nobody needs its body: the answer is there long before', async () => {
    const { port } = await service(HURRY);
    const anonymous = head('/v1/accounts', 'Content-Length: 100000').replace(ADA, 'nobody at all');
    expect(await dripping(dial(port), anonymous, ' ')).toMatch(/^HTTP\/1.1 401 /);
  });

  it('is cut off hard when the client does not take the hint', async () => {
    const { port } = await service(HURRY);
    const socket = dial(port, true); // its end stays open when ours is closed
    expect(told(await dripping(socket, head('/v1/accounts', 'Content-Length: 100000'), ' '))).toEqual([408, 'request-timeout']);
  });

  it('keeps no other request waiting, not even one about the same pixbook', async () => {
    const world = await service();
    const { bookId, eventId } = await furnish(world);
    const path = `/v1/pixbooks/${bookId}/commands/save`;
    const stuck = dial(world.port);
    stuck.write(`${head(path, 'Content-Length: 1000')}{"state":`);
    await once(stuck, 'connect');
    const body = JSON.stringify({ state: {}, baseEventId: eventId });
    const answer = await fetch(`${world.url}${path}`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${ADA}`, 'Idempotency-Key': 'swift', 'Content-Type': 'application/json' },
      body,
    });
    expect(answer.status).toBe(201);
  });
});

describe('a client that does not read', () => {
  it('is cut once nothing has moved for a while', async () => {
    const { promise: gaveUp, resolve: giveUp } = Promise.withResolvers<void>();
    const endless = () =>
      new ReadableStream<Uint8Array>({
        pull: (controller) => controller.enqueue(new Uint8Array(65_536)),
        cancel: () => giveUp(),
      });
    const { port } = await serving(() => new Response(endless()), { silentConnectionMs: 100 });
    const socket = dial(port).pause();
    socket.on('error', () => undefined);
    socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await gaveUp;
  });
});

describe('connections', () => {
  it('beyond what one process serves are closed at once, and the others are not', async () => {
    const { port } = await service({ httpConnections: 2 });
    const [first, second] = [dial(port), dial(port)];
    await Promise.all([once(first, 'connect'), once(second, 'connect')]);
    const third = dial(port);
    await closed(third.resume());
    first.write('GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
    expect(await text(first)).toMatch(/^HTTP\/1.1 200 /);
  });
});

describe('a request that is too much', () => {
  const deep = '['.repeat(limits.jsonDepth) + ']'.repeat(limits.jsonDepth);
  const close = 'Connection: close';
  it.each([
    [
      'declares too large a body, of which nothing is waited for',
      head('/v1/accounts', close, `Content-Length: ${limits.requestBodyBytes + 1}`),
      [413, 'body-too-large'],
    ],
    [
      'sends too large a body in chunks',
      `${head('/v1/accounts', close, 'Transfer-Encoding: chunked')}${(limits.requestBodyBytes + 1).toString(16)}\r\n${' '.repeat(limits.requestBodyBytes + 1)}\r\n`,
      [413, 'body-too-large'],
    ],
    ['nests too deep', head('/v1/accounts', close, `Content-Length: ${deep.length}`) + deep, [400, 'invalid-json']],
    [
      'has one header field too long',
      head('/v1/accounts', close, `X-Long: ${'x'.repeat(limits.requestHeaderBytes)}`),
      [431, 'headers-too-large'],
    ],
    [
      'has too many header fields',
      head('/v1/accounts', close, ...Array.from({ length: 3_000 }, (_, n) => `X-${n}: y`)),
      [431, 'headers-too-large'],
    ],
    [
      'is told to wait for a length it does not keep to',
      `${head('/v1/accounts', close, 'Content-Length: 2', 'Transfer-Encoding: chunked')}0\r\n\r\n`,
      [400, 'malformed-request'],
    ],
  ])('is refused: it %s', async (_name, bytes, refusal) => {
    const { port } = await service();
    expect(await answerTo(port, bytes)).toEqual(refusal);
  });
});
