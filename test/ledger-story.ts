import fc from 'fast-check';
import { type AccountId, type IdentityId, OPERATOR_ACCOUNT_ID, bookIdFor, identityIdFor } from '../src/receipt/ids.ts';
import { eventIdAt } from '../src/receipt/key-path.ts';
import { type StreamOf, accountStream, pixbookStream } from '../src/receipt/stream.ts';
import { roles } from '../src/stream/account/event.ts';
import { type FixtureLedger, collectionId, fixtureLedger, idempotencyKey, userId } from './ledger-fixture.ts';

/** One command of a story. The numbers choose among what there is by then, so that every story can be told. */
export type Step = {
  readonly verb: (typeof verbs)[number];
  readonly who: number;
  readonly where: number;
  readonly what: number;
};

const verbs = [
  'create-account',
  'add-member',
  'change-member-role',
  'remove-member',
  'create-identity',
  'rotate-key',
  'revoke-identity',
  'create-pixbook',
  'save',
  'save',
  'save',
  'close',
  'close-account',
] as const;

const small = fc.nat({ max: 5 });

/** Stories of valid and refused commands in any order; shrinks to the shortest that still fails. */
export const stories = (maxLength: number): fc.Arbitrary<readonly Step[]> =>
  fc.array(fc.record({ verb: fc.constantFrom(...verbs), who: small, where: small, what: small }), { maxLength });

/** Tells a story to a new ledger by way of `decide`: what is refused leaves no receipt. */
export const told = async (steps: readonly Step[]): Promise<FixtureLedger> => {
  const ledger = await fixtureLedger();
  const story: Story = { ledger, accounts: [OPERATOR_ACCOUNT_ID], identities: [], books: [] };
  for (const [n, step] of steps.entries()) await tell(story, step, n);
  return ledger;
};

type Story = {
  readonly ledger: FixtureLedger;
  readonly accounts: AccountId[];
  readonly identities: { readonly accountId: AccountId; readonly identityId: IdentityId }[];
  readonly books: StreamOf<'pixbook'>[];
};

const accountStateIn = (ledger: FixtureLedger, accountId: AccountId) => {
  const state = ledger.stateOf(accountStream(accountId));
  if (state.type !== 'account') throw new TypeError('not an account');
  return state;
};

const chosen = <T>(from: readonly T[], n: number): T | undefined => from[n % Math.max(1, from.length)];

const tell = async (story: Story, { verb, who, where, what }: Step, n: number): Promise<void> => {
  const { ledger, accounts, identities, books } = story;
  const user = userId(`user-${who}`);
  const accountId = chosen(accounts, where) ?? OPERATOR_ACCOUNT_ID;
  const role = chosen(roles, what) ?? 'member';
  const key = idempotencyKey(`step-${n}`);
  const identity = chosen(identities, where);
  const book = chosen(books, where);
  switch (verb) {
    case 'create-account':
      accounts.push((await ledger.createAccount(user, { key })).accountId);
      return;
    case 'add-member':
    case 'change-member-role':
      await ledger.account(accountId, { type: verb, userId: user, role, by: user }, { key });
      return;
    case 'remove-member':
      await ledger.account(accountId, { type: verb, userId: user, by: user }, { key });
      return;
    case 'close-account':
      await ledger.account(accountId, { type: verb, by: user }, { key });
      return;
    case 'create-identity': {
      const identityId = identityIdFor(accountId, key);
      const publicKey = await ledger.publicKeyOf(identityId, 1);
      const created = await ledger.account(accountId, { type: verb, identityId, publicKey, controller: user, by: user }, { key });
      if (created.ok) identities.push({ accountId, identityId });
      return;
    }
    case 'rotate-key': {
      if (identity === undefined) return;
      const { state } = accountStateIn(ledger, identity.accountId);
      const generation = (state.identities.get(identity.identityId)?.keyGeneration ?? 0) + 1;
      const publicKey = await ledger.publicKeyOf(identity.identityId, generation);
      await ledger.account(identity.accountId, { type: verb, identityId: identity.identityId, publicKey, by: user }, { key });
      return;
    }
    case 'revoke-identity':
      if (identity !== undefined)
        await ledger.account(identity.accountId, { type: verb, identityId: identity.identityId, by: user }, { key });
      return;
    case 'create-pixbook': {
      if (identity === undefined) return;
      const generation = 1 + (what % 3);
      const collection = collectionId(String(who % 2));
      const stream = pixbookStream(identity.accountId, bookIdFor(identity.identityId, collection, generation));
      const command = { type: verb, identityId: identity.identityId, collectionId: collection, generation } as const;
      if ((await ledger.pixbook(stream, command, { key })).ok) books.push(stream);
      return;
    }
    case 'save':
      if (book !== undefined) {
        // Now and then on a base that is not the head, which is refused.
        const baseEventId = eventIdAt(book, what === 5 ? 0 : (ledger.headOf(book)?.position ?? 0));
        await ledger.pixbook(book, { type: verb, state: { what, 'ünï\u2028': [who, null, 0.5] }, baseEventId }, { key });
      }
      return;
    case 'close':
      if (book !== undefined) await ledger.pixbook(book, { type: 'close' }, { key });
      return;
  }
};
