import { createHash } from 'node:crypto';
import { type IncomingMessage, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { inspect } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';
import { limits } from '../../limits.ts';
import { systemClock } from '../../port/clock.ts';
import { Outage } from '../../port/outage.ts';
import type { ReceiptStore } from '../../port/receipt-store.ts';
import { openS3Store } from './receipt-store.ts';

/**
 * What a well-behaved S3 never does, or cannot be made to do on demand, played by a server that answers as told. How a real one
 * behaves is the contract suite's to find out.
 */
type Answer = (request: IncomingMessage, response: ServerResponse, body: Buffer) => void;

const KEY = 'pixpax/accounts/acc_1/events/e.json';
const bytes = Buffer.from('{"a":1}');
const SECRET = 'correct-horse-battery-staple';
const closers: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

const serve = async (...answers: readonly Answer[]) => {
  const requests: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const answer = answers[Math.min(requests.length, answers.length - 1)];
      requests.push(request);
      answer?.(request, response, Buffer.concat(chunks));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  closers.push(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return { requests, endpoint: `http://127.0.0.1:${port}` };
};

const open = (endpoint: string, clock = systemClock): ReceiptStore => {
  const store = openS3Store(
    { bucket: 'receipts', endpoint, region: 'us-east-1', accessKeyId: 'AK', secretAccessKey: SECRET },
    clock,
  );
  closers.push(() => store.close());
  return store;
};

const says =
  (status: number, body = ''): Answer =>
  (_, response) =>
    response.writeHead(status, { 'content-type': 'application/xml' }).end(body);

const fault = (status: number, code: string, message = ''): Answer =>
  says(status, `<?xml version="1.0"?><Error><Code>${code}</Code><Message>${message}</Message></Error>`);

const listing = (keys: readonly string[], truncated: boolean): Answer =>
  says(
    200,
    `<?xml version="1.0"?><ListBucketResult><Name>receipts</Name><IsTruncated>${truncated}</IsTruncated>${keys
      .map((key) => `<Contents><Key>${key}</Key></Contents>`)
      .join('')}</ListBucketResult>`,
  );

const outageOf = async (call: Promise<unknown>): Promise<Outage> => {
  const error = await call.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof Outage)) throw new Error(`expected an Outage, got ${inspect(error)}`);
  return error;
};

