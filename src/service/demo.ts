import { randomBytes } from 'node:crypto';
import type { CommandContext, CommandOutcome, LedgerCommands } from '../command/ledger-commands.ts';
import type { LedgerQueries } from '../port/ledger-queries.ts';
import type { ReceiptStore } from '../port/receipt-store.ts';
import {
  type AccountId,
  type BookId,
  type CollectionId,
  type DropId,
  type EventId,
  type IdempotencyKey,
  OPERATOR_IDENTITY_ID,
  type UserId,
  dropIdFor,
  identityIdFor,
} from '../receipt/ids.ts';
import type { JsonObject } from '../receipt/json.ts';
import { artKeyOf } from '../receipt/key-path.ts';
import { cards, series } from './demo-catalogue.ts';

/** Who the demo signs in as. The user's id is fixed, so that receipts stay theirs whatever happens to the database. */
export const demoUser = {
  userId: 'usr_01JZDEM0000000000000000000' as UserId,
  email: 'demo@pixpax.example',
  password: 'demo-demo-demo',
} as const;

/** Who publishes in `npm run demo`: an operator of the embedded ledger, signed in by a token that is kept beside it. */
export const demoOperator = { userId: 'usr_01JZDEM0000000000000000001' as UserId, email: 'operator@pixpax.example' } as const;

/** The collection of the demo's pixbook. */
export const demoCollectionId = 'col_01JZDEM0000000000000000000' as CollectionId;

/** What the seeding works with. */
export type DemoParts = {
  readonly commands: LedgerCommands;
  readonly queries: LedgerQueries;
  readonly store: ReceiptStore;
};

/** The pixbook of the demo, and the head that its next save must be based on. */
export type Demo = { readonly accountId: AccountId; readonly bookId: BookId; readonly head: EventId };

const asks = (key: string, userId: UserId = demoUser.userId): CommandContext => ({
  userId,
  idempotencyKey: `demo-${key}` as IdempotencyKey,
  ifMatch: null,
});

/**
 * Seeds a collection with a drop, and an account with one collector whose pixbook has its pack and is saved once, by the same commands as
 * everybody's. Its idempotency keys are fixed: the second time nothing is written. Throws Error when a command is refused, and `Outage`.
 */
export const seedDemo = async ({ commands, queries, store }: DemoParts): Promise<Demo> => {
  const dropId = await seedCollection(commands, store);
  const account = made(await commands.createAccount(asks('account')));
  if (account.stream.type !== 'account') throw new Error('an account has a stream of its own');
  const { accountId } = account.stream;
  const identity = asks('identity');
  made(await commands.createIdentity(identity, accountId, demoUser.userId));
  const identityId = identityIdFor(accountId, identity.idempotencyKey);
  const book = made(await commands.createPixbook(asks('pixbook'), { accountId, identityId, collectionId: demoCollectionId }));
  if (book.stream.type !== 'pixbook') throw new Error('a pixbook has a stream of its own');
  const { bookId } = book.stream;
  const pack = made(await commands.issuePack(asks('pack'), { accountId, bookId }, { dropId, identityId: null }));
  const state: JsonObject = { page: 1, placements: [], greeting: 'Hello from the demo' };
  const saved = made(await commands.save(asks('save'), { accountId, bookId }, { state, baseEventId: pack.eventId }));
  const head = await queries.head(book.stream);
  return { accountId, bookId, head: head?.eventId ?? saved.eventId };
};

/** A crash in the middle leaves art that nobody names yet; the next start goes on. */
const seedCollection = async (commands: LedgerCommands, store: ReceiptStore): Promise<DropId> => {
  for (const { artHash, svg } of cards) await store.create(artKeyOf(artHash), Buffer.from(svg));
  const catalogue = { version: 1, title: 'Tide pool', series, cards: cards.map(({ svg: _svg, ...card }) => card) };
  const issuer = { identityId: OPERATOR_IDENTITY_ID, collectionId: demoCollectionId };
  made(await commands.publishCollection(asks('collection', demoOperator.userId), { ...issuer, catalogue }));
  const opening = asks('drop', demoOperator.userId);
  made(await commands.openDrop(opening, { ...issuer, title: 'Week 0', packSize: 5 }));
  return dropIdFor(demoCollectionId, opening.idempotencyKey);
};

const made = (outcome: CommandOutcome) => {
  if (outcome.ok) return outcome.value;
  // Somebody closed the demo's pixbook or revoked its identity: that is their right, and no reason not to start.
  throw new DemoRefused(`${outcome.error.code}: ${outcome.error.detail}`);
};

/** The demo could not be seeded because of what was done to it before. */
export class DemoRefused extends Error {}

/** What a newcomer sees: where to look, and a first command that works as printed. */
export const greeting = (publicUrl: string, fingerprint: string, demo: Demo | null, token: string): string => {
  const lines = [
    '',
    `PixPax receipt ledger   ${publicUrl}`,
    `  reference             ${publicUrl}/docs`,
    `  your account          ${publicUrl}/sign-in`,
    `  health                ${publicUrl}/health/ready`,
    `  trust anchor          ${fingerprint}`,
  ];
  if (demo === null) return `${lines.join('\n')}\n`;
  const body = JSON.stringify({ state: { page: 2, greeting: 'My first save' }, baseEventId: demo.head });
  return `${[
    ...lines,
    `  demo sign-in          ${demoUser.email}  ${demoUser.password}`,
    '',
    'Post a first command (it appends a signed receipt):',
    '',
    `curl -sS '${publicUrl}/v1/pixbooks/${demo.bookId}/commands/save' \\`,
    `  -H 'Authorization: Bearer ${token}' \\`,
    `  -H 'Idempotency-Key: hello-${randomBytes(4).toString('hex')}' -H 'Content-Type: application/json' \\`,
    `  -d '${body}'`,
    '',
    'Look at what it wrote, then verify it without trusting this service:',
    '',
    `curl -sS '${publicUrl}/v1/pixbooks/${demo.bookId}' -H 'Authorization: Bearer ${token}'`,
    `npm run ledger -- verify --trust ${fingerprint}`,
    '',
    'Or watch two families collect and swap cards, and somebody trying to cheat:',
    '',
    'npm run demo',
    '',
  ].join('\n')}\n`;
};
