import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Crowd, GONE, NEIGHBOUR, OWNER, makeCrowd } from './crowded.fixture.ts';
import { OPERATOR, type World } from './ledger.fixture.ts';
import { type Described, filled, membersOf, operationsOf, plausible, rowOf } from './plausible.fixture.ts';
import { signedUp } from './signed-up.fixture.ts';

/** Nobody learns from an answer whether somebody else's thing exists: held against each operation whose path, or body, has an id in it. */

const operations = await operationsOf();

/** Well-formed ids of nothing. */
const NOTHING: { readonly [prefix: string]: string } = {
  ...Object.fromEntries(
    ['acc', 'idn', 'bk', 'col', 'drp', 'cod', 'pck', 'ins', 'trd', 'bat', 'inv', 'ses', 'key', 'run'].map((prefix) => [
      prefix,
      `${prefix}_0000000000ZZZZZZZZZZZZZZZZ`,
    ]),
  ),
  usr: 'usr_nowhere',
};

const EVENT_ID = /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/;
const SHA256 = /^sha256:[0-9a-f]{64}$/;

const missing = (id: string): string => {
  if (EVENT_ID.test(id)) return '0000000000ZZZZZZZZZZZZZZZZ';
  if (SHA256.test(id)) return `sha256:${'0'.repeat(64)}`;
  return NOTHING[id.split('_')[0] ?? ''] ?? 'nothing';
};

/** The same value with every id in it replaced by one of nothing. */
const withoutThings = (value: unknown): unknown => {
  if (typeof value === 'string') return /^[a-z]{2,3}_/.test(value) || EVENT_ID.test(value) ? missing(value) : value;
  if (Array.isArray(value)) return value.map(withoutThings);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, withoutThings(each)]));
};

/** All that an answer shows, but for what is each request's own. */
const shownBy = async (answer: Response) => {
  const text = await answer.text();
  const masked = text.replaceAll(/"(requestId|traceId|instance)":"[^"]*"/g, '"$1":""');
  const fields = [...answer.headers].filter(([name]) => name !== 'x-request-id' && name !== 'content-length');
  return { status: answer.status, fields, body: masked };
};

/** Those to whom a thing of the family is nobody's business. */
const strangers = [
  ['a neighbour', NEIGHBOUR],
  ['a removed member', GONE],
  ['an operator', OPERATOR],
] as const;

/** What is for all users, or for whoever knows a secret, is nothing foreign; and a person’s sessions and keys are looked up as theirs. */
const isPublic = (operation: Described): boolean =>
  ['anyone', 'user', 'person', 'invited'].includes(rowOf(operation)?.who ?? 'anyone') || isCatalogueCommand(operation);
/** Which collections and drops there are every user may read: that one is there may be told to whoever may not change it. */
const isCatalogueCommand = ({ isCommand, members }: Described): boolean =>
  isCommand && members.length > 0 && members.every((name) => name === 'collectionId' || name === 'dropId');
const withIds = operations.filter((operation) => operation.members.length > 0 && !isPublic(operation));
const withIdsInBody = operations.filter((operation) => operation.mediaTypes.length > 0 && !isPublic(operation));

let crowd: Crowd;
let world: World;
beforeAll(async () => {
  crowd = await makeCrowd(signedUp);
});
beforeEach(async () => {
  world = await crowd.world.copy();
});

const shown = async (operation: Described, path: string, as: string, body?: unknown) => {
  const options = plausible(crowd, operation);
  const answer = await world.ask(operation.method, path, { ...options, ...(body === undefined ? {} : { body }), as });
  return shownBy(answer);
};

