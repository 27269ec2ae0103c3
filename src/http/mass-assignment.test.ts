import { beforeAll, describe, expect, it } from 'vitest';
import { type Crowd, ISSUER, MEMBER, OWNER, makeCrowd } from './crowded.fixture.ts';
import { OPERATOR, type World, said } from './ledger.fixture.ts';
import { type Described, isSignInSystem, operationsOf, pathOf, plausible, rowOf } from './plausible.fixture.ts';
import { signedUp } from './signed-up.fixture.ts';

/** What the server decides. A body that says one of these without its schema knowing it is refused by name, wherever in the body it is. */
const DECIDED = [
  ...['accountId', 'userId', 'identityId', 'bookId', 'collectionId', 'dropId', 'packId', 'tradeId', 'instanceId', 'instanceIds'],
  ...['by', 'invitedBy', 'controller', 'role', 'plan', 'scopes', 'status', 'shownAt', 'expiresAt', 'createdAt', 'claimedAt'],
  ...['position', 'eventId', 'prevEventId', 'prevHash', 'hash', 'signature', 'issuer', 'schemaVersion', 'idempotencyKey'],
  ...[
    'stream',
    'type',
    'payload',
    'seed',
    'seedHash',
    'sealedSeed',
    'publicKey',
    'publicKeyId',
    'keyName',
    'codeId',
    'generation',
  ],
  ...['isAdmin', 'key', 'secret', 'fingerprint', 'owner', 'total', 'done'],
];

const operations = (await operationsOf()).filter(
  (operation) => operation.mediaTypes.includes('application/json') && !isSignInSystem(operation),
);

/** Objects whose members are the client's own business. */
const FREE = new Set(['/state']);

type Place = { readonly pointer: string; readonly object: Record<string, unknown> };

/** Every object in a value, the value itself included. */
const objectsIn = (value: unknown, pointer = ''): readonly Place[] => {
  if (FREE.has(pointer)) return [];
  if (Array.isArray(value)) return value.slice(0, 1).flatMap((each) => objectsIn(each, `${pointer}/0`));
  if (typeof value !== 'object' || value === null) return [];
  const object = value as Record<string, unknown>;
  return [{ pointer, object }, ...Object.entries(object).flatMap(([name, each]) => objectsIn(each, `${pointer}/${name}`))];
};

const whoMay = (operation: Described): string => {
  const who = rowOf(operation)?.who ?? 'anyone';
  if (who === 'issuer' || who === 'orderer') return ISSUER;
  if (who === 'operator') return OPERATOR;
  return who === 'signer' || who === 'collector' ? MEMBER : OWNER;
};

describe('a member that the server decides', () => {
  let crowd: Crowd;
  let world: World;
  beforeAll(async () => {
    crowd = await makeCrowd(signedUp);
    world = await crowd.world.copy();
  });

  it.each(operations.map((operation) => [operation.id, operation] as const))(
    'is refused by name in the body of %s, and nothing is written',
    async (_id, operation) => {
      const as = whoMay(operation);
      const options = plausible(crowd, operation);
      const body = structuredClone(options.body);
      const before = world.readModel.dump();
      const objects = world.objects.size;
      for (const { pointer, object } of objectsIn(body)) {
        const members = await unknownTo(operation, object, pointer, body, as);
        expect(members.length).toBeGreaterThan(DECIDED.length / 2);
        Object.assign(object, Object.fromEntries(members.map((name) => [name, 'mine'])));
        const answer = await world.ask(operation.method, pathOf(crowd, operation), { ...options, body, as });
        const problem = await said(answer);
        expect([answer.status, problem.code]).toEqual([400, 'invalid-request']);
        const named = (problem.errors as { pointer: string; code: string }[]).filter(({ code }) => code === 'unknown-member');
        expect(named.map((each) => each.pointer)).toEqual(members.slice(0, named.length).map((name) => `${pointer}/${name}`));
        expect(named.length).toBeGreaterThanOrEqual(Math.min(members.length, LISTED));
        for (const name of members) delete object[name];
      }
      expect(world.objects.size).toBe(objects);
      expect(world.readModel.dump()).toEqual(before);
    },
  );

  /** How many faults of one kind an answer lists at most. */
  const LISTED = 20;

  /** Those of the names that the object's schema does not have: each is tried alone, so that none hides behind another. */
  const unknownTo = async (
    operation: Described,
    object: Record<string, unknown>,
    pointer: string,
    body: unknown,
    as: string,
  ): Promise<readonly string[]> => {
    const unknown: string[] = [];
    for (const name of DECIDED.filter((each) => !(each in object))) {
      object[name] = {}; // of no type that a member which is known would have
      const answer = await world.ask(operation.method, pathOf(crowd, operation), { ...plausible(crowd, operation), body, as });
      delete object[name];
      expect([name, answer.status]).toEqual([name, 400]);
      const { errors } = (await said(answer)) as { errors: { pointer: string; code: string }[] };
      expect(errors.map((each) => each.pointer)).toContain(`${pointer}/${name}`);
      if (errors.some(({ code }) => code === 'unknown-member')) unknown.push(name);
      else expect(KNOWN[`${operation.id} ${pointer}/${name}`]).toBe('optional');
    }
    return unknown;
  };
});

/** Members that may be left out and may be said: the client's to decide. */
const KNOWN: { readonly [place: string]: 'optional' } = {
  'issuePack /identityId': 'optional',
  'claimCode /accountId': 'optional',
  'offerTrade /accountId': 'optional',
  'offerTrade /to/accountId': 'optional',
  'offerTrade /want/instanceIds': 'optional',
  'orderPacks /books/0/accountId': 'optional',
  'createApiKey /expiresAt': 'optional',
};
