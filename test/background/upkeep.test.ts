import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { rebuild } from '../../projector/rebuild.ts';
import { storeSource } from '../../projector/store-source.ts';
import { memoryStore } from '../../src/adapter/memory/receipt-store.ts';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../src/adapter/postgres/embedded.ts';
import { ensureRoles } from '../../src/adapter/postgres/roles.ts';
import type { LedgerUpkeep } from '../../src/command/ledger-commands.ts';
import { limits } from '../../src/limits.ts';
import { type Clock, systemClock } from '../../src/port/clock.ts';
import { Outage } from '../../src/port/outage.ts';
import type { RedoItem } from '../../src/port/redo-outbox.ts';
import type { Signer } from '../../src/port/signer.ts';
import {
  type CodeId,
  OPERATOR_IDENTITY_ID,
  codePackIdFor,
  derivedUlid,
  instantOf,
  packInstanceIdFor,
  tradeIdOf,
} from '../../src/receipt/ids.ts';
import { err, ok } from '../../src/result.ts';
import { done } from '../domain/publication.ts';
import { granted } from '../ledger-fixture.ts';
import { type TestDatabase, freshDatabase } from '../postgres.ts';
import { type Wire, wireTo } from '../postgres-wire.ts';
import { type Collector, type Process, asks, newGround, openBooks, processOn, publish } from './ground.ts';

const until = async (condition: () => boolean | Promise<boolean>): Promise<void> => {
  while (!(await condition())) await sleep(10);
};

/** The operator's key is away while this says so: a claim is signed by the collector, the pack that must follow by the operator. */
const withoutOperator = (signer: Signer) => {
  const away = { is: false };
  const sign: Signer['sign'] = (name, message) => {
    if (away.is && name.startsWith(`pixpax-${OPERATOR_IDENTITY_ID}-`)) throw new Outage('signer', 'signer-unavailable', 'away');
    return signer.sign(name, message);
  };
  return { away, signer: { ...signer, sign } };
};

/** A ledger on a Postgres of which some claims were left without their packs, by a process that died. */
const openScene = async (url: string) => {
  const ground = await newGround();
  const { away, signer } = withoutOperator(ground.signer);
  const processes: Process[] = [];
  const start = (at = url, clock: Clock = systemClock): Process => {
    const process = processOn({ ...ground, signer }, at, clock);
    processes.push(process);
    return process;
  };
  const first = start();
  const publication = await publish(ground, first);
  const books = await openBooks(first, publication.collectionId, 2);
  return {
    ...{ ground, away, first, start, publication, books },
    stopWork: () => Promise.all(processes.map((process) => process.stopWork())),
    close: () => Promise.all(processes.map((process) => process.close())),
  };
};
type Scene = Awaited<ReturnType<typeof openScene>>;

const claimAndDie = async ({ first, away, publication }: Scene, book: Collector, name: string): Promise<CodeId> => {
  const codeId = `cod_${derivedUlid('test/upkeep', name)}` as CodeId;
  await done(first.commands.createCode(asks(`code-${name}`), { ...publication, codeId, batchId: null }));
  away.is = true;
  await first.commands.claimCode(asks(`claim-${name}`, book.userId), book, codeId).catch(() => undefined);
  away.is = false;
  // Long ago, so that no command sees to it any more.
  await first.login.query(`UPDATE ops.redo_outbox SET created_at = created_at - interval '1 minute' WHERE done_at IS NULL`);
  return codeId;
};

const packsFor = ({ ground }: Scene, codeId: CodeId): number =>
  [...ground.objects.values()].filter((bytes) => {
    const text = Buffer.from(bytes).toString('latin1');
    return text.includes('"type":"PACK_ISSUED"') && text.includes(codePackIdFor(codeId));
  }).length;
const outcomes = async ({ first }: Scene): Promise<readonly unknown[]> =>
  (await first.login.query<{ outcome: string | null }>('SELECT outcome FROM ops.redo_outbox ORDER BY created_at')).rows.map(
    ({ outcome }) => outcome,
  );
const isAllClosed = async (scene: Scene): Promise<boolean> => (await scene.first.outbox.open(100, 0)).length === 0;
const forgetAll = ({ first }: Scene) => first.login.query('TRUNCATE ops.redo_outbox; DELETE FROM graphile_worker._private_jobs');

let database: TestDatabase;
let scene: Scene;
let anna: Collector;
beforeAll(async () => {
  database = await freshDatabase();
  scene = await openScene(database.url);
  const [book] = scene.books;
  if (book === undefined) throw new Error('no books');
  anna = book;
});
afterEach(async () => {
  await scene.stopWork();
  await forgetAll(scene);
});
afterAll(async () => {
  await scene.close();
  await database.drop();
});