describe('a create', () => {
  it('is one signed PUT of exactly these bytes, on the condition that the key is free', async () => {
    let received: Uint8Array = Buffer.alloc(0);
    const { requests, endpoint } = await serve((_, response, body) => {
      received = body;
      response.writeHead(200).end();
    });
    expect(await open(endpoint).create(KEY, new Uint8Array(Buffer.from('....{"a":1}')).subarray(4))).toBe('created');
    expect(received).toEqual(bytes);
    const [request] = requests;
    expect([request?.method, request?.url?.split('?')[0]]).toEqual(['PUT', `/receipts/${KEY}`]);
    expect(request?.headers).toMatchObject({
      'if-none-match': '*',
      'content-type': 'application/json',
      'content-length': '7',
      'x-amz-content-sha256': createHash('sha256').update(bytes).digest('hex'),
    });
    expect(Object.keys(request?.headers ?? {}).filter((name) => /checksum|expect|encoding/.test(name))).toEqual([]);
  });

  it('of a derived object that replaces another is the same PUT without the condition, sent once', async () => {
    const { requests, endpoint } = await serve(fault(503, 'SlowDown'), says(200));
    const store = open(endpoint);
    const key = 'pixpax/pixbooks/a/b/snapshot.json';
    await expect(store.replaceDerived(key, bytes)).rejects.toThrow(Outage);
    await store.replaceDerived(key, bytes);
    expect(requests.map(({ method, url }) => [method, url?.split('?')[0]])).toEqual([
      ['PUT', `/receipts/${key}`],
      ['PUT', `/receipts/${key}`],
    ]);
    expect(requests[1]?.headers).toMatchObject({ 'content-type': 'application/json', 'content-length': '7' });
    expect(requests[1]?.headers['if-none-match']).toBeUndefined();
  });

  it.each([
    [412, 'PreconditionFailed', 'exists'],
    [409, 'ConditionalRequestConflict', 'busy'],
    [409, 'OperationAborted', 'busy'],
  ] as const)('answered %d %s is "%s"', async (status, code, outcome) => {
    const { requests, endpoint } = await serve(fault(status, code));
    expect(await open(endpoint).create(KEY, bytes)).toBe(outcome);
    expect(requests).toHaveLength(1);
  });

  it.each([
    [503, 'SlowDown', 'store-unavailable', /SlowDown/],
    [500, 'InternalError', 'store-unavailable', /InternalError/],
    [429, 'TooManyRequests', 'store-unavailable', /429/],
    [400, 'RequestTimeout', 'deadline-exceeded', /RequestTimeout/],
    [403, 'AccessDenied', 'store-refused', /needs ListBucket, GetObject and PutObject/],
    [403, 'InvalidAccessKeyId', 'store-refused', /AWS_ACCESS_KEY_ID/],
    [403, 'SignatureDoesNotMatch', 'store-refused', /AWS_SECRET_ACCESS_KEY/],
    [403, 'RequestTimeTooSkewed', 'store-refused', /clock/],
    [401, 'Unauthorized', 'store-refused', /credentials/],
    [404, 'NoSuchBucket', 'store-refused', /create the bucket \(unversioned/],
    [301, 'PermanentRedirect', 'store-refused', /another endpoint or in another region/],
    [501, 'NotImplemented', 'store-refused', /If-None-Match/],
    [400, 'InvalidRequest', 'store-refused', /check the credentials/],
  ])('answered %d %s is an outage, sent once, that says what to do', async (status, code, kind, advice) => {
    const { requests, endpoint } = await serve(fault(status, code, `of ${SECRET}`));
    const outage = await outageOf(open(endpoint).create(KEY, bytes));
    expect(outage).toMatchObject({ code: kind, dependency: 'store' });
    expect(outage.message).toMatch(advice);
    expect(outage.message).toContain(`s3://receipts at ${endpoint}`);
    expect(inspect(outage, { depth: 20, showHidden: true })).not.toMatch(new RegExp(`${SECRET}|authorization|Signature=`, 'i'));
    expect(requests).toHaveLength(1);
  });

  it.each<[string, Answer]>([
    ['breaks the connection', (request) => request.socket.destroy()],
    ['answers what is not XML', says(500, 'oops')],
  ])('is sent once even if the server %s', async (_, answer) => {
    const { requests, endpoint } = await serve(answer);
    expect((await outageOf(open(endpoint).create(KEY, bytes))).code).toBe('store-unavailable');
    expect(requests).toHaveLength(1);
  });

  it('ends at the deadline, and its connection with it', async () => {
    const closed = Promise.withResolvers<void>();
    const { endpoint } = await serve((request) => {
      request.socket.once('close', () => closed.resolve());
      late.resolve();
    });
    const late = Promise.withResolvers<void>();
    const store = open(endpoint, { ...systemClock, sleep: () => late.promise });
    expect((await outageOf(store.create(KEY, bytes))).code).toBe('deadline-exceeded');
    await closed.promise;
  });

  it('waits in this process while all sockets are in use, and is never sent once its caller has given up', async () => {
    const waiting: ServerResponse[] = [];
    const full = Promise.withResolvers<void>();
    const { requests, endpoint } = await serve((_, response) => {
      if (waiting.push(response) === limits.s3Sockets) full.resolve();
    });
    let giveUp: (() => void)[] = [];
    const store = open(endpoint, { ...systemClock, sleep: () => new Promise((resolve) => giveUp.push(resolve)) });
    const first = Array.from({ length: limits.s3Sockets }, (_, at) => store.create(`first/${at}.json`, bytes));
    await full.promise;
    giveUp = [];
    const late = store.create('late.json', bytes);
    for (const each of giveUp) each();
    expect((await outageOf(late)).code).toBe('deadline-exceeded');
    for (const response of waiting) response.end();
    await Promise.all(first);
    expect(await Promise.race([store.read('after.json'), new Promise((resolve) => setImmediate(resolve))])).toBeUndefined();
    expect(requests.some(({ url }) => url?.includes('late'))).toBe(false);
  });

  it('to where nobody listens is an outage', async () => {
    expect((await outageOf(open('http://127.0.0.1:1').create(KEY, bytes))).message).toContain('ECONNREFUSED');
  });
});

describe('a read', () => {
  it('is tried again when the server is busy for a moment', async () => {
    const { requests, endpoint } = await serve(fault(503, 'SlowDown'), (_, response) => response.end(bytes));
    expect(Buffer.from((await open(endpoint).read(KEY)) ?? [])).toEqual(bytes);
    expect(requests).toHaveLength(2);
  });

  it('is null only for a missing object, not for a missing bucket', async () => {
    expect(await open((await serve(fault(404, 'NoSuchKey'))).endpoint).read(KEY)).toBeNull();
    expect((await outageOf(open((await serve(fault(404, 'NoSuchBucket'))).endpoint).read(KEY))).code).toBe('store-refused');
  });

  it('ends at the deadline even in the middle of a body', async () => {
    const late = Promise.withResolvers<void>();
    const { endpoint } = await serve((_, response) => {
      response.writeHead(200, { 'content-length': '100' }).write('{');
      late.resolve();
    });
    const store = open(endpoint, { ...systemClock, sleep: () => late.promise });
    expect((await outageOf(store.read(KEY))).code).toBe('deadline-exceeded');
  });

  it('does not take half a body for an object', async () => {
    const { endpoint } = await serve((request, response) => {
      response.writeHead(200, { 'content-length': '100' }).write('{', () => request.socket.destroy());
    });
    await outageOf(open(endpoint).read(KEY));
  });
});

describe('the question whether an object exists', () => {
  it('is answered no only when the bucket is there', async () => {
    const there = await serve(says(404), fault(404, 'NoSuchKey'));
    expect(await open(there.endpoint).exists(KEY)).toBe(false);
    expect(there.requests.map(({ method }) => method)).toEqual(['HEAD', 'GET']);
    const gone = await serve(says(404), fault(404, 'NoSuchBucket'));
    expect((await outageOf(open(gone.endpoint).exists(KEY))).code).toBe('store-refused');
  });
});

describe('a listing', () => {
  const prefix = 'p/';
  it('asks on, after the last key it saw, when the server gives less than there is', async () => {
    const { requests, endpoint } = await serve(listing(['p/a', 'p/b'], true), listing(['p/c'], true), listing(['p/d'], false));
    expect(await open(endpoint).list({ prefix, limit: 10, startAfter: 'p/0' })).toEqual(['p/a', 'p/b', 'p/c', 'p/d']);
    const asked = requests.map(({ url }) => new URL(url ?? '', endpoint).searchParams);
    expect(asked.map((query) => [query.get('start-after'), query.get('max-keys'), query.get('continuation-token')])).toEqual([
      ['p/0', '10', null],
      ['p/b', '8', null],
      ['p/c', '7', null],
    ]);
  });

  it.each([
    ['repeats a key', [listing(['p/a', 'p/b'], true), listing(['p/b', 'p/c'], false)]],
    ['is out of order', [listing(['p/b', 'p/a'], false)]],
    ['strays from the prefix', [listing(['p/a', 'q/b'], false)]],
    ['never ends', [listing(['p/a'], true), listing([], true)]],
  ])('that %s is an outage rather than a wrong answer', async (_, answers) => {
    const { endpoint } = await serve(...answers);
    await outageOf(open(endpoint).list({ prefix, limit: 10 }));
  });
});
