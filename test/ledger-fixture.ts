import { memorySigner } from '../src/adapter/memory/signer.ts';
import type { Application } from '../src/port/read-model.ts';
import type { Sealer } from '../src/port/sealer.ts';
import type { Signer } from '../src/port/signer.ts';
import { project } from '../src/projection/project.ts';
import { headOf } from '../src/receipt/chain.ts';
import { publicKeyIdOf } from '../src/receipt/hash.ts';
import {
  type AccountId,
  type CodeId,
  type CollectionId,
  type IdempotencyKey,
  type IdentityId,
  OPERATOR_ACCOUNT_ID,
  OPERATOR_IDENTITY_ID,
  type PublicKeyId,
  type UserId,
  accountIdFor,
  bookIdFor,
  derivedUlid,
  identityIdFor,
  parseCodeId,
  parseCollectionId,
  parseIdempotencyKey,
  parseUserId,
} from '../src/receipt/ids.ts';
import type { JsonObject } from '../src/receipt/json.ts';
import { eventIdAt } from '../src/receipt/key-path.ts';
import type { StoredReceipt } from '../src/receipt/receipt.ts';
import { type Stream, type StreamOf, accountStream, codeStream, collectionStream, pixbookStream } from '../src/receipt/stream.ts';
import { type Result, ok } from '../src/result.ts';
import type { AccountCommand } from '../src/stream/account/command.ts';
import { decideAccount } from '../src/stream/account/decide.ts';
import type { CodeCommand } from '../src/stream/code/command.ts';
import { decideCode } from '../src/stream/code/decide.ts';
import type { CollectionCommand } from '../src/stream/collection/command.ts';
import { decideCollection } from '../src/stream/collection/decide.ts';
import { type LedgerEvent, eventOf } from '../src/stream/event.ts';
import { type IdentityRef, requiredIssuer } from '../src/stream/fold.ts';
import type { PixbookCommand } from '../src/stream/pixbook/command.ts';
import { decidePixbook } from '../src/stream/pixbook/decide.ts';
import type { Refusal } from '../src/stream/refusal.ts';
import { accountIn, codeIn, collectionIn, pixbookIn } from './ledger-state.ts';
import { type ReceiptChoices, type SignedLedger, signedLedger } from './signed-ledger.ts';

/** The receipt a command led to, or the rule that refused it. */
export type Attempt = Result<StoredReceipt, Refusal<string>>;

/** A ledger without a store: receipts as the append would write them, made by decide, build and sign. */
export type FixtureLedger = Omit<SignedLedger, 'build' | 'append' | 'hereIn'> & {
  /** The fingerprint of the operator's first key. Its genesis is the first receipt. */
  readonly trust: PublicKeyId;
  /** What the seeds of drops are sealed with. */
  readonly sealer: Sealer;
  /** Appends what the command leads to, or answers why it is refused. */
  readonly account: (id: AccountId, command: AccountCommand, choices?: ReceiptChoices) => Promise<Attempt>;
  readonly pixbook: (stream: StreamOf<'pixbook'>, command: PixbookCommand, choices?: ReceiptChoices) => Promise<Attempt>;
  readonly collection: (id: CollectionId, command: CollectionCommand, choices?: ReceiptChoices) => Promise<Attempt>;
  readonly code: (id: CodeId, command: CodeCommand, choices?: ReceiptChoices) => Promise<Attempt>;
  /** The commands most tests begin with. They throw when refused. For what comes then, see `ledger-collection.ts` and those beside it. */
  readonly createAccount: (owner: UserId, choices?: ReceiptChoices) => Promise<StreamOf<'account'>>;
  readonly createIdentity: (accountId: AccountId, controller: UserId, choices?: ReceiptChoices) => Promise<IdentityId>;
  /** Makes the user an issuer with an identity of the operator's account. */
  readonly createIssuer: (user: UserId) => Promise<IdentityId>;
  readonly rotateKey: (accountId: AccountId, identityId: IdentityId, by: UserId) => Promise<StoredReceipt>;
  readonly createPixbook: (
    accountId: AccountId,
    identityId: IdentityId,
    collectionId: CollectionId,
    generation?: number,
  ) => Promise<StreamOf<'pixbook'>>;
  /** Saves on the head the book has. */
  readonly save: (stream: StreamOf<'pixbook'>, state: JsonObject, choices?: ReceiptChoices) => Promise<StoredReceipt>;
  /**
   * A signed receipt that follows the head, whatever the rules say of its event; the ledger does not take it in. Signed by `signer`, else by
   * whom the event asks for, where that can be told in a pixbook, else by the book's identity or the operator.
   */
  readonly forge: (
    stream: Stream,
    event: { type: string; payload: JsonObject },
    choices?: ReceiptChoices & { readonly signer?: IdentityRef },
  ) => Promise<StoredReceipt>;
};

/** The value, or an error that shows what was wrong: for what a test takes for granted. */
export const granted = <T>(result: Result<T, unknown>): T => {
  if (!result.ok) throw new Error(`a test took this for granted: ${JSON.stringify(result.error)}`);
  return result.value;
};

/** Ids by hand, for tests. Throw when malformed. */
export const userId = (text: string): UserId => granted(parseUserId(text));
export const idempotencyKey = (text: string): IdempotencyKey => granted(parseIdempotencyKey(text));
export const collectionId = (name: string): CollectionId =>
  granted(parseCollectionId(`col_${derivedUlid('test/collection', name)}`));
export const codeId = (name: string): CodeId => granted(parseCodeId(`cod_${derivedUlid('test/code', name)}`));

