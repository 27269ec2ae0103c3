import { beforeAll, describe, expect, it } from 'vitest';
import { type Permission, type Scope, type Who, permissions, scopes } from '../access/permission.ts';
import {
  type Crowd,
  GONE,
  GUEST,
  ISSUER,
  MEMBER,
  NEIGHBOUR,
  OWNER,
  PARTNER,
  SECOND_ISSUER,
  SIBLING,
  VIEWER,
  makeCrowd,
} from './crowded.fixture.ts';
import { METRICS_TOKEN, OPERATOR, type World, keyOf, said } from './ledger.fixture.ts';
import {
  type Described,
  type Place,
  bodies,
  isSignInSystem,
  operationsOf,
  pathOf,
  plausible,
  rowOf,
} from './plausible.fixture.ts';
import { signedUp } from './signed-up.fixture.ts';

/**
 * Every operation of the API description, asked for by everyone. What each is told follows from the operation's line in the table of permissions:
 * a route that is added is in here without anybody writing it down, or it fails by name.
 */

const operations = await operationsOf();

describe('the table of permissions and the API description', () => {
  it('have the same operations', () => {
    expect(operations.filter((each) => rowOf(each) === null).map(({ id }) => id)).toEqual([]);
    const described = new Set(operations.map((each) => rowOf(each)?.id));
    expect(Object.keys(permissions).filter((id) => !described.has(id))).toEqual([]);
  });

  it('agree on what needs no credentials', () => {
    const open = operations.filter((each) => !isSignInSystem(each) && !each.isSecured).map(({ id }) => id);
    expect(open.filter((id) => permissions[id as keyof typeof permissions].who !== 'anyone')).toEqual([]);
    const secured = operations.filter((each) => !isSignInSystem(each) && each.isSecured);
    expect(secured.filter((each) => rowOf(each)?.who === 'anyone').map(({ id }) => id)).toEqual([]);
  });

  it('agree that what only reads has a scope for reading, and what writes one for writing', () => {
    const wrong = operations.filter((each) => {
      const scope = rowOf(each)?.scope;
      return scope != null && each.method === 'GET' && scope.endsWith(':write');
    });
    expect(wrong.map(({ id }) => id)).toEqual([]);
    const writing = operations.filter((each) => each.method !== 'GET' && rowOf(each)?.scope?.endsWith(':read') === true);
    expect(writing.map(({ id }) => id)).toEqual([]);
  });

  it('every operation that takes a body has one here', () => {
    const ours = operations.filter((each) => each.mediaTypes.includes('application/json') && !isSignInSystem(each));
    const bodiless = ours.filter(({ id }) => bodies[id] === undefined);
    expect(bodiless.map(({ id }) => id)).toEqual([]);
  });
});

type AccountRole = 'owner' | 'member' | 'viewer' | 'operator' | 'issuer';

/** Someone who asks, and what there is to know of them. */
type Caller = {
  readonly name: string;
  readonly as: (scope: Scope | null) => string | null;
  readonly signedIn?: false;
  /** For API keys: whether they have the scope that the operation demands. */
  readonly key?: 'scoped' | 'unscoped';
  readonly family?: AccountRole;
  /** Whether the identity in question is theirs, by place. */
  readonly controls?: Place;
  readonly office?: 'operator' | 'issuer';
  /** Member of the account of the other book of the trade. */
  readonly isPartner?: true;
  readonly isScraper?: true;
};

const withKey = (user: string) => (scope: Scope | null) => keyOf(user, ...(scope === null ? [] : [scope]));
const withOtherKey = (user: string) => (scope: Scope | null) => keyOf(user, ...scopes.filter((each) => each !== scope));

const callers: readonly Caller[] = [
  { name: 'nobody', as: () => null, signedIn: false },
  { name: 'a session that was revoked', as: () => 'ses.revoked', signedIn: false },
  { name: 'the scraper', as: () => METRICS_TOKEN, signedIn: false, isScraper: true },
  { name: 'a guest with nothing here', as: () => GUEST },
  { name: 'the owner of a neighbour’s account', as: () => NEIGHBOUR },
  { name: 'a member who was removed', as: () => GONE },
  { name: 'the partner of the trade', as: () => PARTNER, isPartner: true },
  { name: 'a viewer', as: () => VIEWER, family: 'viewer' },
  { name: 'a member with another identity', as: () => SIBLING, family: 'member' },
  { name: 'an API key without the scope', as: withOtherKey(OWNER), key: 'unscoped', family: 'owner' },
  { name: 'an operator’s API key without the scope', as: withOtherKey(OPERATOR), key: 'unscoped', office: 'operator' },
  { name: 'an issuer without the identity', as: () => SECOND_ISSUER, office: 'issuer' },
  { name: 'an issuer', as: () => ISSUER, office: 'issuer', controls: 'office' },
  { name: 'a member with the identity', as: () => MEMBER, family: 'member', controls: 'family' },
  { name: 'an owner', as: () => OWNER, family: 'owner' },
  { name: 'an operator', as: () => OPERATOR, office: 'operator' },
  { name: 'an owner’s API key with the scope', as: withKey(OWNER), key: 'scoped', family: 'owner' },
  { name: 'an operator’s API key with the scope', as: withKey(OPERATOR), key: 'scoped', office: 'operator' },
];

