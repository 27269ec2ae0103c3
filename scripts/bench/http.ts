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

/** The service in a process of its own, as `npm start` runs it. */
const startService = async (dataDir: string) => {
  const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
  const env = { ...process.env, DATA_DIR: dataDir, PORT: '0', LOG_LEVEL: 'error', UV_THREADPOOL_SIZE: '16' };
  const child = spawn(process.execPath, [main, 'serve'], { env, stdio: ['ignore', 'pipe', 'inherit'] });
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

/** Saves through HTTP, one connection and one book to a lane, beside a request that does nothing. */
export const benchHttp = async (): Promise<readonly { streams: number; save: Measured; health: Measured }[]> => {
  const dataDir = await mkdtemp(join(tmpdir(), 'pixpax-bench-http-'));
  const service = await startService(dataDir);
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  try {
    const ask = clientOf(service.url, (await readFile(join(dataDir, 'secrets', 'demo-token'), 'utf8')).trim(), agent);
    const accounts = (await ask('GET', '/v1/accounts')).body as { data: { accountId: string }[] };
    const accountId = accounts.data[0]?.accountId;
    const results = [];
    for (const streams of [1, 64]) {
      const books = await Promise.all(
        Array.from({ length: streams }, async () => {
          // Of one collection an identity has one open book.
          const identity = await ask('POST', `/v1/accounts/${accountId}/identities`, { controller: demoUser.userId });
          const { identityId } = identity.body;
          const { status, body } = await ask('POST', '/v1/pixbooks', { accountId, identityId, collectionId: demoCollectionId });
          if (status !== 201) throw new Error(JSON.stringify(body));
          return { path: `/v1/pixbooks/${String(body.bookId)}/commands/save`, head: body.eventId };
        }),
      );
      const health = await measure(streams, seconds, () => ask('GET', '/health'));
      const save = await measure(streams, seconds, async (lane, turn) => {
        const book = books[lane];
        if (book === undefined) throw new Error('no such lane');
        const { status, body } = await ask('POST', book.path, { state: smallState(turn), baseEventId: book.head });
        if (status !== 201) throw new Error(JSON.stringify(body));
        book.head = body.eventId;
      });
      results.push({ streams, save, health });
    }
    return results;
  } finally {
    agent.destroy();
    await service.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
};

if (import.meta.main) console.log(JSON.stringify(await benchHttp(), null, 2));
