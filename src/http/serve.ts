import { type Server, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { RequestError, getRequestListener } from '@hono/node-server';
import type { Logger } from 'pino';
import { limits } from '../limits.ts';
import { type Problem, internalError, problemAnswer } from './problem.ts';
import { requestContextOf } from './request-context.ts';
import { type SecurityFields, securityFields } from './security-field.ts';
import { responseOf } from './shell.ts';

/** What is served: the app of `createApp`. */
export type Served = Parameters<typeof getRequestListener>[0];

export type ServeOptions = {
  readonly host: string;
  readonly port: number;
  readonly log: Logger;
  /** Where clients reach us. */
  readonly publicUrl?: string;
  /** Instead of `limits`: for tests, which have no time. */
  readonly bounds?: Partial<Bounds>;
};

/** What one client may take of us, in time and connections. */
type Bounds = {
  readonly [N in
    | 'requestHeadersMs'
    | 'requestArrivalMs'
    | 'silentConnectionMs'
    | 'refusedConnectionMs'
    | 'httpConnections']: number;
};

export type Serving = {
  /** Where a person on this machine finds it. */
  readonly url: string;
  readonly port: number;
  /**
   * Takes no new connections, lets requests that are being answered finish within `limits.drainMs`, and then cuts off the rest. A command that is cut
   * off may have written its receipt: its client repeats it with the same key. May be called again; answers when all is closed.
   */
  stop(): Promise<void>;
};

/** Serves HTTP/1.1. Port 0 takes a free one. Rejects with an Error that says what to do when the port cannot be had. */
export const serve = async (fetch: Served, { host, port, log, publicUrl = '', bounds = {} }: ServeOptions): Promise<Serving> => {
  const bound: Bounds = { ...limits, ...bounds };
  const common = { origins: NO_ORIGINS, securityFields: securityFields(publicUrl) };
  const listener = getRequestListener(fetch, { errorHandler: (fault) => problemResponse(log, common, fault) });
  const server = createServer(
    {
      maxHeaderSize: limits.requestHeaderBytes,
      headersTimeout: bound.requestHeadersMs,
      requestTimeout: bound.requestArrivalMs, // however steadily the bytes drip in
      keepAliveTimeout: limits.keepAliveMs,
      connectionsCheckingInterval: bound.requestHeadersMs / 2,
      requireHostHeader: false, // Node's own answer has no body: ours is a problem like every other
    },
    (request, response) => void listener(request, response),
  );
  server.maxConnections = bound.httpConnections;
  server.timeout = bound.silentConnectionMs;
  answerBrokenRequests(server, bound, common.securityFields);
  const boundPort = await listening(server, host, port);
  let stopped: Promise<void> | null = null;
  return {
    url: `http://${nameOf(host)}:${boundPort}`,
    port: boundPort,
    stop: () => (stopped ??= drained(server)),
  };
};

const listening = (server: Server, host: string, port: number): Promise<number> =>
  new Promise((resolve, reject) => {
    server.once('error', (fault: NodeJS.ErrnoException) => reject(explained(fault, host, port)));
    server.listen(port, host, () => resolve((server.address() as AddressInfo).port));
  });

const explained = (fault: NodeJS.ErrnoException, host: string, port: number): Error => {
  if (fault.code === 'EADDRINUSE')
    return new Error(`port ${port} on ${host} is taken: set PORT to another, or stop what listens there`, { cause: fault });
  if (fault.code === 'EACCES')
    return new Error(`port ${port} on ${host} is not for this user: set PORT to one from 1024 on`, { cause: fault });
  return fault;
};

const nameOf = (host: string): string => {
  if (host === '0.0.0.0' || host === '::' || host === '127.0.0.1' || host === '::1') return 'localhost';
  return host.includes(':') ? `[${host}]` : host;
};

/** How often a stopping server looks for connections that have become idle: keep-alive would hold them open. */
const IDLE_SWEEP_MS = 20;

const drained = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    const sweep = setInterval(() => server.closeIdleConnections(), IDLE_SWEEP_MS);
    const deadline = setTimeout(() => server.closeAllConnections(), limits.drainMs);
    server.close(() => {
      clearInterval(sweep);
      clearTimeout(deadline);
      resolve();
    });
    server.closeIdleConnections();
  });

/** What goes wrong before the app has the request, or after it let go of it. */
const problemResponse = (log: Logger, common: Parameters<typeof responseOf>[3], fault: unknown): Response => {
  const isRefusal = fault instanceof RequestError;
  if (!isRefusal) log.error({ err: fault }, 'the server failed');
  const problem = isRefusal ? brokenRequest(`the request cannot be read: ${fault.message.toLowerCase()}`) : internalError;
  const context = requestContextOf(null, null);
  return responseOf(problemAnswer(problem, '/', context), context, null, common);
};

const NO_ORIGINS: ReadonlySet<string> = new Set();

const brokenRequest = (detail: string): Problem => ({ code: 'malformed-request', detail });

/** What the parser of HTTP refuses, and what does not arrive in time, gets a problem too, unless an answer is under way already. */
const answerBrokenRequests = (server: Server, bound: Bounds, common: SecurityFields): void => {
  const latest = new WeakMap<Duplex, ServerResponse>();
  server.on('request', ({ socket }, response) => latest.set(socket, response));
  server.on('clientError', (fault: NodeJS.ErrnoException, socket) => {
    const response = latest.get(socket);
    const underWay = response?.headersSent === true && !response.writableFinished;
    if (fault.code === 'ECONNRESET' || !socket.writable || underWay) {
      socket.destroy();
      return;
    }
    socket.end(rawAnswer(problemFor(fault.code, bound), common));
    // Who neither reads this nor closes would keep the connection for ever.
    const over = setTimeout(() => socket.destroy(), bound.refusedConnectionMs);
    socket.once('close', () => clearTimeout(over));
  });
};

const problemFor = (code: string | undefined, { requestArrivalMs }: Bounds): Problem => {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return { code: 'headers-too-large', detail: `header fields have at most ${limits.requestHeaderBytes} bytes` };
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return { code: 'request-timeout', detail: `a request arrives within ${requestArrivalMs} ms` };
    default:
      return brokenRequest('these bytes are not an HTTP/1.1 request');
  }
};

const rawAnswer = (problem: Problem, common: SecurityFields): string => {
  const context = requestContextOf(null, null);
  const { status, headers, body } = problemAnswer(problem, '/', context);
  const text = typeof body === 'string' ? body : '';
  const fields = {
    ...common,
    ...headers,
    'X-Request-Id': context.requestId,
    'Content-Length': String(Buffer.byteLength(text)),
    Connection: 'close',
  };
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} Refused\r\n${lines.join('')}\r\n${text}`;
};
