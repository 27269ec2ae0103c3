import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BatchRequest } from '../../src/command/batch-commands.ts';
import { codeItemOf } from '../../src/command/batch-item.ts';
import type { LedgerCommands } from '../../src/command/ledger-commands.ts';
import type { Batch } from '../../src/port/batches.ts';
import { Outage } from '../../src/port/outage.ts';
import {
  OPERATOR_ACCOUNT_ID,
  OPERATOR_IDENTITY_ID,
  type UserId,
  derivedUlid,
  dropIdFor,
  identityIdFor,
  parseCollectionId,
  parseDropId,
  parseIdentityId,
} from '../../src/receipt/ids.ts';
import { codeIdOf, codeShown, newCode } from '../../src/stream/code/secret.ts';
import { done } from '../domain/publication.ts';
import { granted } from '../ledger-fixture.ts';
import { type TestDatabase, freshDatabase } from '../postgres.ts';
import {
  type Collector,
  type Ground,
  type Process,
  type Publication,
  asks,
  everyRow,
  issuer,
  newGround,
  openBooks,
  processOn,
  publish,
} from './ground.ts';

const PACKS = 200;
const clerk = 'usr_clerk' as UserId;
const stranger = 'usr_family-0' as UserId;
const unknown = derivedUlid('test', 'unknown');

let database: TestDatabase;
let ground: Ground;
let first: Process;
let publication: Publication;
let books: readonly Collector[];
const open: Process[] = [];
const newProcess = (): Process => {
  const process = processOn(ground, database.url);
  open.push(process);
  return process;
};

beforeAll(async () => {
  database = await freshDatabase();
  ground = await newGround();
  first = newProcess();
  publication = await publish(ground, first);
  await done(first.commands.addMember(asks('clerk'), OPERATOR_ACCOUNT_ID, { userId: clerk, role: 'issuer' }));
  books = await openBooks(first, publication.collectionId, PACKS);
});
afterAll(async () => {
  await Promise.all(open.map((process) => process.close()));
  await database.drop();
});

const until = async (condition: () => boolean | Promise<boolean>): Promise<void> => {
  while (!(await condition())) await sleep(10);
};
const packs = (): BatchRequest => ({
  ...publication,
  kind: 'packs',
  books: books.map(({ accountId, bookId }) => ({ accountId, bookId })),
});
const codes = (count: number): BatchRequest => ({ ...publication, kind: 'codes', count });
const ended = async (process: Process, batchId: string): Promise<Batch> => {
  let batch = granted(await process.batches.read(issuer, batchId));
  await until(async () => {
    batch = granted(await process.batches.read(issuer, batchId));
    return batch.status === 'finished';
  });
  return batch;
};
const refusalOf = (result: { ok: boolean; error?: { code: string } }): string => (result.ok ? 'ok' : (result.error?.code ?? ''));

/** Commands of a process that dies after so many packs: from then on nothing it asks for is answered, until it is buried. */
const dyingAfter = (commands: LedgerCommands, packCount: number) => {
  const dead = Promise.withResolvers<void>();
  const buried = Promise.withResolvers<never>();
  buried.promise.catch(() => undefined);
  let issued = 0;
  const issuePack: LedgerCommands['issuePack'] = async (...pack) => {
    if (issued >= packCount) {
      dead.resolve();
      return buried.promise;
    }
    issued++;
    return commands.issuePack(...pack);
  };
  return { commands: { ...commands, issuePack }, dead: dead.promise, bury: () => buried.reject(new Error('dead')) };
};