describe('a redo item', () => {
  it('that a crash left open is done within one sweep, and shows in the metrics', async () => {
    const codeId = await claimAndDie(scene, anna, 'crash');
    expect(packsFor(scene, codeId)).toBe(0);
    const process = scene.start();
    const begun = performance.now();
    await process.work();
    await until(() => isAllClosed(scene));
    // A job that is added before its process listens waits for the next look.
    expect(performance.now() - begun).toBeLessThan(limits.sweepMs + limits.jobPollMs);
    expect(packsFor(scene, codeId)).toBe(1);
    expect(await outcomes(scene)).toEqual(['done']);
    expect(await process.metrics.metrics()).toMatch(/ledger_jobs_total{kind="redo",outcome="done"} 1\b/);
    expect(await process.metrics.metrics()).toMatch(/ledger_redo_open_items \d/);
  });

  it('has one effect when two processes find it', async () => {
    const codeIds: CodeId[] = [];
    for (const name of ['a', 'b', 'c', 'd']) codeIds.push(await claimAndDie(scene, anna, `two-${name}`));
    const [one, other] = [scene.start(), scene.start()];
    await Promise.all([one.work(), other.work()]);
    await until(() => isAllClosed(scene));
    expect(codeIds.map((codeId) => packsFor(scene, codeId))).toEqual([1, 1, 1, 1]);
  });

  it('may be done twice, one after the other and at once', async () => {
    const codeId = await claimAndDie(scene, anna, 'twice');
    const [item] = await scene.first.outbox.open(1, 0);
    if (item === undefined) throw new Error('nothing is open');
    const [one, other] = [scene.start(), scene.start()];
    const answers = await Promise.all([one, one, other].map(({ upkeep }) => upkeep.redo(item)));
    expect(answers.map(granted)).toContain('done');
    expect(await other.upkeep.redo(item)).toEqual(ok('done'));
    expect(packsFor(scene, codeId)).toBe(1);
  });

  it('waits while a dependency is away, and is done when it is back', async () => {
    const codeId = await claimAndDie(scene, anna, 'away');
    scene.away.is = true;
    const process = scene.start();
    await process.work();
    await until(() => process.lines.some(({ code }) => code === 'signer-unavailable'));
    expect(await outcomes(scene)).toEqual([null]);
    scene.away.is = false;
    await process.login.query(
      `SELECT graphile_worker.reschedule_jobs(array(SELECT id FROM graphile_worker.jobs), now()), pg_notify('jobs:insert', '')`,
    );
    await until(() => isAllClosed(scene));
    expect(packsFor(scene, codeId)).toBe(1);
  });

  const item = { target: 'pixpax/pixbooks/x', kind: 'complete-trade' } as const;
  const putItem = async (eventId: string): Promise<void> => {
    const values = [eventId, item.target, item.kind];
    const text = `INSERT INTO ops.redo_outbox (event_id, target, kind, created_at) VALUES ($1, $2, $3, now() - interval '1 hour')`;
    await scene.first.login.query(text, values);
  };
  const answering = (redo: (item: RedoItem) => ReturnType<LedgerUpkeep['redo']>): LedgerUpkeep => ({
    ...scene.first.upkeep,
    redo,
  });

  it('from which nothing can follow is closed with the reason', async () => {
    await putItem('01HF7YAT00ZY2HFVSMAQJQ9NN0');
    const upkeep = answering(async () => err({ code: 'pixbook-closed', detail: 'the pixbook is closed' }));
    await scene.first.work({ upkeep });
    await until(() => isAllClosed(scene));
    expect(await outcomes(scene)).toEqual(['pixbook-closed']);
  });

  it('that must wait stays open, is tried again, and is an alarm when it is overdue', async () => {
    await putItem('01HF7YAT00ZY2HFVSMAQJQ9NN0');
    const process = scene.start();
    let tries = 0;
    const upkeep = answering(async () => {
      tries++;
      return ok('later');
    });
    await process.work({ upkeep });
    await until(() => process.lines.some(({ code }) => code === 'redo-overdue'));
    expect(process.lines.find(({ code }) => code === 'redo-overdue')).toMatchObject({ level: 50, open: 1, oldestSeconds: 3600 });
    await until(() => tries > 0);
    expect(await outcomes(scene)).toEqual([null]);
    const { rows } = await process.login.query('SELECT key, last_error FROM graphile_worker.jobs');
    expect(rows).toMatchObject([{ key: `redo:01HF7YAT00ZY2HFVSMAQJQ9NN0:${item.target}` }]);
  });

  it('keeps the words of a bug out of the queue’s table: they are for the log', async () => {
    await putItem('01HF7YAT00ZY2HFVSMAQJQ9NN0');
    const process = scene.start();
    await process.work({ upkeep: answering(() => Promise.reject(new Error('a canary in the words'))) });
    const lastErrors = async () =>
      (await process.login.query<{ last_error: string | null }>('SELECT last_error FROM graphile_worker.jobs')).rows;
    await until(async () => (await lastErrors()).some(({ last_error }) => last_error !== null));
    expect(await lastErrors()).toEqual([{ last_error: 'internal-error' }]);
    expect(JSON.stringify(process.lines.filter(({ level }) => level === 50))).toContain('a canary in the words');
  });
});

