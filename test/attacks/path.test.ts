import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MEMBER, OWNER } from '../../src/http/crowded.fixture.ts';
import { OPERATOR } from '../../src/http/ledger.fixture.ts';
import { type Described, filled, isSignInSystem, membersOf, operationsOf, plausible } from '../../src/http/plausible.fixture.ts';
import { type Room, openRoom } from './room.ts';

/** Targets as no client would send them. What is no id is nothing: no other route, no other object, no fault of ours. */

const operations = (await operationsOf()).filter((operation) => operation.members.length > 0 && !isSignInSystem(operation));

const twisted: readonly (readonly [string, (id: string) => string])[] = [
  ['up and away', () => '..'],
  ['up and away, encoded', () => '%2e%2e'],
  ['up and away, half encoded', () => '.%2e'],
  ['up and away, encoded twice', () => '%252e%252e'],
  ['up and away with its slashes encoded', (id) => `..%2f..%2f${id}`],
  ['up and away with backslashes', (id) => `..%5c..%5c${id}`],
  ['down again to itself', (id) => `x%2f..%2f${id}`],
  ['dots overlong', () => '%c0%ae%c0%ae%c0%af'],
  ['a NUL after it', (id) => `${id}%00`],
  ['a NUL and an ending', (id) => `${id}%00.json`],
  ['an ending', (id) => `${id}.json`],
  ['a matrix parameter', (id) => `${id};a=b`],
  ['a parameter hidden in it', (id) => `${id}%3fasOf=0`],
  ['a fragment in it', (id) => `${id}%23`],
  ['a blank after it', (id) => `${id}%20`],
  ['a line break after it', (id) => `${id}%0d%0aX-Evil:%201`],
  ['other letters that look alike', (id) => `${id}%ef%bc%8e`],
  ['capitals and small letters changed', (id) => (id === id.toUpperCase() ? id.toLowerCase() : id.toUpperCase())],
  ['broken percent encoding', (id) => `${id}%`],
  ['percent encoding of nothing', (id) => `${id}%zz`],
  ['bytes that are not UTF-8', (id) => `${id}%ff%fe`],
  ['a statement of SQL', (id) => `${id}'%20or%20'1'='1`],
  ['a pattern', () => '*'],
  ['a wildcard of SQL', () => '%25'],
  ['two at once', (id) => `${id},${id}`],
  ['a list', (id) => `%5b%22${id}%22%5d`],
  ['the name of a member of every object', () => '__proto__'],
  ['another', () => 'constructor'],
  ['four thousand letters', () => 'x'.repeat(4_000)],
];

describe('a path with something else in the place of an id', () => {
  let room: Room;
  beforeAll(async () => {
    room = await openRoom();
  });
  afterAll(() => room.stop());

  const isPublicText = ({ members }: Described): boolean => members.some((name) => name === 'code' || name === 'script');

  it.each(operations.map((operation) => [operation.id, operation] as const))(
    '%s takes it for nothing',
    async (_id, operation) => {
      const objects = room.crowd.world.objects.size;
      const before = room.crowd.world.readModel.dump();
      const members = membersOf(room.crowd, operation, 'family');
      room.askedKeys();
      for (const [what, twist] of twisted)
        for (const name of operation.members) {
          const target = filled(operation, { ...members, [name]: twist(members[name] ?? '') });
          for (const as of [OWNER, MEMBER, OPERATOR]) {
            const { body, key, headers = {} } = plausible(room.crowd, operation);
            const fields = { ...(body === undefined ? {} : { 'Content-Type': 'application/json' }), ...headers };
            const sent = body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) };
            const options = { as, headers: { ...fields, ...(key === undefined ? {} : { 'Idempotency-Key': key }) }, ...sent };
            const answer = await room.send(operation.method, target, options);
            expect([
              what,
              target,
              [400, 403, 404, 405].includes(answer.status) || (isPublicText(operation) && answer.status === 200),
            ]).toEqual([what, target, true]);
            expect(answer.fields['x-evil']).toBeUndefined();
            if (answer.status >= 400) expect(answer.fields['content-type']).toBe('application/problem+json');
            if (as === OWNER && answer.status === 404) break; // to the others it is the same
          }
        }
      expect(room.askedKeys().filter((key) => /\.\.|%|\\|\0/.test(key))).toEqual([]);
      expect(room.crowd.world.objects.size).toBe(objects);
      expect(room.crowd.world.readModel.dump()).toEqual(before);
    },
  );

  it.each([
    ['a target of twenty thousand letters', `/${'x'.repeat(20_000)}`, 431],
    ['a thousand segments', '/a'.repeat(1_000), 404],
    ['a thousand times up', `/v1${'/..'.repeat(1_000)}/etc/passwd`, 404],
    ['a file of the machine', '/../../../../etc/passwd', 404],
    ['the same, encoded', '/%2e%2e/%2e%2e/etc/passwd', 404],
    ['a route beside /docs', '/docs/../metrics', 401],
    ['a page beside the pages', '/problems/..%2f..%2fetc%2fpasswd', 404],
    ['a script beside the scripts', '/sign-in/..%2f..%2fpackage.json', 404],
    ['a version that is not', '/v2/accounts', 404],
    ['a double slash in front', '//v1/accounts', 404],
    ['a backslash', '/v1\\accounts', 400],
    ['the repository', '/.git/config', 404],
    ['the environment', '/.env', 404],
    ['the package', '/package.json', 404],
  ])('%s leads nowhere', async (_, target, status) => {
    const answer = await room.send('GET', target);
    expect(answer.status).toBe(status);
    expect(answer.body).not.toMatch(/root:|pixpax-ledger"|\[core\]/);
  });
});