describe('a batch of packs', () => {
  it('that dies in its middle is resumed by another process: each book has exactly one pack', async () => {
    // A collector was faster than the batch, which has nothing left to do for that book.
    const [fast] = books;
    if (fast === undefined) throw new Error('no books');
    await done(first.commands.issuePack(asks('mine', fast.userId), fast, { dropId: publication.dropId, identityId: null }));

    const dying = newProcess();
    const { commands, dead, bury } = dyingAfter(dying.commands, 90);
    const background = await dying.work({ commands });
    const { batchId } = granted(await first.batches.order(asks('packs'), packs()));
    await dead;
    const seen: number[] = [];
    await until(async () => {
      seen.push(granted(await first.batches.read(issuer, batchId)).done);
      return (seen.at(-1) ?? 0) > 0;
    });
    // Death as others see it: its sessions end, and its jobs stay marked as its own.
    await first.login.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'pixpax-jobs' AND datname = current_database()`,
    );
    void background.stop();

    const heir = newProcess();
    await heir.work();
    const batch = await ended(heir, batchId);
    expect(batch).toMatchObject({ total: PACKS, done: PACKS, failures: [], status: 'finished' });
    const packsOf = await Promise.all(
      books.map((book) => first.queries.packs({ ...book, status: null }, { after: null, limit: 5 })),
    );
    expect(packsOf.map(({ rows }) => rows.length)).toEqual(books.map(() => 1));
    expect([...ground.objects.keys()].filter((key) => key.includes('/events/') && isPack(key))).toHaveLength(PACKS);

    bury();
    const again = granted(await first.batches.order(asks('packs'), packs()));
    expect(again).toEqual(batch);
  });
});

const isPack = (key: string): boolean => Buffer.from(ground.objects.get(key) ?? []).includes('"type":"PACK_ISSUED"');

describe('a batch of codes', () => {
  it('shows them once, to whoever ordered them, and leaves them in no table, receipt or log', async () => {
    const process = newProcess();
    await process.work();
    const { batchId } = granted(await process.batches.order(asks('codes'), codes(60)));
    const early = await process.batches.showCodes(issuer, batchId);
    expect(['batch-not-finished', 'ok']).toContain(refusalOf(early));
    expect(await ended(process, batchId)).toMatchObject({ total: 60, done: 60, failures: [] });
    expect(refusalOf(await process.batches.showCodes(clerk, batchId))).toBe('batch-missing');
    const answers = await Promise.all([1, 2, 3].map(() => process.batches.showCodes(issuer, batchId)));
    const shown = [early, ...answers].flatMap((answer) => (answer.ok ? [answer.value] : []));
    expect(shown).toHaveLength(1);
    expect(answers.filter(({ ok }) => !ok).map(refusalOf)).toEqual(['codes-shown', 'codes-shown']);

    const made = shown[0] ?? [];
    const page = await process.queries.codes(
      { dropId: publication.dropId, status: 'open', batchId },
      { after: null, limit: 100 },
    );
    expect(made.map(({ codeId }) => codeId).sort()).toEqual(page.rows.map(({ codeId }) => codeId).sort());
    expect(made.every(({ code, codeId }) => codeIdOf(process.codeKey, code) === codeId)).toBe(true);
    const everything = [
      await everyRow(process.login),
      JSON.stringify(open.flatMap(({ lines }) => lines)),
      ...[...ground.objects].map(([key, bytes]) => key + Buffer.from(bytes).toString('latin1')),
    ].join('\n');
    expect(everything).toContain(made[0]?.codeId);
    for (const { code } of made) {
      expect(everything.includes(code)).toBe(false);
      expect(everything.includes(codeShown(code))).toBe(false);
    }
  });

  it('waits while a dependency is away, and ends once it is back', async () => {
    const process = newProcess();
    let isAway = true;
    const createCode: LedgerCommands['createCode'] = (...code) => {
      if (isAway) throw new Outage('signer', 'signer-unavailable', 'away');
      return process.commands.createCode(...code);
    };
    const others = open.filter((other) => other !== process);
    await Promise.all(others.map((other) => other.stopWork()));
    await process.work({ commands: { ...process.commands, createCode } });
    const { batchId } = granted(await process.batches.order(asks('patient'), codes(3)));
    const failed = () => process.lines.some(({ code }) => code === 'signer-unavailable');
    await until(failed);
    expect(granted(await process.batches.read(issuer, batchId))).toMatchObject({ status: 'running', failures: [] });
    isAway = false;
    await process.login.query(
      `SELECT graphile_worker.reschedule_jobs(array(SELECT id FROM graphile_worker.jobs), now()), pg_notify('jobs:insert', '')`,
    );
    expect(await ended(process, batchId)).toMatchObject({ done: 3, failures: [] });
  });

  it('tells which of them could not be made and why, and shows the others', async () => {
    const process = newProcess();
    const failing = new Set([1, 3]);
    const createCode: LedgerCommands['createCode'] = async (context, code) => {
      const index = [0, 1, 2, 3].find(
        (i) => codeIdOf(process.codeKey, newCode(process.codeKey, code.batchId ?? '', i)) === code.codeId,
      );
      if (index !== undefined && failing.has(index))
        return { ok: false, error: { code: 'drop-closed', detail: 'the drop is closed' } };
      return process.commands.createCode(context, code);
    };
    await Promise.all(open.filter((other) => other !== process).map((other) => other.stopWork()));
    await process.work({ commands: { ...process.commands, createCode } });
    const { batchId } = granted(await process.batches.order(asks('partly'), codes(4)));
    const failures = [1, 3].map((index) => ({ item: codeItemOf(index), code: 'drop-closed', detail: 'the drop is closed' }));
    const batch = await ended(process, batchId);
    expect([...batch.failures].sort((a, b) => Number(a.item) - Number(b.item))).toEqual(failures);
    expect(batch.done).toBe(4);
    const shown = granted(await process.batches.showCodes(issuer, batchId));
    expect(shown.map(({ code }) => code)).toEqual([0, 2].map((index) => newCode(process.codeKey, batchId, index)));
  });
});

describe('an order', () => {
  const other = (changed: Partial<Publication>): BatchRequest => ({ ...codes(1), ...changed });
  it.each<[string, string, UserId, () => BatchRequest]>([
    ['a stranger', 'forbidden', stranger, () => codes(1)],
    ['an issuer with an identity of somebody else', 'forbidden', clerk, () => codes(1)],
    ['an issuer with the operator’s identity', 'forbidden', clerk, () => other({ identityId: OPERATOR_IDENTITY_ID })],
    [
      'an identity that is not there',
      'identity-missing',
      issuer,
      () => other({ identityId: granted(parseIdentityId(`idn_${unknown}`)) }),
    ],
    [
      'an identity of another account',
      'identity-missing',
      issuer,
      () => other({ identityId: books[0]?.identityId ?? OPERATOR_IDENTITY_ID }),
    ],
    [
      'a collection that is not there',
      'collection-missing',
      issuer,
      () => other({ collectionId: granted(parseCollectionId(`col_${unknown}`)) }),
    ],
    ['a drop that is not there', 'drop-missing', issuer, () => other({ dropId: granted(parseDropId(`drp_${unknown}`)) })],
  ])('by or of %s is refused: %s', async (_, code, userId, request) => {
    expect(refusalOf(await first.batches.order(asks('refused', userId), request()))).toBe(code);
  });

  it('under the key of another order is refused', async () => {
    granted(await first.batches.order(asks('twice'), codes(1)));
    expect(refusalOf(await first.batches.order(asks('twice'), codes(2)))).toBe('idempotency-key-reused');
    expect(refusalOf(await first.batches.order(asks('twice', clerk), codes(2))), 'a key is its user’s').toBe('forbidden');
  });

  it('of a drop that closed is refused, and one that was taken before is answered', async () => {
    const { identityId, collectionId } = publication;
    await done(first.commands.openDrop(asks('short'), { identityId, collectionId, title: 'Short', packSize: 1 }));
    const dropId = dropIdFor(collectionId, asks('short').idempotencyKey);
    const request = other({ dropId });
    const taken = granted(await first.batches.order(asks('short-1'), request));
    await done(first.commands.closeDrop(asks('end'), { identityId, collectionId, dropId }));
    expect(refusalOf(await first.batches.order(asks('short-2'), request))).toBe('drop-closed');
    expect(granted(await first.batches.order(asks('short-1'), request)).batchId).toBe(taken.batchId);
  });

  it('by an identity that was revoked is refused', async () => {
    await done(first.commands.createIdentity(asks('soon-revoked'), OPERATOR_ACCOUNT_ID, issuer));
    const identityId = identityIdFor(OPERATOR_ACCOUNT_ID, asks('soon-revoked').idempotencyKey);
    await done(first.commands.revokeIdentity(asks('revoke'), OPERATOR_ACCOUNT_ID, identityId));
    expect(refusalOf(await first.batches.order(asks('refused'), other({ identityId })))).toBe('identity-revoked');
  });

  it('is told to whoever gave it and to operators, and to nobody else', async () => {
    const { batchId } = granted(await first.batches.order(asks('mine'), codes(1)));
    expect(refusalOf(await first.batches.read(issuer, batchId))).toBe('ok');
    expect(refusalOf(await first.batches.read(clerk, batchId))).toBe('batch-missing');
    expect(refusalOf(await first.batches.read(stranger, batchId))).toBe('batch-missing');
    expect(refusalOf(await first.batches.read(issuer, 'bat_unknown'))).toBe('batch-missing');
    expect(refusalOf(await first.batches.showCodes(clerk, batchId))).toBe('batch-missing');
  });
});
