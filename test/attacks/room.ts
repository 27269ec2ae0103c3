import { once } from 'node:events';
import { request } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { createApp } from '../../src/http/app.ts';
import { type Crowd, makeCrowd } from '../../src/http/crowded.fixture.ts';
import type { HttpParts } from '../../src/http/parts.ts';
import { serve } from '../../src/http/serve.ts';
import { signedUp } from '../../src/http/signed-up.fixture.ts';

const host = '127.0.0.1';

export type Answered = { readonly status: number; readonly fields: Readonly<Record<string, unknown>>; readonly body: string };

export type Sent = {
  readonly as?: string | null;
  readonly headers?: Readonly<Record<string, string | string[]>>;
  readonly body?: string | Uint8Array;
};

/** A world with one of everything, behind a real socket. */
export type Room = {
  readonly crowd: Crowd;
  /** Every key that the store was asked for since the last time this was read. */
  readonly askedKeys: () => readonly string[];
  /** Sends a request whose target stands in the request line as it is given here: nothing tidies it up. */
  readonly send: (method: string, target: string, sent?: Sent) => Promise<Answered>;
  /** What the server says to these bytes until it closes, which it must. */
  readonly raw: (bytes: string | Uint8Array) => Promise<string>;
  readonly stop: () => Promise<void>;
};

export const openRoom = async (): Promise<Room> => {
  let asked: string[] = [];
  const watched = ({ store, ...parts }: HttpParts): Partial<HttpParts> => ({
    ...signedUp(parts),
    store: {
      ...store,
      read: (key) => {
        asked.push(key);
        return store.read(key);
      },
    },
  });
  const crowd = await makeCrowd(watched);
  const log = pino({ level: 'silent' });
  const app = createApp({ ...crowd.world.parts, metrics: new Registry() });
  const { port, stop } = await serve(app.fetch, { host, port: 0, log, bounds: { refusedConnectionMs: 1_000 } });
  return {
    crowd,
    askedKeys: () => {
      const seen = asked;
      asked = [];
      return seen;
    },
    send: async (method, target, { as = null, headers = {}, body } = {}) => {
      const bearer = as === null ? {} : { Authorization: `Bearer ${as}` };
      const sent = request({ host, port, method, path: target, headers: { ...bearer, ...headers }, agent: false });
      sent.on('error', () => undefined); // the server may close before all is sent
      sent.end(body);
      const [answer] = (await once(sent, 'response')) as [import('node:http').IncomingMessage];
      return { status: answer.statusCode ?? 0, fields: answer.headers, body: await text(answer) };
    },
    raw: async (bytes) => {
      const socket = connect(port, host);
      socket.write(bytes);
      const chunks: Buffer[] = [];
      socket.on('data', (chunk: Buffer) => chunks.push(chunk)).on('error', () => undefined);
      await once(socket, 'close');
      return Buffer.concat(chunks).toString('latin1');
    },
    stop,
  };
};

/** The code of a problem. */
export const codeIn = ({ body }: Pick<Answered, 'body'>): unknown => (JSON.parse(body) as Record<string, unknown>).code;