/** What applying a receipt to a projection takes. Throws when `project` does not know it. */
export const applicationOf = (stored: StoredReceipt): Application => ({
  stream: stored.receipt.stream,
  head: headOf(stored),
  projected: granted(project(stored)),
});

/** Seals nothing, but the same in every run. Its texts mean nothing to any other sealer. */
export const openSealer: Sealer = {
  description: 'seeds lie open, for tests only',
  seal: async (context, secret) => `open:${context}:${Buffer.from(secret).toString('hex')}`,
  unseal: async (_context, sealed) => Buffer.from(sealed.slice(sealed.lastIndexOf(':') + 1), 'hex'),
  close: () => Promise.resolve(),
};

/** A new ledger with its genesis. Keys come from `signer` and are named as the append names them. */
export const fixtureLedger = async (signer: Signer = memorySigner(), sealer: Sealer = openSealer): Promise<FixtureLedger> => {
  const signed = signedLedger(signer, (n) => idempotencyKey(`key-${n}`));
  const commands = commandsOn(signed);
  const publicKey = await signed.publicKeyOf(OPERATOR_IDENTITY_ID, 1);
  granted(
    await commands.account(OPERATOR_ACCOUNT_ID, { type: 'initialise-operator', identityId: OPERATOR_IDENTITY_ID, publicKey }),
  );
  return {
    ...signed,
    ...commands,
    ...beginningsOf(signed, commands),
    sealer,
    trust: publicKeyIdOf(Buffer.from(publicKey, 'base64')),
    forge: (stream, event, choices = {}) =>
      signed.build(stream, choices.signer ?? forgerOf(signed, stream, event), event as LedgerEvent, choices),
  };
};

type Commands = Pick<FixtureLedger, 'account' | 'pixbook' | 'collection' | 'code'>;

const commandsOn = (ledger: SignedLedger): Commands => {
  const taken = async (
    stream: Stream,
    event: Result<LedgerEvent, Refusal<string>>,
    choices?: ReceiptChoices,
  ): Promise<Attempt> => (event.ok ? ok(granted(await ledger.append(stream, event.value, choices))) : event);
  return {
    account: (id, command, choices) => taken(accountStream(id), decideAccount(id, accountIn(ledger, id), command), choices),
    pixbook: (stream, command, choices) =>
      taken(stream, decidePixbook(pixbookIn(ledger, stream), command, ledger.hereIn(stream, choices)), choices),
    collection: (id, command, choices) =>
      taken(collectionStream(id), decideCollection(collectionIn(ledger, id), command), choices),
    code: (id, command, choices) => taken(codeStream(id), decideCode(codeIn(ledger, id), command), choices),
  };
};

type Beginnings = Pick<
  FixtureLedger,
  'createAccount' | 'createIdentity' | 'createIssuer' | 'rotateKey' | 'createPixbook' | 'save'
>;

const beginningsOf = (ledger: SignedLedger, { account, pixbook }: Commands): Beginnings => {
  const createIdentity: Beginnings['createIdentity'] = async (accountId, controller, choices = {}) => {
    const key = choices.key ?? ledger.nextKey();
    const identityId = identityIdFor(accountId, key);
    const publicKey = await ledger.publicKeyOf(identityId, 1);
    const command = { type: 'create-identity', identityId, publicKey, controller, by: controller } as const;
    granted(await account(accountId, command, { ...choices, key }));
    return identityId;
  };
  return {
    createAccount: async (owner, choices = {}) => {
      const key = choices.key ?? ledger.nextKey();
      const id = accountIdFor(owner, key);
      granted(await account(id, { type: 'create-account', owner }, { ...choices, key }));
      return accountStream(id);
    },
    createIdentity,
    createIssuer: async (user) => {
      granted(await account(OPERATOR_ACCOUNT_ID, { type: 'add-member', userId: user, role: 'issuer', by: user }));
      return createIdentity(OPERATOR_ACCOUNT_ID, user);
    },
    rotateKey: async (accountId, identityId, by) => {
      const publicKey = await ledger.publicKeyOf(identityId, ledger.generationOf({ accountId, identityId }) + 1);
      return granted(await account(accountId, { type: 'rotate-key', identityId, publicKey, by }));
    },
    createPixbook: async (accountId, identityId, collectionId, generation = 1) => {
      const stream = pixbookStream(accountId, bookIdFor(identityId, collectionId, generation));
      granted(await pixbook(stream, { type: 'create-pixbook', identityId, collectionId, generation }));
      return stream;
    },
    save: async (stream, state, choices) => {
      const baseEventId = ledger.headOf(stream)?.eventId ?? eventIdAt(stream, 0);
      return granted(await pixbook(stream, { type: 'save', state, baseEventId }, choices));
    },
  };
};

const OPERATOR: IdentityRef = { accountId: OPERATOR_ACCOUNT_ID, identityId: OPERATOR_IDENTITY_ID };

const forgerOf = (ledger: SignedLedger, stream: Stream, event: { type: string; payload: JsonObject }): IdentityRef => {
  if (stream.type !== 'pixbook') return OPERATOR;
  const parsed = eventOf({ stream, ...event });
  const asked = parsed.ok ? requiredIssuer(ledger.stateOf(stream), stream, parsed.value) : parsed;
  if (asked.ok) return { ...asked.value, identityId: asked.value.identityId ?? OPERATOR_IDENTITY_ID };
  const book = pixbookIn(ledger, stream);
  return book.status === 'absent' ? OPERATOR : { accountId: stream.accountId, identityId: book.identityId };
};
