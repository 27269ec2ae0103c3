import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { demoCollectionId, demoUser } from '../../src/service/demo.ts';
import { type Measured, measure } from './latency.ts';
import { smallState } from './ledger-on-disk.ts';

const seconds = Number(process.env.BENCH_SECONDS ?? 5);

type Reply = { readonly status: number; readonly body: Record<string, unknown> };

/** A client on kept connections, as cheap as node:http allows: what it costs is taken from the same cores as the service. */
const clientOf = (url: string, token: string, agent: Agent) => {
  const { hostname, port } = new URL(url);
  let asked = 0;
  return (method: string, path: string, body?: unknown): Promise<Reply> =>
    new Promise((resolve, reject) => {
      const text = body === undefined ? undefined : JSON.stringify(body);
      const headers: Record<string, string> = { authorization: `Bearer ${token}` };
      if (text !== undefined)
        Object.assign(headers, {
          'content-type': 'application/json',
          'content-length': String(Buffer.byteLength(text)),
          'idempotency-key': `bench-${process.pid}-${asked++}`,
        });
      const sent = request({ hostname, port, method, path, headers, agent }, (response) => {
        let received = '';
        response.setEncoding('utf8');
        response.on('data', (part: string) => (received += part));
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body: JSON.parse(received) as Reply['body'] }));
      });
      sent.on('error', reject);
      sent.end(text);
    });
};

/** The service as `npm start` runs it, and the same with everybody taken for the demo's collector without a look. */
const REAL = '../../src/main.ts';
const UNAUTHENTICATED = './service-without-authentication.ts';

/** The service in a process of its own. Nobody's requests are counted: the limits would be what is measured. */
const startService = async (program: string, dataDir: string) => {
  const path = fileURLToPath(new URL(program, import.meta.url));
  const own = { DATA_DIR: dataDir, PORT: '0', LOG_LEVEL: 'error', UV_THREADPOOL_SIZE: '16', RATE_LIMITS: 'off' };
  const child = spawn(process.execPath, [path, 'serve'], {
    env: { ...process.env, ...own },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  for await (const line of createInterface({ input: child.stdout })) {
    const url = /^PixPax receipt ledger\s+(\S+)/.exec(line)?.[1];
    if (url === undefined) continue;
    child.stdout.resume();
    const stop = async (): Promise<void> => {
      child.kill('SIGTERM');
      await once(child, 'exit');
    };
    return { url, stop };
  }
  throw new Error('the service did not start');
};

export type HttpResult = {
  readonly streams: number;
  readonly save: Measured;
  readonly health: Measured;
  /** Saves with authentication over saves without, each round of the one beside one of the other: the median. */
  readonly authenticated: { readonly ratio: number; readonly without: number };
};

const ROUNDS = 5;

/** A running service and books to save in, one to a lane. */
const openBench = async (program: string) => {
  const dataDir = await mkdtemp(join(tmpdir(), 'pixpax-bench-http-'));
  const service = await startService(program, dataDir);
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  const ask = clientOf(service.url, (await readFile(join(dataDir, 'secrets', 'demo-token'), 'utf8')).trim(), agent);
  const accounts = (await ask('GET', '/v1/accounts')).body as { data: { accountId: string }[] };
  const accountId = accounts.data[0]?.accountId;
  return {
    ask,
    newBook: async () => {
      // Of one collection an identity has one open book.
      const identity = await ask('POST', `/v1/accounts/${accountId}/identities`, { controller: demoUser.userId });
      const { identityId } = identity.body;
      const { status, body } = await ask('POST', '/v1/pixbooks', { accountId, identityId, collectionId: demoCollectionId });
      if (status !== 201) throw new Error(JSON.stringify(body));
      return { path: `/v1/pixbooks/${String(body.bookId)}/commands/save`, head: body.eventId };
    },
    close: async () => {
      agent.destroy();
      await service.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
};
type Bench = Awaited<ReturnType<typeof openBench>>;

/** Saves on `streams` lanes for some seconds. */
const savingOn = async ({ ask, newBook }: Bench, streams: number) => {
  const books = await Promise.all(Array.from({ length: streams }, newBook));
  return (forSeconds: number): Promise<Measured> =>
    measure(streams, forSeconds, async (lane, turn) => {
      const book = books[lane];
      if (book === undefined) throw new Error('no such lane');
      const { status, body } = await ask('POST', book.path, { state: smallState(turn), baseEventId: book.head });
      if (status !== 201) throw new Error(JSON.stringify(body));
      book.head = body.eventId;
    });
};

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

/** Saves through HTTP, one connection and one book to a lane, beside a request that does nothing, and beside a service that lets in anyone. */
export const benchHttp = async (): Promise<readonly HttpResult[]> => {
  const [real, open] = [await openBench(REAL), await openBench(UNAUTHENTICATED)];
  try {
    const results: HttpResult[] = [];
    for (const streams of [1, 64]) {
      const health = await measure(streams, seconds, () => real.ask('GET', '/health'));
      const [save, saveOpen] = [await savingOn(real, streams), await savingOn(open, streams)];
      const whole = await save(seconds);
      const rounds: { on: number; off: number }[] = [];
      // In turns: what else the machine does meets both alike.
      for (let round = 0; round < ROUNDS; round++) {
        const [on, off] = [await save(seconds / ROUNDS), await saveOpen(seconds / ROUNDS)];
        rounds.push({ on: on.perSecond, off: off.perSecond });
      }
      const ratio = median(rounds.map(({ on, off }) => on / off));
      results.push({ streams, save: whole, health, authenticated: { ratio, without: median(rounds.map(({ off }) => off)) } });
    }
    return results;
  } finally {
    await Promise.all([real.close(), open.close()]);
  }
};

if (import.meta.main) console.log(JSON.stringify(await benchHttp(), null, 2));