describe('a foreign thing and a missing one look the same', () => {
  it.each(withIds.map((operation) => [operation.id, operation] as const))('to strangers who ask %s', async (_id, operation) => {
    const foreign = membersOf(crowd, operation, 'family');
    const nothing = Object.fromEntries(Object.entries(foreign).map(([name, id]) => [name, missing(id)]));
    const malformed = Object.fromEntries(Object.keys(foreign).map((name) => [name, 'x']));
    for (const [name, as] of strangers) {
      const seen = await shown(operation, filled(operation, foreign), as);
      if (seen.status < 300 || seen.status === 422 || seen.status === 409) continue; // it is theirs to see or to do
      const instead = await shown(operation, filled(operation, nothing), as);
      expect([name, seen]).toEqual([name, instead]);
      if (seen.status === 404) expect(await shown(operation, filled(operation, malformed), as)).toEqual(seen);
      if (operation.method === 'GET') {
        // Nor with a validator, a moment or an event to wait for.
        for (const query of [`?minEventId=${crowd.eventId}`, '?asOf=0'])
          expect(await shown(operation, `${filled(operation, foreign)}${query}`, as)).toEqual(
            await shown(operation, `${filled(operation, nothing)}${query}`, as),
          );
      }
    }
  });

  it.each(withIds.filter(({ members }) => members.length > 1).map((operation) => [operation.id, operation] as const))(
    'to those who ask %s of what is theirs for a part that is not',
    async (_id, operation) => {
      const [whole = '', ...parts] = operation.members;
      const own = { accountId: crowd.neighbour.accountId, bookId: crowd.neighbour.bookId }[whole];
      if (own === undefined) throw new Error(`say what ${whole} the neighbour has`);
      const foreign = membersOf(crowd, operation, 'family');
      const of = (each: (id: string) => string) =>
        filled(operation, { ...Object.fromEntries(parts.map((name) => [name, each(foreign[name] ?? '')])), [whole]: own });
      expect(
        await shown(
          operation,
          of((id) => id),
          NEIGHBOUR,
        ),
      ).toEqual(await shown(operation, of(missing), NEIGHBOUR));
    },
  );

  it.each(withIdsInBody.map((operation) => [operation.id, operation] as const))(
    'to strangers who name it in the body of %s',
    async (_id, operation) => {
      const path = filled(operation, membersOf(crowd, operation, 'family'));
      const { body } = plausible(crowd, operation);
      for (const [name, as] of strangers) {
        const seen = await shown(operation, path, as);
        if (seen.status < 300 || seen.status === 422 || seen.status === 409) continue;
        expect([name, await shown(operation, path, as, withoutThings(body))]).toEqual([name, seen]);
      }
    },
  );

  it('to an owner who names the things of others among their own', async () => {
    const { accountId, bookId, partner, neighbour } = crowd;
    const offer = (to: string, give: string) => ({ bookId, to: { bookId: to }, give: [give], expiresAt: crowd.expiresAt });
    const trade = operations.find(({ id }) => id === 'offerTrade');
    const create = operations.find(({ id }) => id === 'createPixbook');
    if (trade === undefined || create === undefined) throw new Error('no such operations');
    const cards = await world.ask('GET', `/v1/pixbooks/${partner.bookId}/cards`, { as: partner.user });
    const [{ instanceId: foreignCopy = '' } = {}] = ((await cards.json()) as { data: { instanceId?: string }[] }).data;
    const seen = await shown(trade, '/v1/trades', OWNER, offer(partner.bookId, foreignCopy));
    expect(seen.status).toBe(409);
    const instead = await shown(trade, '/v1/trades', OWNER, offer(partner.bookId, missing(foreignCopy)));
    // The copy is named as it was asked for.
    expect({ ...instead, body: instead.body.replace(missing(foreignCopy), foreignCopy) }).toEqual(seen);
    const book = (identityId: string) => ({ accountId, identityId, collectionId: crowd.otherCollectionId });
    const refused = await shown(create, '/v1/pixbooks', OWNER, book(neighbour.identityId));
    expect(refused.status).toBe(404);
    expect(await shown(create, '/v1/pixbooks', OWNER, book(missing(neighbour.identityId)))).toEqual(refused);
  });
});
