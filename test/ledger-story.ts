import fc from 'fast-check';
import {
  type AccountId,
  type IdempotencyKey,
  type IdentityId,
  OPERATOR_ACCOUNT_ID,
  bookIdFor,
  identityIdFor,
} from '../src/receipt/ids.ts';
import { eventIdAt } from '../src/receipt/key-path.ts';
import { type StreamOf, pixbookStream } from '../src/receipt/stream.ts';
import { roles } from '../src/stream/account/event.ts';
import { type FixtureLedger, collectionId, fixtureLedger, idempotencyKey, userId } from './ledger-fixture.ts';
import { accountIn, liveBookIn } from './ledger-state.ts';
import { type Market, type MarketVerb, happenings, openMarket } from './market-story.ts';

/** One command of a story. The numbers choose among what there is by then, so that every story can be told. */
export type Step = {
  readonly verb: (typeof verbs)[number];
  readonly who: number;
  readonly where: number;
  readonly what: number;
};

const accountVerbs = [
  'create-account',
  'add-member',
  'change-member-role',
  'remove-member',
  'create-identity',
  'rotate-key',
  'revoke-identity',
  'close-account',
] as const;
const bookVerbs = ['create-pixbook', 'save', 'close'] as const;
const marketVerbs = Object.keys(happenings) as MarketVerb[];

/** What leads to more comes more often. */
const verbs = [
  ...accountVerbs,
  ...bookVerbs,
  ...marketVerbs,
  'save',
  'save',
  'issue-pack',
  'offer-trade',
  'offer-trade',
  'go-on-with-trade',
  'go-on-with-trade',
  'go-on-with-trade',
] as const;

const small = fc.nat({ max: 5 });

const isAccountVerb = (verb: Step['verb']): verb is (typeof accountVerbs)[number] => accountVerbs.some((one) => one === verb);
const isMarketVerb = (verb: Step['verb']): verb is MarketVerb => Object.hasOwn(happenings, verb);

/** Stories of valid and refused commands in any order; shrinks to the shortest that still fails. */
export const stories = (maxLength: number): fc.Arbitrary<readonly Step[]> =>
  fc.array(fc.record({ verb: fc.constantFrom(...verbs), who: small, where: small, what: small }), { maxLength, size: 'max' });

/** Tells a story to a new ledger by way of `decide`: what is refused leaves no receipt. */
export const told = async (steps: readonly Step[]): Promise<FixtureLedger> => {
  const ledger = await fixtureLedger();
  const story: Story = { ledger, accounts: [OPERATOR_ACCOUNT_ID], identities: [], books: [], market: null };
  for (const [n, step] of steps.entries()) await tell(story, step, n);
  return ledger;
};

type Choices = { readonly key: IdempotencyKey };

type Story = {
  readonly ledger: FixtureLedger;
  readonly accounts: AccountId[];
  readonly identities: { readonly accountId: AccountId; readonly identityId: IdentityId }[];
  readonly books: StreamOf<'pixbook'>[];
  /** Opened when it is first needed, so that stories that do without stay short. */
  market: Market | null;
};

const chosen = <T>(from: readonly T[], n: number): T | undefined => from[n % Math.max(1, from.length)];

/** What else may happen to books and identities may happen to the market's too. */
const toldToMarket = async ({ ledger, identities, books }: Story): Promise<Market> => {
  const market = await openMarket(ledger);
  books.push(...market.books);
  for (const book of market.books)
    identities.push({ accountId: book.accountId, identityId: liveBookIn(ledger, book).identityId });
  return market;
};

const tell = async (story: Story, { verb, ...step }: Step, n: number): Promise<void> => {
  const choices = { key: idempotencyKey(`step-${n}`) };
  if (isMarketVerb(verb)) {
    story.market ??= await toldToMarket(story);
    await happenings[verb](story.market, step, choices);
  } else await (isAccountVerb(verb) ? tellOfAccount(story, verb, step, choices) : tellOfBook(story, verb, step, choices));
};

type Numbers = Omit<Step, 'verb'>;

const tellOfAccount = async (
  { ledger, accounts, identities }: Story,
  verb: (typeof accountVerbs)[number],
  { who, where, what }: Numbers,
  choices: Choices,
): Promise<void> => {
  const user = userId(`user-${who}`);
  const accountId = chosen(accounts, where) ?? OPERATOR_ACCOUNT_ID;
  const member = chosen([...accountIn(ledger, accountId).members.keys()], who) ?? user;
  const role = chosen(roles, what) ?? 'member';
  const identity = chosen(identities, where);
  switch (verb) {
    case 'create-account':
      accounts.push((await ledger.createAccount(user, choices)).accountId);
      return;
    case 'add-member':
      await ledger.account(accountId, { type: verb, userId: user, role, by: user }, choices);
      return;
    case 'change-member-role':
      await ledger.account(accountId, { type: verb, userId: member, role, by: user }, choices);
      return;
    case 'remove-member':
      await ledger.account(accountId, { type: verb, userId: member, by: user }, choices);
      return;
    case 'close-account':
      await ledger.account(accountId, { type: verb, by: user }, choices);
      return;
    case 'create-identity': {
      const identityId = identityIdFor(accountId, choices.key);
      const publicKey = await ledger.publicKeyOf(identityId, 1);
      const command = { type: verb, identityId, publicKey, controller: member, by: user } as const;
      if ((await ledger.account(accountId, command, choices)).ok) identities.push({ accountId, identityId });
      return;
    }
    case 'rotate-key':
    case 'revoke-identity': {
      if (identity === undefined) return;
      const { identityId } = identity;
      const generation = (accountIn(ledger, identity.accountId).identities.get(identityId)?.keyGeneration ?? 0) + 1;
      const publicKey = await ledger.publicKeyOf(identityId, generation);
      const asked = verb === 'rotate-key' ? { type: verb, identityId, publicKey } : { type: verb, identityId };
      await ledger.account(identity.accountId, { ...asked, by: user }, choices);
    }
  }
};

const tellOfBook = async (
  { ledger, identities, books }: Story,
  verb: (typeof bookVerbs)[number],
  { who, where, what }: Numbers,
  choices: Choices,
): Promise<void> => {
  const identity = chosen(identities, where);
  const book = chosen(books, where);
  switch (verb) {
    case 'create-pixbook': {
      if (identity === undefined) return;
      const generation = 1 + (what % 3);
      const collection = collectionId(String(who % 2));
      const stream = pixbookStream(identity.accountId, bookIdFor(identity.identityId, collection, generation));
      const command = { type: verb, identityId: identity.identityId, collectionId: collection, generation } as const;
      if ((await ledger.pixbook(stream, command, choices)).ok) books.push(stream);
      return;
    }
    case 'save':
      if (book !== undefined) {
        // Now and then on a base that is not the head, which is refused.
        const baseEventId = eventIdAt(book, what === 5 ? 0 : (ledger.headOf(book)?.position ?? 0));
        await ledger.pixbook(book, { type: verb, state: { what, 'ünï\u2028': [who, null, 0.5] }, baseEventId }, choices);
      }
      return;
    case 'close':
      if (book !== undefined) await ledger.pixbook(book, { type: verb }, choices);
  }
};
