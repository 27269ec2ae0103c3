import { type KeyObject, hash } from 'node:crypto';
import { Writable } from 'node:stream';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { expect } from 'vitest';
import { simulatedClock } from '../../test/crash/clock.ts';
import { departuresOf } from '../../test/http-conformance.ts';
import { type Scope, scopes } from '../access/permission.ts';
import { unlimited } from '../adapter/memory/limiter.ts';
import { type MemoryTables, memoryTables } from '../adapter/memory/projection-tables.ts';
import { type MemoryReadModel, memoryReadModel } from '../adapter/memory/read-model.ts';
import { type MemoryObjects, memoryStore } from '../adapter/memory/receipt-store.ts';
import { memorySealer } from '../adapter/memory/sealer.ts';
import { memorySigner } from '../adapter/memory/signer.ts';
import { packCertificate, tradeCertificate } from '../certificate/make.ts';
import { batchCommands } from '../command/batches.ts';
import { ensureOperator } from '../command/ensure-operator.ts';
import { initialise } from '../command/initialise.ts';
import { openLedger } from '../command/ledger.ts';
import { meteredCommands } from '../command/metered-commands.ts';
import { batchRunner } from '../command/run-batch.ts';
import { runCommands, runDoer } from '../command/runs.ts';
import type { Authentication } from '../port/authentication.ts';
import type { Batch } from '../port/batches.ts';
import type { Run, RunEnd } from '../port/runs.ts';
import type { KeyName } from '../port/signer.ts';
import { type UserId, parseUserId } from '../receipt/ids.ts';
import { err } from '../result.ts';
import { coldReads } from '../snapshot/cold-reads.ts';
import { invitationKeyOf, invitationSecrets } from '../stream/account/invitation-secret.ts';
import { codeIdOf, codeKeyOf } from '../stream/code/secret.ts';
import { createApp } from './app.ts';
import { memoryAuditTrail } from './memory-audit-trail.fixture.ts';
import { memoryBatches } from './memory-batches.fixture.ts';
import { memoryMeter } from './memory-meter.fixture.ts';
import { memoryQueries } from './memory-queries.fixture.ts';
import { memoryRuns } from './memory-runs.fixture.ts';
import type { HttpParts } from './parts.ts';
import { requestFields } from './request-context.ts';

/** The service over the real commands on memory parts. Every answer that a test asks for is held against the API description. */
export type World = {
  readonly parts: HttpParts;
  readonly objects: MemoryObjects;
  readonly readModel: MemoryReadModel;
  /** Every line of the log, parsed. */
  readonly lines: Record<string, unknown>[];
  /** Does what a background job does. */
  readonly finishBatch: (batchId: string) => Promise<void>;
  /** Does the job of a run, which comes to this end. */
  readonly finishRun: (runId: string, end: RunEnd) => Promise<void>;
  /** Another process on a copy of everything that this world has kept: what happens in one is not seen in the other. */
  readonly copy: () => Promise<World>;
  readonly ask: (method: string, path: string, options?: AskOptions) => Promise<Response>;
};

/** `as`: whose bearer token is sent; `key`: the Idempotency-Key; `body`: JSON unless it is text or bytes already. */
export type AskOptions = {
  readonly as?: string | null;
  readonly body?: unknown;
  readonly key?: string;
  readonly headers?: Readonly<Record<string, string>>;
};

export const ADA = 'usr_ada';
export const EVE = 'usr_eve';
/** The operator of every world. */
export const OPERATOR = 'usr_operator' as UserId;

/** What scrapers of every world show. */
export const METRICS_TOKEN = 'm.'.repeat(16);

/** What the codes of every world are made with. */
export const CODE_KEY = codeKeyOf(new Uint8Array(32).fill(0x5e));

/** What stands for a user's API key with these scopes, for `as`. */
export const keyOf = (userId: string, ...granted: readonly Scope[]): string => `${userId}!${granted.join(',')}`;