type Expected = 'allowed' | 'unauthenticated' | 'scope-missing' | 'person-required' | 'forbidden' | 'not-found';

/** What a caller is told, by the table alone. */
const expectedOf = ({ who, scope }: Permission, caller: Caller, { method, members }: Described, place: Place): Expected => {
  if (who === 'anyone') return 'allowed';
  if (who === 'scraper' && caller.isScraper === true) return 'allowed';
  if (caller.signedIn === false) return 'unauthenticated';
  if (caller.key !== undefined && scope === null) return 'person-required';
  if (caller.key === 'unscoped') return 'scope-missing';
  const role = place === 'family' ? caller.family : caller.office;
  const keeps = role === 'owner' || role === 'operator';
  const signs = keeps || (role !== undefined && role !== 'viewer' && caller.controls === place);
  const issues = caller.office === 'operator' || (caller.office === 'issuer' && caller.controls === 'office');
  const may: { readonly [W in Who]: boolean } = {
    anyone: true,
    person: true,
    user: true,
    invited: true,
    reader: role !== undefined,
    party: role !== undefined || caller.isPartner === true,
    owner: role === 'owner',
    keeper: keeps,
    leaver: keeps,
    signer: signs,
    collector: signs || issues,
    // What an issuer reads, and stores without a receipt, is signed by nobody.
    issuer: issues || (caller.office === 'issuer' && (method === 'GET' || method === 'PUT')),
    orderer: issues,
    operator: caller.office === 'operator',
    scraper: caller.office === 'operator',
  };
  if (may[who]) return 'allowed';
  // Whoever may know that it is there hears that it is not for them; to everyone else it is not there.
  const known: boolean = caller.office !== undefined || role !== undefined;
  if (who === 'operator' || who === 'scraper') return 'forbidden';
  if (who === 'issuer') return method !== 'GET' && (!members.includes('bookId') || known) ? 'forbidden' : 'not-found';
  if (who === 'orderer') return 'not-found';
  if (who === 'collector') return known ? 'forbidden' : 'not-found';
  return role === undefined ? 'not-found' : 'forbidden';
};

/** Refusals of the domain: whoever hears one was let in. */
const LET_IN = new Set([409, 410, 412, 422]);

const outcomeOf = async (answer: Response): Promise<string> => {
  if (answer.status < 400) return 'allowed';
  const { code } = await said(answer);
  return LET_IN.has(answer.status) ? 'allowed' : String(code);
};

/** Where an operation is asked for: what is about one account, in the operator's too. */
const placesOf = ({ path }: Described): readonly Place[] =>
  path.startsWith('/v1/accounts/{accountId}') ? ['family', 'office'] : ['family'];

const cases = operations.flatMap((operation) => placesOf(operation).map((place) => [operation.id, place, operation] as const));

describe('who may do what', () => {
  let crowd: Crowd;
  let reading: World;
  beforeAll(async () => {
    crowd = await makeCrowd(signedUp);
    reading = await crowd.world.copy();
  });

  it.each(cases)('%s in the %s’s account', async (_id, place, operation) => {
    const permission = rowOf(operation);
    if (permission === null) throw new Error(`${operation.id} is not in the table of permissions`);
    const path = pathOf(crowd, operation, place);
    const isRead = operation.method === 'GET';
    const untouched = isRead ? reading : await crowd.world.copy();
    const statuses: number[] = [];
    const seen: string[] = [];
    const told: string[] = [];
    for (const caller of callers) {
      const expected = expectedOf(permission, caller, operation, place);
      // What is allowed changes something: it gets a world of its own. What is refused changes nothing.
      const world = isRead || expected !== 'allowed' ? untouched : await crowd.world.copy();
      const objects = world.objects.size;
      const options = plausible(crowd, operation, { place, isIssuer: caller.office !== undefined });
      const answer = await world.ask(operation.method, path, { ...options, as: caller.as(permission.scope) });
      statuses.push(answer.status);
      seen.push(`${caller.name}: ${await outcomeOf(answer)}`);
      told.push(`${caller.name}: ${expected}`);
      if (isRead || expected !== 'allowed') expect(world.objects.size).toBe(objects);
    }
    expect(seen).toEqual(told);
    // Else the request is not one that goes through, and its refusals prove nothing.
    expect(statuses.some((status) => status < 300) || place === 'office').toBe(true);
  });

  it('a member may leave by themselves, whatever their role', async () => {
    const leave = (userId: string) => `/v1/accounts/${crowd.accountId}/members/${userId}/commands/remove`;
    for (const userId of [MEMBER, VIEWER]) {
      const world = await crowd.world.copy();
      expect((await world.ask('POST', leave(userId), { as: userId, key: 'leave' })).status).toBe(201);
      expect((await world.ask('GET', `/v1/accounts/${crowd.accountId}`, { as: userId })).status).toBe(404);
    }
  });
});