describe('a projection that is dropped under a running worker', () => {
  it('is waited for: nothing is closed or alarmed about, and what is open is done once it is rebuilt', async () => {
    const codeId = await claimAndDie(scene, anna, 'dropped');
    const process = scene.start();
    await process.login.query('DROP SCHEMA projection CASCADE');
    await process.work();
    await until(() => process.lines.some(({ msg, reason }) => msg === 'a background job waits' && reason === 'later'));
    const store = memoryStore(scene.ground.objects);
    granted(await rebuild({ source: storeSource(store), databaseUrl: database.url, trust: scene.ground.trust, threads: 0 }));
    await process.login.query(
      `SELECT graphile_worker.reschedule_jobs(array(SELECT id FROM graphile_worker.jobs), now()), pg_notify('jobs:insert', '')`,
    );
    await until(() => packsFor(scene, codeId) === 1);
    await until(() => isAllClosed(scene));
    expect(process.lines.filter(({ level }) => level === 50)).toEqual([]);
  });
});

describe('an offer whose time is over', () => {
  it('is ended by the next sweep, once, by however many processes', async () => {
    const [from, to] = scene.books;
    if (from === undefined || to === undefined) throw new Error('no books');
    const { dropId } = scene.publication;
    await done(scene.first.commands.issuePack(asks('pack', from.userId), from, { dropId, identityId: null }));
    const { rows } = await scene.first.queries.packs({ ...from, status: null }, { after: null, limit: 100 });
    const pack = rows.find((row) => row.codeId === null);
    const [card] = pack?.cards ?? [];
    if (pack === undefined || card === undefined) throw new Error('no pack');
    expect(card.instanceId).toBe(packInstanceIdFor(pack.packId, 0, card.cardId));
    const offer = await done(
      scene.first.commands.offerTrade(asks('offer', from.userId), from, {
        to,
        give: [card.instanceId],
        want: { instanceIds: [], cardIds: [] },
        expiresAt: instantOf(Date.now() + 2 * limits.offerMinMs),
      }),
    );
    const tradeId = tradeIdOf(offer.eventId);
    const later: Clock = { ...systemClock, now: () => Date.now() + 3 * limits.offerMinMs };
    await Promise.all([scene.start(database.url, later).work(), scene.start(database.url, later).work()]);
    await until(async () => (await scene.first.queries.trade(tradeId))?.status === 'expired');
    await until(async () => (await scene.first.queries.dueTrades(instantOf(later.now()), 10)).length === 0);
    const ended = [...scene.ground.objects.values()].filter((bytes) =>
      Buffer.from(bytes).includes('"type":"CARD_TRADE_EXPIRED"'),
    );
    expect(ended).toHaveLength(1);
  });
});

describe('a Postgres that goes away under a running worker', () => {
  let directory: string;
  let server: EmbeddedPostgres;
  let wire: Wire;
  let own: Scene;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'pixpax-jobs-'));
    server = await startEmbeddedPostgres({ directory, durable: false });
    await ensureRoles(server.url);
    wire = await wireTo(server.url);
    own = await openScene(server.url);
  });
  afterAll(async () => {
    await own.close();
    await wire.close();
    await server.stop();
    await rm(directory, { recursive: true, force: true });
  });

  it('is waited for, and what was open meanwhile is done once it is back', async () => {
    const [book] = own.books;
    if (book === undefined) throw new Error('no books');
    const worker = own.start(wire.url);
    const background = await worker.work();
    const codeId = await claimAndDie(own, book, 'restart');
    await server.stop();
    wire.cut();
    await until(() => worker.lines.some(({ msg }) => msg === 'background jobs wait for Postgres'));
    server = await startEmbeddedPostgres({ directory, durable: false });
    wire.lead(server.url);
    await until(() => worker.lines.some(({ msg }) => msg === 'background jobs go on'));
    await until(() => packsFor(own, codeId) === 1);
    await until(async () => (await worker.outbox.open(10, 0)).length === 0);
    await background.stop();
  });
});