/** Signs in whoever says who they are. */
export const honestAuthentication: Authentication = {
  session: (headers) => {
    const bearer = /^Bearer (.+)$/.exec(headers.get('authorization') ?? '')?.[1];
    const cookie = /^session=(.+)$/.exec(headers.get('cookie') ?? '')?.[1];
    const [name, granted] = (bearer ?? cookie ?? '').split('!');
    const userId = parseUserId(name);
    if (!userId.ok) return Promise.resolve(null);
    const signedIn = { userId: userId.value, sessionId: 'ses_1' };
    const given = granted === undefined ? null : new Set(scopes.filter((scope) => granted.split(',').includes(scope)));
    const via = bearer === undefined ? 'cookie' : given === null ? 'bearer' : 'api-key';
    return Promise.resolve({ ...signedIn, via, scopes: given });
  },
  handle: () => Promise.resolve(new Response(null, { status: 404 })),
  sessions: () => Promise.resolve([]),
  revokeSession: () => Promise.resolve(false),
  apiKeys: () => Promise.resolve([]),
  createApiKey: () => Promise.resolve(err({ code: 'too-many-api-keys', detail: 'this world has no keys' })),
  revokeApiKey: () => Promise.resolve(false),
  close: () => Promise.resolve(),
};

/** What outlives a process. */
type Ground = {
  readonly objects: MemoryObjects;
  readonly tables: MemoryTables;
  readonly custody: Map<KeyName, KeyObject>;
  readonly batches: Map<string, Batch>;
  readonly runs: Map<string, Run>;
  readonly nowMs: number;
};

const newGround = (): Ground => ({
  objects: new Map(),
  tables: memoryTables(),
  custody: new Map(),
  batches: new Map(),
  runs: new Map(),
  nowMs: Date.UTC(2026, 0, 2),
});

/** Objects, rows, batches and runs are replaced when they change, never altered: their maps are all there is to copy. */
const copyOfGround = ({ objects, tables, custody, batches, runs }: Ground, nowMs: number): Ground => {
  const rows = Object.fromEntries(Object.entries(tables.rows).map(([name, each]) => [name, new Map(each)]));
  return {
    objects: new Map(objects),
    tables: { rows: rows as MemoryTables['rows'], redo: new Map(tables.redo), made: tables.made },
    custody: new Map(custody),
    batches: new Map(batches),
    runs: new Map(runs),
    nowMs,
  };
};

/** A new ledger with nothing in it but its operator. `override` replaces parts. */
export const makeWorld = async (
  override: (parts: HttpParts) => Partial<HttpParts> = () => ({}),
  ground: Ground = newGround(),
): Promise<World> => {
  const { objects, tables } = ground;
  const readModel = memoryReadModel(tables);
  const clock = simulatedClock(ground.nowMs);
  const store = memoryStore(objects);
  const signer = memorySigner(ground.custody);
  const genesis = await initialise({ store, signer, clock }, null);
  if (!genesis.ok) throw new Error(genesis.error.detail);
  const trust = genesis.value.fingerprint;
  const ports = { store, signer, sealer: memorySealer(), readModel, clock, notify: () => undefined, trust };
  await ensureOperator(ports, OPERATOR);
  const { commands } = openLedger(ports, { rememberedStreams: 100 });
  const queries = memoryQueries(tables, readModel);
  const batches = memoryBatches(ground.batches);
  const [meter, runs] = [memoryMeter(clock), memoryRuns(ground.runs)];
  const codeKey = CODE_KEY;
  const lines: Record<string, unknown>[] = [];
  const given: HttpParts = {
    commands: meteredCommands(commands, meter),
    meter,
    runs: runCommands({ runs, clock }),
    auditTrail: memoryAuditTrail(),
    batches: batchCommands({ batches, queries, codeKey, clock }),
    queries,
    store,
    cold: coldReads({ store, clock, trust, noted: () => undefined }),
    authentication: honestAuthentication,
    limiter: unlimited,
    health: () => Promise.resolve({ postgres: { status: 'ok' }, store: { status: 'ok' }, signer: { status: 'ok' } }),
    certificates: {
      tradeCertificate: (offer) => tradeCertificate(store, offer),
      packCertificate: async (book, packId) => {
        const pack = await queries.pack(book, packId);
        return pack === null ? null : packCertificate(store, { ...book, eventId: pack.eventId });
      },
    },
    codeNames: { codeIdOf: (code) => codeIdOf(codeKey, code) },
    invitations: invitationSecrets(invitationKeyOf(new Uint8Array(32).fill(0x1e))),
    verifyStream: () => Promise.resolve({ valid: true, receipts: 0, head: null }),
    ledger: { fingerprint: trust, publicKey: 'MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE' },
    clock,
    log: pino({ level: 'debug', mixin: requestFields }, linesTo(lines)),
    metrics: new Registry(),
    config: {
      ...{ publicUrl: 'http://localhost', trustedOrigins: ['https://app.example'], trustedProxies: 0 },
      metricsToken: METRICS_TOKEN,
    },
  };
  const parts: HttpParts = { ...given, ...override(given) };
  const app = createApp(parts);
  const ask: World['ask'] = async (method, path, options = {}) => {
    const answer = await app.request(path, requestOf(method, options));
    expect(await departuresOf(method, path, answer)).toEqual([]);
    return answer;
  };
  const run = batchRunner({ commands, queries, codeKey, batches, clock });
  const finishBatch = (batchId: string) => run(batchId, new AbortController().signal);
  const finishRun = (runId: string, end: RunEnd) =>
    runDoer({ runs, projector: () => Promise.resolve(end), clock, notify: ports.notify })(runId, new AbortController().signal);
  const copy = () => makeWorld(override, copyOfGround(ground, clock.now()));
  return { parts, objects, readModel, lines, finishBatch, finishRun, copy, ask };
};

