import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { pino } from 'pino';
import { afterEach, describe, expect, it } from 'vitest';
import { limits } from '../limits.ts';
import { createApp } from './app.ts';
import { furnish, makeWorld } from './ledger.fixture.ts';
import type { HttpParts } from './parts.ts';
import { type Served, type Serving, serve } from './serve.ts';

const log = pino({ level: 'silent' });
const host = '127.0.0.1';
const open: Serving[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((serving) => serving.stop()));
});

const serving = async (fetch: Served): Promise<Serving> => {
  const started = await serve(fetch, { host, port: 0, log });
  open.push(started);
  return started;
};

/** The service over memory parts, on a socket. */
const service = async (override?: (parts: HttpParts) => Partial<HttpParts>) => {
  const world = await makeWorld();
  const { Registry } = await import('prom-client');
  const parts = { ...world.parts, metrics: new Registry(), ...override?.(world.parts) };
  return { ...world, ...(await serving(createApp(parts).fetch)) };
};

/** What the server says to these bytes, until it closes. */
const raw = async (port: number, bytes: string): Promise<string> => {
  const socket = connect(port, host);
  socket.write(bytes);
  return text(socket);
};

const problemIn = (answer: string): { status: number; code: unknown; contentType: string | undefined } => {
  const [head = '', body = ''] = answer.split('\r\n\r\n');
  const problem = JSON.parse(body) as Record<string, unknown>;
  expect(head).toMatch(/x-request-id: /i);
  return { status: Number(head.split(' ')[1]), code: problem.code, contentType: /content-type: (.*)/i.exec(head)?.[1] };
};

describe('what is no request', () => {
  it.each([
    ['hello\r\n\r\n', 400, 'malformed-request'],
    ['GET / HTTP/1.1\r\nConnection: close\r\n\r\n', 400, 'malformed-request'],
    ['GET / HTTP/1.1\r\nHost: a b\r\nConnection: close\r\n\r\n', 400, 'malformed-request'],
    ['GET \\ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n', 400, 'malformed-request'],
    ['POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n', 400, 'malformed-request'],
    ['POST /v1/accounts HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n', 400, 'malformed-request'],
    [`GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`, 431, 'headers-too-large'],
  ])('%j is a problem too', async (bytes, status, code) => {
    const { port } = await service();
    expect(problemIn(await raw(port, bytes))).toEqual({ status, code, contentType: 'application/problem+json' });
  });
});

describe('a body on the wire', () => {
  it('that is not declared is counted, and cut off over the limit', async () => {
    const world = await service();
    const { bookId } = await furnish(world);
    const large = Buffer.alloc(limits.requestBodyBytes + 1, 0x20);
    const sent = request({ host, port: world.port, method: 'POST', path: `/v1/pixbooks/${bookId}/commands/save` });
    sent
      .setHeader('Authorization', 'Bearer usr_ada')
      .setHeader('Idempotency-Key', 'k')
      .setHeader('Content-Type', 'application/json');
    sent.on('error', () => undefined); // the server may close before all is sent
    sent.write(large.subarray(0, 1000));
    sent.write(large.subarray(1000));
    sent.end();
    const [answer] = (await once(sent, 'response')) as [import('node:http').IncomingMessage];
    expect([answer.statusCode, JSON.parse(await text(answer))]).toMatchObject([413, { code: 'body-too-large' }]);
  });

  it('is read in chunks as in one piece', async () => {
    const { url } = await service();
    const body = new ReadableStream({
      start: (controller) => {
        for (const piece of ['{', '}']) controller.enqueue(new TextEncoder().encode(piece));
        controller.close();
      },
    });
    const headers = { Authorization: 'Bearer usr_ada', 'Idempotency-Key': 'k', 'Content-Type': 'application/json' };
    const answer = await fetch(`${url}/v1/accounts`, { method: 'POST', headers, body, duplex: 'half' });
    expect(answer.status).toBe(201);
  });

  it('that is refused unread leaves the connection fit for the next request', async () => {
    const { url, port } = await service();
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const post = async (): Promise<number | undefined> => {
      const sent = request({
        host,
        port,
        agent,
        method: 'POST',
        path: '/v1/accounts',
        headers: { 'Content-Type': 'application/json' },
      });
      sent.end('{}');
      const [answer] = (await once(sent, 'response')) as [import('node:http').IncomingMessage];
      await text(answer);
      return answer.statusCode;
    };
    expect([await post(), await post(), await post()]).toEqual([401, 401, 401]);
    expect((await fetch(`${url}/health`)).status).toBe(200);
    agent.destroy();
  });
});

describe('a receipt on the wire', () => {
  it('is the store’s bytes', async () => {
    const world = await service();
    const { eventId } = await furnish(world);
    const answer = await fetch(`${world.url}/v1/receipts/${eventId}`, { headers: { Authorization: 'Bearer usr_ada' } });
    const key = [...world.objects.keys()].find((each) => each.includes(eventId)) ?? '';
    expect(Buffer.from(await answer.arrayBuffer())).toEqual(Buffer.from(world.objects.get(key) ?? []));
    expect(answer.headers.get('content-length')).toBe(String(world.objects.get(key)?.length));
  });

  it('is not sent twice to who has it', async () => {
    const world = await service();
    const { eventId, hash } = await furnish(world);
    const headers = { Authorization: 'Bearer usr_ada', 'If-None-Match': `"${hash}"` };
    const answer = await fetch(`${world.url}/v1/receipts/${eventId}`, { headers });
    expect([answer.status, await answer.text()]).toEqual([304, '']);
  });
});

describe('stopping', () => {
  it('lets requests finish that are being answered, and takes no others', async () => {
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    const { promise: entered, resolve: enter } = Promise.withResolvers<void>();
    const { url, stop, port } = await service(({ queries }) => ({
      queries: {
        ...queries,
        memberships: async (userId) => {
          enter();
          await released;
          return queries.memberships(userId);
        },
      },
    }));
    const asked = fetch(`${url}/v1/accounts`, { headers: { Authorization: 'Bearer usr_ada' } });
    await entered;
    const stopping = stop();
    await expect(fetch(`http://${host}:${port}/health`)).rejects.toThrow();
    release();
    expect((await asked).status).toBe(200);
    await stopping;
    await stop();
  });

  it('does not wait for connections that are only kept alive', async () => {
    const { url, stop } = await service();
    await (await fetch(`${url}/health`)).text(); // fetch keeps its connection
    const started = performance.now();
    await stop();
    expect(performance.now() - started).toBeLessThan(5_000);
  });
});

describe('starting', () => {
  it('on a port that is taken says so, and what to do', async () => {
    const { port } = await service();
    await expect(serve(() => new Response(), { host, port, log })).rejects.toThrow(`port ${port} on ${host} is taken: set PORT`);
  });

  it('tells where a person finds it', async () => {
    const { url, port } = await service();
    expect(url).toBe(`http://localhost:${port}`);
  });
});