const linesTo = (lines: Record<string, unknown>[]): Writable =>
  new Writable({
    write: (line: Buffer, _encoding, done) => {
      lines.push(JSON.parse(line.toString()) as Record<string, unknown>);
      done();
    },
  });

const requestOf = (method: string, { as = ADA, body, key, headers = {} }: AskOptions): RequestInit => {
  const isRaw = typeof body === 'string' || body instanceof Uint8Array;
  return {
    method,
    headers: {
      ...(as === null ? {} : { Authorization: `Bearer ${as}` }),
      ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
      ...(key === undefined ? {} : { 'Idempotency-Key': key }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: isRaw ? (body as string) : JSON.stringify(body) }),
  };
};

/** What a JSON answer says. */
export const said = async (answer: Response): Promise<Record<string, unknown>> =>
  (await answer.json()) as Record<string, unknown>;

/** Status and code of a problem. */
export const refusal = async (answer: Response): Promise<readonly [number, unknown]> => [
  answer.status,
  (await said(answer)).code,
];

export type Furniture = {
  readonly accountId: string;
  readonly identityId: string;
  readonly collectionId: string;
  readonly bookId: string;
  /** The book's first event. */
  readonly eventId: string;
  readonly hash: string;
};

/** A collection of one card, published over HTTP: its id. */
export const publishOne = async ({ ask }: Pick<World, 'ask'>): Promise<string> => {
  const svg = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>');
  const artHash = `sha256:${hash('sha256', svg, 'hex')}`;
  await ask('PUT', `/v1/art/${artHash}`, { as: OPERATOR, body: svg, headers: { 'Content-Type': 'image/svg+xml' } });
  const series = [{ seriesId: 'only', title: 'Only' }];
  const cards = [{ cardId: 'only-card', seriesId: 'only', title: 'The only card', artHash }];
  const body = { title: 'Furniture', series, cards };
  const { collectionId } = await said(await ask('POST', '/v1/collections', { as: OPERATOR, key: 'furniture', body }));
  return typeof collectionId === 'string' ? collectionId : '';
};

/** Ada's account, identity and pixbook, made over HTTP. */
export const furnish = async ({ ask }: Pick<World, 'ask'>): Promise<Furniture> => {
  const made = async (path: string, key: string, body?: unknown): Promise<Record<string, unknown>> =>
    said(await ask('POST', path, { key, body }));
  const text = (value: unknown): string => (typeof value === 'string' ? value : '');
  const accountId = text((await made('/v1/accounts', 'account')).accountId);
  const identity = await made(`/v1/accounts/${accountId}/identities`, 'identity', { controller: ADA });
  const identityId = text(identity.identityId);
  const collectionId = await publishOne({ ask });
  const book = await made('/v1/pixbooks', 'book', { accountId, identityId, collectionId });
  return { accountId, identityId, collectionId, bookId: text(book.bookId), eventId: text(book.eventId), hash: text(book.hash) };
};
